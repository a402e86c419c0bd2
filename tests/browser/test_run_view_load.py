"""Many live views at once, and one again and again: few messages, all of the text, no leak."""

from __future__ import annotations

import pytest

from tests.browser.lab import KERNEL, Lab, Tab
from tests.browser.watching import SETUP, measured, static

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKENS, RUNS = 3000, 8
EIGHT = f"""
async def talk(context):
    begin = time.perf_counter()
    for i in range({TOKENS}):
        yield f"{{time.time() * 1000:.0f}} "
        await asyncio.sleep(max(0, begin + (i + 1) / 300 - time.perf_counter()))
    await asyncio.sleep(1)
runs = [AgentRuntime(talk, max_iterations=1).start(ASK) for _ in range({RUNS})]
await asyncio.gather(*map(al.watch, runs));
"""
LISTEN = f"""() => {{
    window.messages = []; window.lags = []; window.bytes = 0; const read = new Map();
    {KERNEL}.iopubMessage.connect((_, m) => {{
        if (!m.header.msg_type.startsWith('comm_')) return;
        window.messages.push([performance.now(), m.header.msg_type]);
        window.bytes += JSON.stringify(m.content).length; }});
    const look = () => {{
        const now = Date.now();
        document.querySelectorAll('.agl-tail .agl-pre').forEach((pre, i) => {{
            const text = pre.textContent, from = read.get(i) ?? 0, to = text.lastIndexOf(' ') + 1;
            if (to > from) {{
                for (const stamp of text.slice(from, to).trim().split(' '))
                    window.lags.push(now - stamp);
                read.set(i, to); }} }});
        requestAnimationFrame(look); }};
    look(); }}"""


@pytest.mark.alone
def test_eight_streams_in_30_messages(lab: Lab, tab: Tab) -> None:
    """Eight runs of 300 tokens a second each: at most 30 messages, all of the text, and soon."""
    tab.open(lab, "eight.ipynb", SETUP, EIGHT)
    tab.page.evaluate(LISTEN)
    tab.run_all()
    tab.wait(f"window.lags.length >= {RUNS * TOKENS}", 60_000)
    static(tab)
    lags = sorted(tab.page.evaluate("window.lags"))
    messages = tab.page.evaluate("window.messages")
    times = [at for at, kind in messages if kind == "comm_msg"]
    most = max(sum(at <= other < at + 1000 for other in times) for at in times)
    p95 = lags[len(lags) * 95 // 100]
    size = tab.page.evaluate("window.bytes")
    measured(
        f"lag p50 {lags[len(lags) // 2]}, p95 {p95}, max {lags[-1]} ms;"
        f" {len(times)} messages, at most {most} a second, {size / 1e6:.2f} MB"
    )

    assert len(lags) == RUNS * TOKENS
    assert most <= 30
    assert p95 < 150
    assert "rate exceeded" not in tab.page.inner_text(".jp-Notebook")


TIMERS = """() => {
    window.timers = 0; const ours = new Set();
    const { setInterval, clearInterval } = window;
    window.setInterval = (...args) => {
        const timer = setInterval(...args);
        ours.add(timer); window.timers = ours.size;
        return timer; };
    window.clearInterval = (timer) => {
        clearInterval(timer);
        ours.delete(timer); window.timers = ours.size; }; }"""
WIDGETS = "from ipywidgets.widgets.widget import _instances\nprint(len(_instances))"


@pytest.mark.parametrize("runs", [50])
def test_reruns_leave_nothing(lab: Lab, tab: Tab, runs: int) -> None:
    """Re-running the cell fifty times leaves no growing count of listeners, nodes or timers.

    That is, no more than those of a cell that only shows a card; nor of widgets in the kernel.
    """
    left = {}
    for name, cell in (
        ("static", "display(await runtime(500).start(ASK));"),
        ("live", "await al.watch(runtime(500).start(ASK));"),
    ):
        tab.open(lab, f"{name}.ipynb", SETUP, cell, WIDGETS)
        tab.page.evaluate(TIMERS)
        cdp = tab.page.context.new_cdp_session(tab.page)
        cdp.send("Performance.enable")
        counts = []
        for i in range(runs + 5):
            tab.run_all()
            static(tab)
            if i in (4, runs + 4):
                tab.page.wait_for_timeout(500)
                cdp.send("HeapProfiler.collectGarbage")
                told = cdp.send("Performance.getMetrics")["metrics"]
                figures = {each["name"]: each["value"] for each in told}
                timers, widgets = tab.page.evaluate("window.timers"), tab.outputs()[-1]["text"]
                counts.append((figures["JSEventListeners"], figures["Nodes"], timers, int(widgets)))
        left[name] = tuple(int(b - a) for a, b in zip(*counts, strict=True))
    measured(f"after {runs} runs, listeners, nodes, timers and widgets more: {left}")

    assert left["live"][0] < left["static"][0] + runs // 2  # one a run would be twice that
    assert left["live"][1] <= left["static"][1] + 200
    assert left["live"][2:] == (0, 0)
