"""How soon, and whether, what a model says is on the page: a real JupyterLab, a real Chromium.

A model says the time, again and again; a script in the page notes when it sees it. Skipped where
there is no Chromium.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab, Tab

SETUP = """
import asyncio, time
import agentlab as al
spent = []
def speaker(tokens, rate):
    async def talk(context):
        begin = time.perf_counter()
        for i in range(tokens):
            yield f"{time.time() * 1000:.0f} "
            await asyncio.sleep(max(0, begin + (i + 1) / rate - time.perf_counter()) if rate else 0)
        spent.append(time.perf_counter() - begin)
        await asyncio.sleep(1)
    return talk
"""
SPEAK = """
runs = [al.AgentRuntime(speaker({tokens}, {rate}), max_iterations=1) for _ in range({runs})]
await asyncio.gather(*(al.watch(run.start("?")) for run in runs))
print(max(spent))"""
LOOK = """() => {
    window.messages = 0; window.seen = []; const read = new Map();
    window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.iopubMessage.connect(
        (_, m) => { window.messages += m.header.msg_type === 'comm_msg'; });
    const look = () => {
        const now = Date.now();
        document.querySelectorAll('.agl-tail .agl-pre').forEach((pre, i) => {
            const text = pre.textContent, from = read.get(i) ?? 0, to = text.lastIndexOf(' ') + 1;
            if (to <= from) return;
            for (const said of text.slice(from, to).trim().split(' '))
                window.seen.push([Number(said), now - said]);
            read.set(i, to); });
        requestAnimationFrame(look); };
    look(); }"""
FIRST = """() => { window.began = performance.now(); window.first = 0;
    const look = () => {
        if (document.querySelector('.agl-tail .agl-pre')?.textContent)
            window.first = performance.now() - window.began;
        else requestAnimationFrame(look); };
    look(); }"""
LOCAL = """
lab = al.AgentRuntime("local", tools=[al.calculator])
await al.watch(lab.start("What is 6 times 7?"));"""


class Mode(NamedTuple):
    """So many runs, of so many tokens each, at such a rate; 0 is as fast as it can."""

    name: str
    tokens: int
    rate: int
    runs: int = 1


MODES = (
    Mode("as fast as it can", 5000, 0),
    Mode("1000 tokens a second", 5000, 1000),
    Mode("100 tokens a second", 1000, 100),
    Mode("eight of 300 tokens a second", 1500, 300, 8),
)


def stream(lab: Lab, tab: Tab, mode: Mode) -> str:
    """Let it speak, and tell what was seen of it."""
    speak = SPEAK.format(tokens=mode.tokens, rate=mode.rate, runs=mode.runs)
    tab.open(lab, "stream.ipynb", SETUP, speak)
    tab.page.evaluate(LOOK)
    tab.run_all()
    tab.idle()
    seen: list[tuple[float, float]] = sorted(tab.page.evaluate("window.seen"))
    spent = float(next(o["text"] for o in tab.outputs() if "text" in o))
    lags = sorted(lag for _, lag in seen)
    lost = mode.tokens * mode.runs - len(seen)
    last = (max(said + lag for said, lag in seen) - seen[0][0]) / 1000
    return (
        f"{mode.name}, {mode.tokens:,} each: said in {spent:.2f} s,"
        f" {tab.page.evaluate('window.messages')} messages, {lost} tokens lost,"
        f" the last on the page after {last:.2f} s;"
        f" lag p50 {lags[len(lags) // 2]:.0f}, p95 {lags[len(lags) * 95 // 100]:.0f},"
        f" max {lags[-1]:.0f} ms"
    )


def first_token(lab: Lab, tab: Tab) -> str:
    """Time from Run All to the first letter of the embedded model, cold, and again."""
    tab.open(lab, "local.ipynb", "import agentlab as al", LOCAL)
    tab.page.wait_for_timeout(3000)  # the kernel has settled
    times = []
    for _ in range(3):
        tab.page.evaluate(FIRST)
        tab.run_all()
        tab.wait("window.first", 120_000)
        tab.idle()
        times.append(tab.page.evaluate("window.first"))
        tab.do("notebook:clear-all-cell-outputs")
    cold, *again = times
    return (
        f"from Run All to the first token of the embedded model on the page: {cold:.0f} ms in a"
        f" kernel that has loaded nothing, {' and '.join(f'{ms:.0f}' for ms in again)} ms after"
    )


def sizes() -> str:
    """Tell how large the front end is, as it is and as it would travel."""
    files = sorted((ROOT / "agentlab/static").iterdir())
    told = [(file.name, file.read_bytes()) for file in files]
    return "; ".join(
        f"{name} {len(data) / 1000:.1f} KB, {len(gzip.compress(data)) / 1000:.1f} KB gzipped"
        for name, data in told
    )


def measure(lab: Lab, browser: Browser) -> None:
    """Print what the page says."""
    from tests.browser.lab import Tab

    for mode in MODES:
        tab = Tab(browser)
        print(stream(lab, tab, mode), flush=True)
        tab.fine()
        tab.page.context.close()
    tab = Tab(browser)
    print(first_token(lab, tab), flush=True)
    tab.fine()


def main() -> None:
    """Print all figures."""
    from benchmarks.in_browser import in_browser

    print(sizes())
    in_browser(measure)


if __name__ == "__main__":
    main()
