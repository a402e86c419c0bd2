"""A watched run in a kernel that is busy, is interrupted, or has a real model in it."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.browser.lab import Lab, Tab
from tests.browser.watching import CARD, SETUP, TAIL, measured, over, static

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BLOCKED = """
try:
    AgentRuntime(forever).run_sync(ASK)
except KeyboardInterrupt:
    print("interrupted")"""
NEXT = """
session = await al.watch(runtime(400).start(ASK))
assert runtime(4000).run_sync(ASK).final_answer() == session.final_answer()"""


def test_interrupting_a_blocking_call(lab: Lab, tab: Tab) -> None:
    """In a sync call, documented: interrupt the kernel. The portal stays usable, and a view too.

    A run that was watched meanwhile, on the portal as well, is not the one that was meant.
    """
    start = "other = AgentRuntime(forever).start(ASK, background=True)\nother"
    check = "assert not other.done()\nother.stop()\nawait other.over()"
    tab.open(lab, "blocked.ipynb", SETUP, start, BLOCKED, NEXT, check)
    tab.run_all()
    tab.wait(f"{TAIL}?.includes('word60 ')", 30_000)  # said while the kernel is blocked
    tab.do("notebook:interrupt-kernel")
    static(tab)
    tab.wait(f"[...document.querySelectorAll('{CARD}')].length === 2")

    assert [o["text"] for o in tab.outputs() if "text" in o] == ["interrupted\n"]
    assert tab.bad_outputs() == []
    assert "stopped" in tab.page.inner_text(f"{CARD} >> nth=0")
    assert "answered" in tab.page.inner_text(f"{CARD} >> nth=1")


def test_stop_during_run_all(lab: Lab, tab: Tab) -> None:
    """With later cells waiting the run ends and they run; with one of them busy, once it is not.

    The press is neither lost nor an error.
    """
    cells = (
        "await al.watch(AgentRuntime(forever).start(ASK));",
        "first = AgentRuntime(forever).start(ASK)\nfirst",
        "print('later')\nawait asyncio.sleep(.5)",
        "begun = time.monotonic()\nwhile time.monotonic() < begun + 3: pass",
        "await asyncio.wait_for(first.over(), 5)\nprint(first.session.stop_reason)",
    )
    tab.open(lab, "stops.ipynb", SETUP, *cells)
    tab.run_all()
    tab.wait(f"{TAIL}?.includes('word9 ')")
    tab.page.locator("button.stop").click()
    tab.page.wait_for_selector(f"{CARD}:has-text('stopped')")
    tab.wait(f"document.querySelectorAll('{CARD}').length === 1 && {TAIL}?.includes('word9 ')")
    tab.page.wait_for_timeout(600)  # the busy cell has begun
    tab.page.locator("button.stop").click()
    assert tab.page.inner_text("button.stop") == "Stopping…"
    over(tab)
    static(tab)

    assert [o["text"] for o in tab.outputs() if "text" in o] == ["later\n", "stopped\n"]
    assert tab.bad_outputs() == []


TALE = """
import os
from agentlab import AgentRuntime, AgentConfig
class Tale:
    strategy_name = "tale"
    async def __call__(self, run, goal):
        async for _ in run.stream(goal, max_tokens={tokens}):
            pass
        return al.AgentSession()
lab = AgentRuntime("local")
print(os.getpid())
handle = lab.start("Once upon a time there was a", strategy=Tale())
await al.watch(handle);"""
LISTEN = """() => {
    window.grown = [];
    const look = () => {
        const length = document.querySelector('.agl-tail .agl-pre')?.textContent.length ?? 0;
        if (length && length !== window.grown.at(-1)?.[1])
            window.grown.push([performance.now(), length]);
        requestAnimationFrame(look); };
    look(); }"""


def cpu(pid: int) -> float:
    """Give the CPU seconds that a process has used, all threads together."""
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.alone
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_the_embedded_model(lab: Lab, tab: Tab) -> None:
    """Tokens are seen while they come, and Stop stops the engine: within a second it is idle."""
    pytest.importorskip("xllamacpp")
    tab.open(lab, "embedded.ipynb", SETUP, TALE.format(tokens=1500))
    tab.page.evaluate(LISTEN)
    tab.run_all()
    tab.wait("window.grown.length > 30", 120_000)
    (pid,) = [int(o["text"]) for o in tab.outputs() if o.get("name") == "stdout"]
    busy, began = cpu(pid), time.monotonic()
    tab.page.wait_for_timeout(1000)
    busy = (cpu(pid) - busy) / (time.monotonic() - began)
    tab.page.locator("button.stop").click()
    tab.page.wait_for_timeout(1000)
    idle, began = cpu(pid), time.monotonic()
    tab.page.wait_for_timeout(1000)
    idle = (cpu(pid) - idle) / (time.monotonic() - began)
    static(tab)
    grown = tab.page.evaluate("window.grown")
    took = (grown[-1][0] - grown[0][0]) / 1000
    measured(f"embedded: seen to grow {len(grown)} times in {took:.1f} s, cores busy while it"
             f" speaks {busy:.2f}, a second after Stop {idle:.2f}")  # fmt: skip

    assert took > 1
    assert max(after - before for (_, before), (_, after) in pairwise(grown)) < 200
    assert busy > 0.5
    assert idle < 0.1
    assert "stopped" in tab.page.inner_text(CARD)
