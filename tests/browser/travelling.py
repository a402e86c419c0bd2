"""What the tests of the trace explorer have in common: cells that make traces, and questions."""

from __future__ import annotations

from typing import Any

from tests.browser.lab import KERNEL, Tab
from tests.browser.watching import SETUP

FAMILY = (
    SETUP
    + '''
from agentlab.core.events import Argued, Hit, Phase, Recalled
from agentlab.strategies.react import ReAct
class Debate:
    """Two debaters, and whoever decides."""
    strategy_name = "debate"
    def __init__(self, rate=4000):
        self.rate = rate
    async def __call__(self, run, goal):
        run.emit(Recalled((Hit("1", "Lyon lies on two rivers.", .8),)))
        for name in ("Alice", "Bob"):
            run.emit(Phase("turn", name))
            await ReAct()(run.child(name, model=script(self.rate)), goal)
            run.emit(Argued(1, name, f"It is 875000, says {name}."))
        return await ReAct()(run, goal)
async def debate(rate=4000, **options):
    lab = AgentRuntime(script(rate), tools=[population], **options)
    return await lab.start("Monolith or microservices?", strategy=Debate(rate))
'''
)
LARGE = '''
from datetime import UTC, datetime, timedelta
from agentlab.core import events as ev
from agentlab.core.events import Entry, ReActStep
from agentlab.core.protocols import Usage

def told(count, tokens):
    """Give the entries of a run of many steps, one of fifty of which fails."""
    told, began, words = [], datetime(2030, 1, 1, tzinfo=UTC), [f"w{i} " for i in range(tokens)]
    def say(event):
        offset = len(told) / 100
        told.append(Entry("r", None, len(told), began + timedelta(seconds=offset), offset, event))
    say(ev.RunStarted("walker", "Walk!", "m", "react", {}))
    call = length = step = 0
    while len(told) < count - 1:
        added = f"Observation: {step}\\n"
        say(ev.Asked(call + 1, None if call else "sys", call - 1 if call else None, length, length,
                     added, None if call else {}))
        length += len(added)
        for word in words:
            say(ev.Token(call + 1, word))
        say(ev.Answered(call + 1, "".join(words), Usage(10, tokens)))
        say(ev.Thought("On."))
        say(ev.ToolStarted(call + 2, "walk", {"to": step}))
        bad = ("refused", "transient") if step % 50 == 7 else (None, None)
        say(ev.ToolEnded(call + 2, not bad[0], None if bad[0] else {"at": step}, *bad, 1.0))
        seen = '{"data":1,"ok":true}'
        say(ev.StepEnded(ReActStep("On.", "walk", seen, step, "walk", {"to": step}, bad[1], 9)))
        call, step = call + 2, step + 1
    say(ev.RunEnded("final_answer", "there"))
    return told

def kept(count, tokens, path="large.jsonl"):
    """Keep them in a journal, and read it."""
    from pathlib import Path
    Path(path).unlink(missing_ok=True)
    with al.Journal(path, sync=False) as journal:
        for entry in told(count, tokens):
            journal(entry)
    began = time.perf_counter()
    trace = al.load(path)
    return trace, time.perf_counter() - began
'''
ROWS = ".agl-rows > [role=row]"
OPEN = "document.querySelectorAll('.agl-rows > [role=row]').length > 0"


def answer(tab: Tab, expression: str) -> Any:
    """Ask the kernel something, as a next cell would."""
    told = tab.page.evaluate(
        f"""async (code) => {{
            const asked = {KERNEL}.requestExecute(
                {{ code: '', user_expressions: {{ said: code }}, store_history: false }});
            return (await asked.done).content.user_expressions.said; }}""",
        expression,
    )
    assert told["status"] == "ok", told
    return told["data"]["text/plain"]


def until(tab: Tab, expression: str, wanted: str) -> None:
    """Wait until the kernel gives what is wanted."""
    for _ in range(50):
        if (said := answer(tab, expression)) == wanted:
            return
        tab.page.wait_for_timeout(100)
    raise AssertionError(f"{expression} is {said}, not {wanted}")


def detail(tab: Tab) -> str:
    """Read what is told of the selected thing."""
    return str(tab.page.inner_text(".agl-detail"))


def picked(tab: Tab) -> str:
    """Read the selected row."""
    return str(tab.page.inner_text(f"{ROWS}[aria-selected=true]"))
