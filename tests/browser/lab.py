"""Start JupyterLab on loopback, and drive it with the system's Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

REPO = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LIMIT_MS = 180_000  # of patience: other things may be going on on this machine
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
NOTEBOOK = "window.jupyterapp.shell.currentWidget"
KERNEL = f"{NOTEBOOK}.sessionContext.session.kernel"
CODE = f"[...{NOTEBOOK}.content.model.cells].filter(cell => cell.type === 'code')"
COUNTS = f"{CODE}.map(cell => cell.executionCount ?? 0)"
FAILED = f"{CODE}.some(cell => cell.outputs.toJSON().some(shown => shown.output_type === 'error'))"


class Lab(NamedTuple):
    """A server, and the folder it serves."""

    url: str
    token: str
    root: Path


@contextlib.contextmanager
def jupyter_lab(root: Path, theme: str = LIGHT) -> Iterator[Lab]:
    """Run a JupyterLab with settings, workspaces and runtime files of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, url = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.extension_manager=readonly",
    ]
    with tempfile.TemporaryDirectory() as private, (Path(private) / "log").open("w+") as log:
        env = {**os.environ, **_settings(Path(private), theme), "PYTHONPATH": str(REPO)}
        server = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=log, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        try:
            _wait(server, f"{url}/api/status?token={token}", Path(log.name))
            yield Lab(url, token, root)
        finally:  # a server that is asked to go shuts its kernels down
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(5)


def _settings(private: Path, theme: str) -> dict[str, str]:
    settings = {
        "apputils-extension/themes": {"theme": theme},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},  # all cells are on the page
    }
    for name, values in settings.items():
        path = private / f"lab/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    return {
        "JUPYTERLAB_SETTINGS_DIR": f"{private}/lab",
        "JUPYTERLAB_WORKSPACES_DIR": f"{private}/workspaces",
        "JUPYTER_RUNTIME_DIR": f"{private}/runtime",
        "JUPYTER_CONFIG_DIR": f"{private}/config",
        "IPYTHONDIR": f"{private}/ipython",
        "AGENTLAB_RECORDING": "replay",  # what is not on the tape must fail, not ask a model
    }


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + LIMIT_MS / 1000
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def write(path: Path, *cells: Any) -> None:
    """Write a notebook."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, path)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page that reaches loopback only, and remembers what went wrong."""

    def __init__(self, browser: Browser, width: int = 1100, height: int = 900) -> None:
        self.errors: list[str] = []
        self.outside: list[str] = []
        context = browser.new_context(viewport={"width": width, "height": height})
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)
        self.page.route(re.compile("^https?://"), self._route)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _route(self, route: Route) -> None:
        if re.match(r"https?://127\.0\.0\.1[:/]", route.request.url):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def open(self, lab: Lab, name: str, *cells: str) -> None:
        """Open a notebook, written anew if there are ``cells``, and wait for its kernel."""
        if cells:
            write(lab.root / name, *(nbformat.v4.new_code_cell(cell) for cell in cells))
        self.page.goto(f"{lab.url}/lab/tree/{name}?token={lab.token}&reset")
        self.page.wait_for_function("window.jupyterapp !== undefined", timeout=LIMIT_MS)
        self.page.evaluate("window.jupyterapp.restored")
        ready = f"{NOTEBOOK}?.sessionContext?.session?.kernel?.connectionStatus === 'connected'"
        self.page.wait_for_function(ready, timeout=LIMIT_MS)
        self.page.evaluate(f"Promise.all([{NOTEBOOK}.context.ready, {NOTEBOOK}.revealed])")

    def do(self, command: str) -> None:
        """Start a command of JupyterLab."""
        self.page.evaluate(f"void window.jupyterapp.commands.execute('{command}')")

    def run_all(self) -> None:
        """Start all cells."""
        self.page.wait_for_function(f"{KERNEL}.status === 'idle'", timeout=LIMIT_MS)
        self.page.evaluate(f"window.before = Math.max(...{COUNTS})")
        self.do("notebook:run-all-cells")

    def idle(self) -> None:
        """Wait until all cells have run, and fail if one could not."""
        over = f"{COUNTS}.every(count => count > window.before) || {FAILED}"
        self.page.wait_for_function(
            f"() => {KERNEL}.status === 'idle' && ({over})", timeout=LIMIT_MS, polling=200
        )
        assert self.bad_outputs() == [], self.bad_outputs()

    def outputs(self) -> list[dict[str, Any]]:
        """Give what the cells show, as the notebook would be saved."""
        book = self.page.evaluate(f"{NOTEBOOK}.content.model.sharedModel.toJSON()")
        return [output for cell in book["cells"] for output in cell.get("outputs", [])]

    def shot(self, name: str) -> None:
        """Take a picture of the whole notebook, if ``AGENTLAB_SCREENSHOTS`` names a folder."""
        if folder := os.environ.get("AGENTLAB_SCREENSHOTS"):
            height = self.page.evaluate(
                "Math.max(...[...document.querySelectorAll('.jp-WindowedPanel-inner')]"
                ".map(x => x.scrollHeight), 700) + 150"
            )
            width = self.page.evaluate("window.innerWidth")
            self.page.set_viewport_size({"width": width, "height": min(int(height), 6000)})
            self.page.evaluate(
                "document.querySelectorAll('.jp-WindowedPanel-outer').forEach(x => x.scrollTop = 0)"
            )
            self.page.wait_for_timeout(500)
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/{name}.png")

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def wait(self, script: str, timeout: int = 10_000) -> None:
        """Wait until ``script`` is true in the page."""
        self.page.wait_for_function(script, timeout=timeout)

    def bad_outputs(self) -> list[str]:
        """List the errors that cells show."""
        return [f"{o['ename']}: {o['evalue']}" for o in self.outputs() if "ename" in o]

    def fine(self) -> None:
        """Fail on an error in the page, and on any request that left this machine."""
        assert self.errors == [], self.errors
        assert self.outside == [], self.outside
