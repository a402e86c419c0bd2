"""How sure a model was: seen at once, readable without the sheet, and said in words."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.session import AgentSession
from agentlab.display import mimebundle, view
from agentlab.models.function import FunctionModel
from agentlab.runtime import AgentRuntime
from agentlab.strategies.streaming_session import (
    HeardToken,
    HeardTokens,
    StreamingSession,
    StreamingStep,
)
from agentlab.strategies.tokens import InferenceToken
from tests.display.test_sizes import best
from tests.display.things import Reader, heard, spoken, streams
from tests.strategies.streams import Stub

STREAMS = streams()
MINUS = "\N{MINUS SIGN}"
SAID = [
    ("Thought", -0.01), (":", None), (" Is", -0.3), (" it", -1.0), ("?", -2.0), ("\n", -0.01),
    ("Action", -0.01), (": FINAL_ANSWER", -0.01), (" 42", -4.0),
]  # fmt: skip


def run() -> StreamingSession:
    """Give what was heard of a run whose model says how likely each token was."""
    model = Stub([InferenceToken.of(*each) for each in SAID])
    return StreamingSession.of(AgentRuntime(model).run_sync("What?"))


def line(shown: Any) -> str:
    """Give what a card says."""
    return Reader(view(shown)).line


def elements(shown: Any) -> list[tuple[str, str]]:
    """Give the tokens of a card: element and class."""
    tags = Reader(view(shown)).tags
    return [
        (tag, attrs["class"]) for tag, attrs in tags if "agl-tok" in attrs.get("class", "").split()
    ]


def test_each_token_is_shaded() -> None:
    """By how likely it was; what is less likely than not is underlined, with or without a sheet."""
    assert elements(run()) == [
        ("span", "agl-tok"), ("span", "agl-tok"), ("span", "agl-tok p3"), ("u", "agl-tok p2"),
        ("u", "agl-tok p1"), ("span", "agl-tok"),
        ("span", "agl-tok"), ("span", "agl-tok"), ("u", "agl-tok p0"),
    ]  # fmt: skip


def test_the_header_says_how_sure_it_was() -> None:
    """On the whole: tokens, mean log-probability, and how many have none."""
    said = line(run())

    assert f"1 step · 9 tokens · mean log p {MINUS}0.92 (40% a token, 1 without)" in said
    assert "answered" in said
    assert "asked What? answer 42" in said


@pytest.mark.parametrize("shown", [STREAMS["no logprobs"], STREAMS["no logprobs"].tokens])
def test_no_logprobs(shown: Any) -> None:
    """Are said to be missing, not guessed: nothing is shaded, and there is no table."""
    assert "no log-probabilities" in line(shown)
    assert "mean" not in line(shown)
    assert {name for _, name in elements(shown)} == {"agl-tok"}
    assert "<table" not in view(shown)


def test_the_least_sure_tokens_are_told_in_words() -> None:
    """Each with its probability, what else the model thought of, and where it is."""
    tokens = HeardTokens(
        [
            HeardToken(0, 0, " Lyon", -0.1, {" Lyon": -0.1, " Nice": -2.5}),
            HeardToken(0, 1, " is\n", -2.3, {" was": -0.2, " is\n": -2.3, ",": -4.0}),
            HeardToken(0, 2, "big", 0.0),
        ]
    )
    said = line(tokens)

    assert "The 2 least likely of 3 tokens." in said
    assert f"␣is↵ 10% ␣was 82% · , 1.8% {MINUS}2.30 tokens[1] ␣Lyon 90% ␣Nice 8.2%" in said


def test_alternatives_that_nobody_told() -> None:
    """Are said not to be known, which is another thing than that there were none."""
    tokens = HeardTokens([HeardToken(0, 0, "a", -1.0), HeardToken(0, 1, "b", -2.0, {"b": -2.0})])

    assert "a 37% not told, as for several tokens in one piece" in line(tokens)
    assert "b 14% none" in line(tokens)


def test_thought_and_action_are_told_apart() -> None:
    """By name, not by hue alone; a token that begins one belongs to it, however it is cut."""
    texts = ["Thought: hm", "\nAct", "ion: find", " {}", "\nObservation: 7"]
    tokens = HeardTokens(HeardToken(0, i, text, -0.1) for i, text in enumerate(texts))
    said = line(tokens)

    assert "thought Thought: hm" in said
    assert "action ↵Action: find {}" in said
    assert "made up ↵Observation: 7" in said  # by the model: it is not what a tool gave
    assert "reply no header at all" in line([InferenceToken.of("no header at all", -0.1)])


def test_what_came_back_is_told_as_well() -> None:
    """Beside the tokens; the thought and the action are not said twice."""
    said = line(spoken(("hm", "find {}")))

    assert "observation seen" in said
    assert "thought Thought: hm action" in said
    assert "thought hm" not in said


def test_white_space_is_seen() -> None:
    """A line break, a tab, a token of nothing but spaces, and one of nothing."""
    tokens = HeardTokens(
        HeardToken(0, i, text, -0.1) for i, text in enumerate(("a\n", " ", "  b", "\t", "", "\r"))
    )
    text = Reader(view(tokens)).text

    assert "a↵\n␣  b⇥\t∅␍" in text


def test_a_step_that_was_never_completed() -> None:
    """Has its tokens, and is said to be unfinished."""
    said = line(STREAMS["unfinished heard"])

    assert "0 steps · 5 tokens" in said
    assert "never completed" in said


def test_steps_without_their_tokens() -> None:
    """Have their texts, and it is said that the tokens are missing."""
    said = line(STREAMS["heard without tokens"])

    assert "No token was heard" in said
    assert "thought words" in said


def test_a_step_by_itself() -> None:
    """What was thought, done and seen, and how sure the model was on the whole."""
    step = run().steps[0]

    assert f"9 tokens · mean log p {MINUS}0.92 (40% a token, 1 without)" in line(step)
    assert "thought Is it?" in line(step)
    assert "refused" in line(StreamingStep("t", "find", "refused", tool="find", error_kind="no"))


def test_every_path_leads_somewhere() -> None:
    """What a title or a cell says can be typed in the next cell, and gives what is shown there."""
    shown = heard("words")
    paths = set(re.findall(r"heard\.[\w.\[\]:]+", Reader(view(shown)).text + view(shown)))

    assert len(paths) > 12
    for path in paths:
        found: Any = shown
        for name, at in re.findall(r"\.(\w+)|\[([\d:]+)\]", path):
            if name:
                found = getattr(found, name)
            else:
                ends = [int(end) for end in at.split(":")]
                found = found[slice(*ends)] if len(ends) > 1 else found[ends[0]]
        assert found is not None


@pytest.mark.parametrize("count", [2_000, 10_000])
@pytest.mark.parametrize("steps", [1, 100])
def test_it_stays_small(count: int, steps: int) -> None:
    """However much was said: under 64 KB, and each cut says how much is missing and where it is."""
    each = count // steps
    tokens = HeardTokens(
        HeardToken(i // each, i % each, " <word>", -(i % 7) / 2, {"x" * 1000: -1.0})
        for i in range(count)
    )
    done = [StreamingStep("t" * 5000, "a" * 5000, "o" * 5000, each) for _ in range(steps)]
    shown = StreamingSession(AgentSession("id", "a"), done, tokens)

    for thing in (shown, tokens, list(tokens)):
        html = mimebundle(thing)["text/html"]
        assert len(html.encode()) <= 64 * 1024
        assert "cannot be drawn" not in html
    said = line(shown)
    assert re.search(r"\d more (tokens: heard\.tokens\[\d+:\d+\]|steps?, [\d,]+ tok)", said)
    assert " least likely of " in said


def test_it_is_quick() -> None:
    """Ten thousand tokens are drawn in less than 50 ms."""
    tokens = HeardTokens(HeardToken(i // 50, i % 50, " word", -(i % 7) / 2) for i in range(10_000))

    assert best(tokens) < 50


def test_five_hundred_tokens_are_all_there() -> None:
    """That much fits, when the model was mostly sure."""
    tokens = HeardTokens(
        HeardToken(i // 50, i % 50, " word", -0.6 if i % 5 == 0 else -0.02) for i in range(500)
    )

    assert len(elements(tokens)) == 500


def test_tokens_are_a_list() -> None:
    """In all but their looks: part of them is tokens, they are equal to a list, and pickle."""
    tokens = run().tokens

    assert isinstance(tokens, HeardTokens)
    assert tokens == list(tokens)
    assert isinstance(tokens[2:4], HeardTokens)
    assert tokens[3].text == " it"
    assert repr(tokens) == "<HeardTokens 9 tokens>"
    assert pickle.loads(pickle.dumps(tokens)) == tokens  # noqa: S301 - our own
    assert view(list(tokens)) == view(tokens)
    assert line([1, 2]) == "[1, 2]"


def test_equal_streams_look_equal() -> None:
    """After a trip through their plain form."""
    shown = spoken(("words", "find {}"), ("more", "FINAL_ANSWER 42"))
    again = StreamingSession.from_dict(shown.to_dict())

    assert again.to_html() == shown.to_html()
    assert isinstance(again.tokens, HeardTokens)


def test_the_frame_of_tokens() -> None:
    """Is that of their session; of no tokens it has the same columns."""
    shown = run()

    assert shown.tokens.to_frame().equals(shown.to_frame())
    assert (HeardTokens().to_frame().dtypes == shown.to_frame().dtypes).all()


def test_a_model_that_does_not_stream_has_tokens_too() -> None:
    """One a piece, without probabilities."""
    model = FunctionModel(lambda _: "Thought: t\nAction: FINAL_ANSWER 42")
    shown = StreamingSession.of(AgentRuntime(model).run_sync("?"))

    assert "no log-probabilities" in line(shown)
    assert "answer 42" in line(shown)


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
LOGPROB = st.none() | st.floats() | st.floats(-10, 0)
TOKEN = st.builds(
    HeardToken, st.integers(-1, 3), st.integers(), TEXT, LOGPROB,
    st.none() | st.dictionaries(TEXT, st.floats(), max_size=3), st.floats(),
)  # fmt: skip
STEP = st.builds(
    StreamingStep, TEXT, TEXT, TEXT, st.integers(), st.floats(), st.integers(),
    st.none() | TEXT, st.none() | TEXT, st.integers(),
)  # fmt: skip


@given(st.lists(TOKEN, max_size=12), st.lists(STEP, max_size=3), TEXT)
def test_whatever_is_in_them(
    tokens: list[HeardToken], steps: list[StreamingStep], text: str
) -> None:
    """They have their cards, all of each token's text among them."""
    shown = StreamingSession(AgentSession("id", text), steps, HeardTokens(tokens))
    things: list[Any] = [shown, shown.tokens, *steps, *tokens]
    for thing in things:
        html = thing.to_html()
        assert "cannot be drawn" not in html
        assert Reader(html).text
    assert len(elements(shown.tokens)) == len(tokens)
