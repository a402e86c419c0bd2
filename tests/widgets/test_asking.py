"""What a page is asked about a call that waits, and what comes of its answer, without a page."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core import events
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Approve, Edit, Refuse
from agentlab.core.secrets import MASK, Scrubber, scrubber
from agentlab.core.trace import Trace
from agentlab.display.html import ODD
from agentlab.handle import RunHandle
from agentlab.widgets.asking import MOST, Asking, hidden, presented, restored
from agentlab.widgets.coalescer import Coalescer, presentable
from agentlab.widgets.run_view import RunView
from agentlab.widgets.story import Story

KEY = "sk-ant-" + "a" * 24
ARGS = {"to": "Ada", "text": f"my key is {KEY}, and\u202e more", "n": 3}


def asking(args: Any, *more: events.Event) -> Asking:
    """Give what is asked about one call, and what was said after it."""
    trace, asked = Trace(clock=FakeClock()), Asking()
    for event in (events.AwaitingApproval(2, "send", args), *more):
        trace.emit(event, run="r")
        asked.take(trace.entries[-1], "writer")
    return asked


def cell(args: Any) -> Any:
    """Give the question as a page has it."""
    news = presentable(asking(args).news(), scrubber())
    assert news["asks"] == [1]
    return news["q1"]


def edited(args: Any, text: str) -> Any:
    """Edit on the page; give with what it is called."""
    call, verdict = asking(args).answer({"type": "answer", "no": 1, "answer": "edit", "args": text})
    assert call == "r:2"
    return verdict.args if isinstance(verdict, Edit) else verdict


def test_what_a_page_sees() -> None:
    """Whose call, of what, with what, laid out; keys are hidden, and what lies is written out."""
    shown = cell(ARGS)

    assert (shown["agent"], shown["tool"], shown["fixed"]) == ("writer", "send", "")
    assert shown["args"] == json.dumps(
        {"to": "Ada", "text": f"my key is {MASK}, and\u202e more", "n": 3},
        indent=2, ensure_ascii=False,
    ).replace("\u202e", "\\u202e")  # fmt: skip
    assert json.loads(shown["args"])["text"] == f"my key is {MASK}, and\u202e more"


def test_answers() -> None:
    """Each of the three, and edited to what it was is approved."""
    asked = asking(ARGS)
    assert asked.answer({"no": 1, "answer": "approve"}) == ("r:2", Approve())
    assert asked.answer({"no": 1, "answer": "refuse", "reason": "no"}) == ("r:2", Refuse("no"))
    assert edited(ARGS, cell(ARGS)["args"]) == Approve()
    assert edited(ARGS, json.dumps({"to": "Eve"})) == {"to": "Eve"}


def test_a_hidden_part_that_is_left_alone_is_what_it_was() -> None:
    """Whatever else is changed beside it, deeper too."""
    for change in ({"to": "Eve"}, {"n": 4}, {"new": [1]}):
        shown = {**json.loads(cell(ARGS)["args"]), **change}
        assert edited(ARGS, json.dumps(shown)) == {**ARGS, **change}
    deep = {"a": [{"b": KEY, "c": 1}, 2]}
    text = cell(deep)["args"].replace('"c": 1', '"c": 9')
    assert edited(deep, text) == {"a": [{"b": KEY, "c": 9}, 2]}
    gone = {key: value for key, value in json.loads(cell(ARGS)["args"]).items() if key != "n"}
    assert edited(ARGS, json.dumps(gone)) == {key: ARGS[key] for key in ("to", "text")}


@pytest.mark.parametrize(
    "change",
    [{"text": f"your key is {MASK}"}, {"copy": f"my key is {MASK}, and"}, {"text": [MASK]}],
)
def test_what_is_hidden_is_never_sent_as_stars(change: dict[str, Any]) -> None:
    """Whoever writes into it, or moves it, is told that; to replace all of it is fine."""
    shown = json.loads(cell(ARGS)["args"])
    with pytest.raises(InvalidValue, match=r"hidden as \*\*\* can be left as it is, or replaced"):
        edited(ARGS, json.dumps({**shown, **change}))
    assert edited(ARGS, json.dumps({**shown, "text": "mine"})) == {**ARGS, "text": "mine"}
    plain = {"text": "so ***bold***"}
    assert edited(plain, '{"text": "***very*** bold"}') == {"text": "***very*** bold"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"to": Eve}', "not JSON: Expecting value, line 1, column 8"),
        ("", "not JSON"),
        ('{"n": NaN}', "NaN is not a JSON number"),
        ('{"n": 1e999}', "inf is not a JSON number"),
        ("[1]", "arguments are an object"),
        ("[" * 5000 + "]" * 5000, "nested"),
    ],
)
def test_what_cannot_be_arguments(text: str, why: str) -> None:
    """Is refused, with what is wrong; the question stays open, and says so, as often as it is."""
    asked = asking(ARGS)
    message = {"no": 1, "answer": "edit", "args": text}
    for tries in (1, 2):
        with pytest.raises(InvalidValue, match=why) as caught:
            asked.answer(message)
        asked.wrong(message, str(caught.value))
        news = asked.news()
        assert (news["q1"]["tries"], news["asks"]) == (tries, [1])
        assert why in news["q1"]["wrong"]


@pytest.mark.parametrize(
    "message",
    [{}, {"no": 2, "answer": "approve"}, {"no": [], "answer": "approve"}, {"no": 1},
     {"no": 1, "answer": "edit"}, {"no": 1, "answer": "refuse", "reason": 3}],
)  # fmt: skip
def test_messages_that_answer_nothing(message: dict[str, Any]) -> None:
    """Approve nothing."""
    with pytest.raises(InvalidValue):
        asking(ARGS).answer(message)


def test_what_cannot_be_changed_on_a_page() -> None:
    """What is very long, and where the name of an argument is a key: it can be approved only."""
    long = {"text": "x" * MOST}
    assert "too long" in cell(long)["fixed"]
    assert f"{len(json.dumps(long, indent=2)):,} characters: handle.pending()" in cell(long)["args"]
    named = {KEY: 1, "a": 2}
    assert "cannot be told apart" in cell(named)["fixed"]
    with pytest.raises(InvalidValue, match="cannot be told apart"):
        edited(named, "{}")


def test_a_number_that_is_a_key() -> None:
    """Is hidden too, and the text is JSON all the same."""
    scrub = Scrubber(["1234567890"])
    shown, text, why_not = presented({"pin": 1234567890, "on": True, "none": None}, scrub)
    assert (json.loads(text), why_not) == (shown, "")
    assert shown == {"pin": MASK, "on": True, "none": None}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from([KEY, f"a {KEY} b", MASK]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)  # fmt: skip


@given(JSON, JSON)
def test_what_is_shown_can_be_sent_back(args: Any, other: Any) -> None:
    """Untouched it is what it was, whatever it is; beside something new, too; no key is shown."""
    scrub = scrubber()
    shown, text, why_not = presented(args, scrub)
    assert KEY not in text
    assert not ODD.search(text)
    if why_not:
        return
    back = json.loads(text)
    assert restored(args, shown, back) == args
    whole, seen = {"a": args, "b": 1}, {"a": shown, "b": 1}
    assert hidden(whole, scrub) == seen
    if MASK not in json.dumps(other):
        assert restored(whole, seen, {"a": back, "c": other}) == {"a": args, "c": other}


@pytest.mark.parametrize(
    "end", [events.Reviewed(2, "approved"), events.RunEnded("stopped")], ids=["reviewed", "ended"]
)
def test_a_question_goes(end: events.Event) -> None:
    """With its answer, or its run; of what is new, all is said once."""
    asked = asking(ARGS)
    assert asked.chip()
    asked.news()
    assert asked.news() == {}

    asked = asking(ARGS, end)
    assert asked.news() == {"q1": None, "asks": []}
    assert asked.chip() is None


def test_in_the_story_of_a_run() -> None:
    """A page that comes late has the open questions, of all runs of the tree, and the state."""
    trace, story = Trace(clock=FakeClock()), Story()
    config = al.AgentConfig(1, "m").to_dict()
    trace.emit(events.RunStarted("lead", "?", "m", "s", config), run="r")
    trace.emit(events.AwaitingApproval(1, "send", {}), run="r")
    trace.emit(events.AwaitingApproval(1, "send", {"n": 1}), run="r/helper#1", parent="r")
    for entry in trace.entries:
        story.take(entry)
    cells = story.news()

    assert [cells[name]["agent"] for name in ("q1", "q2")] == ["lead", "helper#1"]
    assert cells["asks"] == [1, 2]
    assert (cells["now"]["hue"], cells["now"]["word"]) == ("warn", "2 calls wait for your answer")
    assert cells["c0"]["word"] == "asks for send"


class Page(RunView):
    """A view that knows what its page has been told."""

    def changes(self) -> dict[str, Any]:
        self.told: dict[str, Any] = {**getattr(self, "told", {}), **super().changes()}
        return {}

    def cell(self, name: str) -> Any:
        """Give a cell as it is now."""
        self.changes()
        return self.told.get(name)


def test_the_view_answers_the_handle() -> None:
    """A button's message becomes an answer; what is wrong with it comes back to the page."""
    called: list[str] = []

    @al.tool(inline=True)
    def send(to: str) -> str:
        """Send a letter."""
        called.append(to)
        return "sent"

    async def main() -> None:
        model = al.ScriptedModel('Action: send {"to": "Ada"}', "Action: FINAL_ANSWER 42")
        handle: RunHandle = al.AgentRuntime(model, tools=[send]).start("?", approve=True)
        view = Page(handle.stop, answer=handle.answer, coalescer=Coalescer(0.005))
        handle.trace.attach(view)
        async with asyncio.timeout(5):
            while not handle.pending():  # noqa: ASYNC110 - as a user would
                await asyncio.sleep(0.001)
        assert view.answers
        assert view.cell("q1")["tries"] == 0
        view.asked({"type": "answer", "no": 1, "answer": "edit", "args": "{"})
        assert "not JSON" in view.cell("q1")["wrong"]
        view.asked({"type": "answer", "no": 9, "answer": "approve"})
        assert handle.pending()
        view.asked({"type": "answer", "no": 1, "answer": "edit", "args": '{"to": "Eve"}'})
        view.asked({"type": "answer", "no": 1, "answer": "approve"})  # twice, from a second page
        assert (await handle).final_answer() == "42"
        assert (view.cell("asks"), view.cell("q1")) == ([], None)
        view.close()

    asyncio.run(main())
    assert called == ["Eve"]


def test_a_view_that_cannot_answer() -> None:
    """Shows what waits, and takes no answer."""

    async def main() -> None:
        view = RunView(coalescer=Coalescer(0.005))
        assert not view.answers
        view.asked({"type": "answer", "no": 1, "answer": "approve"})
        view.close()

    asyncio.run(main())
