"""The quickstart, live: run notebook 01 with the embedded model and say where it lies."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from agentlab.core.extras import need
from agentlab.examples import shipped

NOTEBOOK = "01_quickstart.ipynb"
OUTPUT = Path(".agentlab") / "demo"
TIMEOUT_S = 600


def demo(output: Path = OUTPUT) -> Path:
    """Execute the quickstart notebook, echo what it prints, and write it as HTML.

    Raises
    ------
    NotConfigured
        The extra ``lab`` or ``local`` is not installed.
    """
    need("xllamacpp", "local")
    nbformat, nbclient = need("nbformat", "lab"), need("nbclient", "lab")
    began, source = time.monotonic(), shipped(NOTEBOOK)
    book = nbformat.read(source, as_version=4)
    # Live: neither the tape that tests replay, nor a silent load of the model.
    live = {"AGENTLAB_RECORDING": "off", "AGENTLAB_LOG": "models=info"}
    print(f"running {NOTEBOOK} with the embedded model, live\n", flush=True)
    place = {"metadata": {"path": str(source.parent)}}
    client = _echoing(nbclient)(
        book,
        timeout=TIMEOUT_S,
        allow_errors=True,  # the page shows them
        kernel_name="python3",
        store_widget_state=False,  # a live view leaves its card, which needs none
        resources=place,
        extra_arguments=["--log-level=40"],  # the kernel's own news are not ours
    )
    client.execute(env={**os.environ, **live})
    output.mkdir(parents=True, exist_ok=True)
    page = output / f"{source.stem}.html"
    page.write_text(as_html(book), encoding="utf-8")
    for error in errors(book):
        print(f"\na cell of it failed: {error}")
        print("(a model this small may answer otherwise on another processor)")
    print(f"\n{time.monotonic() - began:.1f} s; the notebook with its cards: {page.resolve()}")
    return page


def errors(book: Any) -> list[str]:
    """List what went wrong in the cells of an executed notebook."""
    shown = (output for cell in book.cells for output in cell.get("outputs", ()))
    return [f"{each.ename}: {each.evalue}" for each in shown if each.output_type == "error"]


def as_html(book: Any) -> str:
    """Give an executed notebook as one page that loads nothing from elsewhere."""
    nothing = dict.fromkeys(("mathjax_url", "require_js_url", "mermaid_js_url"), "")
    exporter = need("nbconvert", "lab").HTMLExporter(**nothing)
    page: str = exporter.from_notebook_node(book)[0]
    return re.sub(r'<script src="">\s*</script>', "", page)


def _echoing(nbclient: Any) -> type[Any]:
    """Make a client that prints what the cells print, when they print it."""

    class Echoing(nbclient.NotebookClient):  # type: ignore[misc]  # made at run time
        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] != "stream":
                return super().process_message(msg, cell, cell_index)
            said, text = msg["content"]["name"], msg["content"]["text"]
            print(text, end="", file=sys.stderr if said == "stderr" else sys.stdout, flush=True)
            # What the model says of its loading is news for the terminal, not for the page.
            return None if said == "stderr" else super().process_message(msg, cell, cell_index)

    return Echoing
