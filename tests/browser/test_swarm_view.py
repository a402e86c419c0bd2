"""The live view of a swarm, in a real JupyterLab and a real browser."""

from __future__ import annotations

import pytest

from tests.browser.gathering import (
    COMPANY,
    LIVE,
    SHORT,
    cases,
    comes_back,
    narrowed,
    sound,
    stopped,
)
from tests.browser.lab import KERNEL, Lab, Tab
from tests.browser.watching import CARD, measured, static

pytestmark = pytest.mark.browser

ROWS = f"[...document.querySelectorAll('{LIVE} .agl-portion')]"
SPEAKING = f"{ROWS}.filter(x => x.querySelector('bdi').textContent.length > 20).length"
SENT = f"""() => {{
    window.sent = []; // as the kernel dates it: a busy page hears several at once
    {KERNEL}.iopubMessage.connect((_, m) => {{
        if (m.header.msg_type === 'comm_msg')
            window.sent.push(Date.parse(m.header.date)); }}); }}"""
LONG = "swarm({n}, infer=talker(8, 2000))"
SOME = """
async def uneven(agent, prompt):
    for i in range(12 if agent in ("alice", "bob") else 2000):
        await asyncio.sleep(.1)
        yield f"{WORDS[i % len(WORDS)]} "
    if agent == "bob":
        raise ConnectionError("no line")
"""


@pytest.mark.parametrize(("n", "width"), cases((16, 1000)))
def test_live_then_card(lab: Lab, tab: Tab, n: int, width: int) -> None:
    """A line a part, each says the end of what is said; then the card is there."""
    narrowed(tab, lab, "swarm.ipynb", width, f"s = await al.watch(swarm({n}, infer=talker(8, 24)))")
    tab.run_all()
    tab.wait(f"{SPEAKING} === {n}", SHORT)
    sound(tab)
    tab.shot(f"swarm-{n}-{width}")
    bar = tab.page.locator(f"{LIVE} [role=progressbar]")
    assert bar.get_attribute("aria-valuemax") == str(n)
    assert f"{n} at work" in tab.page.inner_text(LIVE)
    static(tab)

    assert "SWARM" in tab.page.inner_text(CARD)
    assert f"{n} of {n}" in tab.page.inner_text(CARD)
    sound(tab)


def test_what_fails_and_what_is_cancelled(lab: Lab, tab: Tab) -> None:
    """One fails; once there is enough the rest is cancelled, and the card says why."""
    watched = "s = await al.watch(swarm(6, infer=uneven, convergence_threshold=.15))"
    tab.open(lab, "some.ipynb", COMPANY + SOME, watched)
    tab.page.evaluate("""() => { window.seen = new Set();
        const look = () => {
            for (const x of document.querySelectorAll('.agl-live .agl-portion'))
                window.seen.add(`${x.querySelector('b').textContent}: ${x.classList[2]}`);
            requestAnimationFrame(look); };
        look(); }""")
    tab.run_all()
    static(tab)
    seen = set(tab.page.evaluate("[...window.seen]"))

    assert {"alice: running", "carol: running"} <= seen
    assert "cancelled: 1 of 1 needed had succeeded" in tab.page.inner_text(CARD)
    assert "1 of 6" in tab.page.inner_text(CARD)


@pytest.mark.slow
def test_stop_in_the_middle(lab: Lab, tab: Tab) -> None:
    """Stopped, it leaves the card of the run."""
    tab.open(lab, "stop.ipynb", COMPANY, f"await al.watch({LONG.format(n=16)})")
    tab.run_all()
    tab.wait(f"{SPEAKING} === 16", SHORT)
    stopped(tab)


@pytest.mark.slow
def test_reload_in_the_middle(lab: Lab, tab: Tab) -> None:
    """A page that loads again has every part, and goes on."""
    tab.open(lab, "again.ipynb", COMPANY, f"handle = {LONG.format(n=8)}\nhandle")
    tab.run_all()
    tab.wait(f"{SPEAKING} === 8", SHORT)
    comes_back(tab, f"{SPEAKING} === 8")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["debate", "team", "swarm"])
def test_sixteen_streams_in_30_messages(lab: Lab, tab: Tab, kind: str) -> None:
    """Sixteen agents that stream at once, sixty tokens a second each: at most 30 messages."""
    tab.open(lab, "many.ipynb", COMPANY, f"await al.watch({kind}(16, infer=talker(60, 240)));")
    tab.page.evaluate(SENT)
    tab.run_all()
    tab.page.wait_for_selector(LIVE, timeout=SHORT)
    static(tab)
    times = tab.page.evaluate("window.sent")
    most = max(sum(at <= other < at + 1000 for other in times) for at in times)
    measured(f"{kind}: {len(times)} messages, at most {most} a second")

    assert 5 < most <= 30
    assert "rate exceeded" not in tab.page.inner_text(".jp-Notebook")
