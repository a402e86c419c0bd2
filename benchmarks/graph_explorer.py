"""Frames a second of the explorer of graphs, in a real JupyterLab and a real Chromium.

    python benchmarks/graph_explorer.py [--rounds 3]

A graph of 500 and one of 5,000 elements is opened, moved for 90 frames by a pointer, and zoomed
for 90 by a wheel: the rate, and the longest gap but for one frame in twenty. The picture is drawn
by the processor, without WebGL. First the size of the bundle. Skipped where there is no Chromium.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab, Tab

SIZES = ((180, 320), (1800, 3200))
FEEL = """kind => new Promise(done => {
    const stage = document.querySelector('.agl-figure-of');
    const { left, top, width, height } = stage.getBoundingClientRect();
    const at = n => ({ pointerId: 1, bubbles: true, cancelable: true, button: 0,
        clientX: left + width / 2 + 80 * Math.sin(n / 9), clientY: top + height / 2 + n % 40 });
    const send = (name, n) => stage.dispatchEvent(name === 'wheel'
        ? new WheelEvent(name, { ...at(n), deltaY: n % 30 < 15 ? -12 : 12 })
        : new PointerEvent(name, at(n)));
    stage.setPointerCapture = () => {};
    send('pointerdown', 0);
    if (kind === 'wheel') send('pointerup', 0);
    const times = []; let n = 0;
    const frame = now => {
        times.push(now);
        send(kind, ++n);
        if (n < 90) return requestAnimationFrame(frame);
        send('pointerup', n);
        const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
        done([1000 * gaps.length / (times.at(-1) - times[0]), gaps[gaps.length * 0.95 | 0]]);
    };
    requestAnimationFrame(frame); })"""


def felt(lab: Lab, tab: Tab, nodes: int, edges: int, rounds: int) -> str:
    """Open a graph, move and zoom it, and tell how that went: the middle of the rounds."""
    from tests.browser.test_graph_explorer import GRAPHS, OPEN

    cells = (f"graph = made({nodes}, {edges})", "explorer = graph.explore()")
    tab.open(lab, "graph.ipynb", GRAPHS, *cells)
    tab.run_all()
    tab.wait(OPEN, 60_000)
    tab.page.locator(".agl-figure-of").scroll_into_view_if_needed()
    told = []
    for kind, doing in (("pointermove", "moved"), ("wheel", "zoomed")):
        tab.page.wait_for_timeout(1000)
        rates, gaps = zip(*(tab.page.evaluate(FEEL, kind) for _ in range(rounds)), strict=True)
        rate, gap = statistics.median(rates), statistics.median(gaps)
        told.append(f"{rate:.0f} frames a second while {doing} (p95 {gap:.0f} ms)")
    return f"{nodes + edges:,} elements: {', '.join(told)}"


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    bundle = (ROOT / "agentlab/static/graph_explorer.js").read_bytes()
    print(
        f"bundle: {len(bundle) / 1000:.1f} KB, {len(gzip.compress(bundle)) / 1000:.1f} KB gzipped"
    )

    def measure(lab: Lab, browser: Browser) -> None:
        from tests.browser.lab import Tab

        for nodes, edges in SIZES:
            tab = Tab(browser)
            print(felt(lab, tab, nodes, edges, rounds), flush=True)
            tab.fine()
            tab.page.context.close()

    from benchmarks.in_browser import in_browser

    in_browser(measure)


if __name__ == "__main__":
    main()
