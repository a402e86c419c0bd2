"""How soon, and in how many messages, sixteen agents that speak at once are seen in a page.

Each says the time, again and again; a script in the page notes when the newest is there, in the
views of a debate, a team and a swarm. Skipped where there is no Chromium.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab, Tab

AGENTS, RATE, WORDS = 16, 60, 480
SAY = f"""
async def clock(agent, prompt):
    begin = time.perf_counter()
    for i in range({WORDS}):
        yield f"{{time.time() * 1000:.0f}} "
        await asyncio.sleep(max(0, begin + (i + 1) / {RATE} - time.perf_counter()))
"""
SPEAK = {
    "debate": "debate({n}, rounds=1, infer=clock, enable_peer_scoring=False)",
    "team": "team({n}, infer=clock, topology='mesh', consensus='majority')",
    "swarm": "swarm({n}, infer=clock)",
}
LOOK = """() => {
    window.messages = []; window.bytes = 0; window.lags = []; const read = new Map();
    window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.iopubMessage.connect(
        (_, m) => {
            if (m.header.msg_type !== 'comm_msg') return;
            window.messages.push(Date.parse(m.header.date)); // a busy page hears some at once
            window.bytes += JSON.stringify(m.content).length; });
    window.frames_ = []; let before = performance.now();
    const look = () => {
        const now = Date.now(), at = performance.now();
        window.frames_.push(at - before); before = at;
        document.querySelectorAll('.agl-live :is(.agl-argued .agl-grows, bdi)').forEach((el, i) => {
            const last = Number(el.textContent.trim().split(' ').at(-2));
            if (!(last > (read.get(i) ?? 1e12))) return; // the whole argument begins anew
            read.set(i, last);
            window.lags.push(now - last); });
        requestAnimationFrame(look); };
    look(); }"""


def stream(lab: Lab, tab: Tab, kind: str) -> str:
    """Let them speak, and tell what was seen of it."""
    from tests.browser.gathering import COMPANY

    work = SPEAK[kind].format(n=AGENTS)
    tab.open(lab, f"{kind}.ipynb", COMPANY + SAY, f"await al.watch({work});")
    tab.page.evaluate(LOOK)
    tab.run_all()
    tab.idle()
    lags = sorted(tab.page.evaluate("window.lags"))
    times = tab.page.evaluate("window.messages")
    frames = sorted(tab.page.evaluate("window.frames_"))
    most = max(sum(at <= other < at + 1000 for other in times) for at in times)
    size = tab.page.evaluate("window.bytes")
    return (
        f"{kind}, {AGENTS} agents, {RATE} tokens/s each: {len(times)} messages, at most {most} in a"
        f" second, {size / len(times) / 1000:.1f} KB each; lag p50 {lags[len(lags) // 2]:.0f},"
        f" p95 {lags[len(lags) * 95 // 100]:.0f}, max {lags[-1]:.0f} ms;"
        f" a frame p95 {frames[len(frames) * 95 // 100]:.0f} ms"
    )


def measure(lab: Lab, browser: Browser) -> None:
    """Print what the page says."""
    from tests.browser.lab import Tab

    for kind in SPEAK:
        tab = Tab(browser)
        load = os.getloadavg()[0]
        print(f"{stream(lab, tab, kind)}; load {load:.1f}", flush=True)
        tab.fine()
        tab.page.context.close()


def main() -> None:
    """Print all figures."""
    from benchmarks.in_browser import in_browser

    in_browser(measure)


if __name__ == "__main__":
    main()
