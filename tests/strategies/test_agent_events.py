"""What an agent says from afar, to the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue
from agentlab.models.sse import SseParser
from agentlab.strategies.agent_events import AgentEvent

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
EVENTS = (
    st.builds(AgentEvent.Action, TEXT, JSON)
    | st.builds(AgentEvent.Thought, TEXT)
    | st.builds(AgentEvent.Observation, TEXT)
    | st.builds(AgentEvent.Result, TEXT)
    | st.builds(AgentEvent.Error, TEXT)
)


@pytest.mark.parametrize(
    ("event", "json"),
    [
        (AgentEvent.Thought("hm"), '{"type":"thought","content":"hm"}'),
        (
            AgentEvent.Action("search", {"q": "é", "n": [1, None]}),
            '{"type":"action","tool":"search","input":{"q":"é","n":[1,null]}}',
        ),
        (AgentEvent.Observation("a\nb"), '{"type":"observation","content":"a\\nb"}'),
        (AgentEvent.Result("42"), '{"type":"result","content":"42"}'),
        (AgentEvent.Error("down"), '{"type":"error","content":"down"}'),
    ],
)
def test_the_envelope(event: AgentEvent, json: str) -> None:
    """Each kind has its JSON, to the letter, and is one event of a stream."""
    assert event.to_json() == json
    assert event.to_sse() == f"data: {json}\n\n"
    assert AgentEvent.from_sse(event.to_sse()) == event
    assert AgentEvent.from_json(json) == event
    assert AgentEvent.from_dict(event.to_dict()) == type(event).from_dict(event.to_dict()) == event


def test_results_and_errors_are_terminal() -> None:
    """The other three are not."""
    kinds = (AgentEvent.Thought, AgentEvent.Observation, AgentEvent.Result, AgentEvent.Error)

    assert [kind("x").is_terminal() for kind in kinds] == [False, False, True, True]
    assert not AgentEvent.Action("x", None).is_terminal()


def test_events_are_shown() -> None:
    """One line of text; HTML with what is in them escaped."""
    event = AgentEvent.Thought("<script>")

    assert repr(event) == "ThoughtEvent(content='<script>')"
    assert "<script>" not in event.to_html()
    assert "&lt;script&gt;" in event.to_html()


@pytest.mark.parametrize("odd", "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
def test_what_others_take_for_a_line_end_is_escaped(odd: str) -> None:
    """So that a reader which splits at more than it should reads it all the same."""
    frame = AgentEvent.Action(f"a{odd}b", {odd: odd}).to_sse()

    assert odd not in frame.removesuffix("\n\n")
    assert AgentEvent.from_sse(frame).to_dict()["input"] == {odd: odd}


def test_lone_surrogates_are_replaced() -> None:
    """Which could not be written; so an event equals what is read of it."""
    assert AgentEvent.Thought("\ud800x") == AgentEvent.Thought("\ufffdx")
    assert AgentEvent.Action("\ud800", "\ud800") == AgentEvent.Action("\ufffd", "\ufffd")


@given(EVENTS)
def test_what_is_written_is_read(event: AgentEvent) -> None:
    """Whatever is in it, an event is one line to everybody, and comes back equal."""
    frame = event.to_sse()

    assert len(frame.splitlines()) == 2
    assert frame.endswith("\n\n")
    assert AgentEvent.from_sse(frame) == event
    assert AgentEvent.from_sse(frame.encode()) == event


@given(st.lists(EVENTS, max_size=5), st.integers(1, 7))
def test_a_stream_of_them_is_read(said: list[AgentEvent], step: int) -> None:
    """Several in one stream, in pieces of any length, come back in order."""
    raw = "".join(event.to_sse() for event in said).encode()
    parser = SseParser()
    found = [e for at in range(0, len(raw), step) for e in parser.feed(raw[at : at + step])]

    assert [AgentEvent.from_json(each.data) for each in found] == said
    assert parser.close() is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '"thought"', "NaN", "{}", '{"type":"token","content":"x"}',
        '{"type":"thought"}', '{"type":"thought","content":3}', '{"type":"action","input":1}',
        b"\xff", "\ud800", "[" * 100_000, '{"type":"thought","content":"\\ud800"}',
        '{"type":"action","tool":"t","input":' + "[" * 200 + "]" * 200 + "}",
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(text: str | bytes) -> None:
    """By a message that is about the text, and not long."""
    with pytest.raises(InvalidValue, match=r"^not the (JSON|data) of an agent's event") as caught:
        AgentEvent.from_json(text)
    assert len(str(caught.value)) < 500


def test_what_is_not_one_event_is_refused() -> None:
    """Nor is it where the frame has none, two, or half of one; a comment beside it is fine."""
    frame = AgentEvent.Thought("x").to_sse()
    for wrong in ("", ": ping\n\n", frame * 2, frame[:-1], frame + "data", frame[6:]):
        with pytest.raises(InvalidValue, match="not one event of an event stream"):
            AgentEvent.from_sse(wrong)
    assert AgentEvent.from_sse(f": 3 lost\n\n{frame}") == AgentEvent.Thought("x")
    with pytest.raises(InvalidValue, match=r"^not the data of a ResultEvent: .*'thought'"):
        AgentEvent.Result.from_sse(frame)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**5000], ids=["nan", "inf", "big"])
def test_an_input_is_json(value: object) -> None:
    """What JSON has no word for is refused; what is only not plain becomes plain."""
    with pytest.raises(InvalidValue):
        AgentEvent.Action("t", {"x": [value]})

    assert AgentEvent.Action("t", (1, {2: "\ud800"})).to_dict()["input"] == [1, {"2": "\ufffd"}]
