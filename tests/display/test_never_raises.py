"""``_repr_html_`` never raises: with empty, huge, half-built, failed and cyclic objects.

What is huge, and what is below itself, is in ``test_sizes``.
"""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core.errors import AgentLabError, ProviderError
from agentlab.core.events import Entry, Event, ReActStep
from agentlab.core.protocols import Hit
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.display import mimebundle
from agentlab.handle import RunHandle
from tests.display.things import AT, ENDINGS, Reader, filled

TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
SEEN = TEXT | st.sampled_from(['{"ok":false}', '{"data":[1,2],"ok":true}', "[1", '"x"', "{}"])
STEPS = st.builds(
    ReActStep, TEXT, TEXT, SEEN, st.integers(), st.none() | TEXT, JSON,
    st.none() | st.sampled_from(["transient", "not_found"]), st.integers(),
    st.none() | st.datetimes(), TEXT, TEXT,
)  # fmt: skip
HITS = st.builds(Hit, TEXT, TEXT, st.floats(), TEXT)
SESSIONS = st.recursive(
    st.builds(
        AgentSession, TEXT, TEXT, TEXT, TEXT, st.none() | st.datetimes(),
        st.lists(STEPS, max_size=4), st.lists(HITS, max_size=3), st.integers(), st.integers(),
        st.integers(), st.booleans(), st.integers(), st.sampled_from(ENDINGS) | TEXT,
        st.none() | TEXT, st.none() | TEXT, st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3),
    ),
    lambda below: st.builds(
        AgentSession, TEXT, TEXT, children=st.lists(below, min_size=1, max_size=3)
    ),
    max_leaves=4,
)  # fmt: skip
RUNS = st.sampled_from(["r", "r/a#1", "r/a#1/b#1", "s", ""])
TRACES = st.lists(
    st.builds(
        Entry, RUNS, st.none() | RUNS, st.integers(), st.datetimes(), st.floats(),
        st.builds(filled, st.sampled_from(get_args(Event)), TEXT),
    ),
    max_size=30,
)  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(), st.floats(), st.binary(), TEXT, st.lists(st.none(), max_size=2),
    st.sampled_from([object(), AgentSession(), ReActStep("", ""), 10**400, AT]),
)  # fmt: skip


def drawn(thing: object, *, whole: bool = True) -> None:
    """Fail unless both kinds are there, well-formed, and drawn by the view they should be."""
    bundle = mimebundle(thing)

    assert len(bundle["text/html"].encode()) <= 64 * 1024
    assert Reader(bundle["text/html"]).text
    assert not whole or "cannot be drawn" not in bundle["text/html"]


@given(SESSIONS)
def test_sessions(session: AgentSession) -> None:
    """Whatever is in it, a session has its card."""
    drawn(session)


@given(STEPS)
def test_steps(step: ReActStep) -> None:
    """So has a step."""
    drawn(step)


@settings(max_examples=60)
@given(TRACES)
def test_traces(entries: list[Entry]) -> None:
    """So has a trace, in whatever order its entries are and whoever is whose parent."""
    trace = Trace()
    trace.entries = entries

    drawn(trace)


@given(TEXT, st.integers(), st.floats(), JUNK)
def test_errors(text: str, status: int, rest: float, session: object) -> None:
    """So has an error, whatever it carries."""
    error = ProviderError(text, status=status, retry_after=rest)
    error.__dict__["session"] = session

    drawn(error)


@given(st.dictionaries(st.sampled_from(list(AgentSession.__dataclass_fields__)), JUNK, min_size=1))
def test_half_built_sessions(fields: dict[str, Any]) -> None:
    """What is no session at all, but claims to be, is still shown."""
    drawn(AgentSession(**fields), whole=False)


@given(st.lists(JUNK, min_size=10, max_size=10))
def test_half_built_steps(fields: list[Any]) -> None:
    """The same of a step, alone and in a session."""
    drawn(ReActStep(*fields), whole=False)
    drawn(AgentSession("id", steps=[ReActStep(*fields)]), whole=False)


@given(st.lists(JUNK, max_size=3))
def test_half_built_traces(entries: list[Any]) -> None:
    """And of a trace."""
    trace = Trace()
    trace.entries = entries

    drawn(trace, whole=False)


def test_what_is_not_even_begun() -> None:
    """Objects that were never initialised."""
    kinds: list[Any] = [AgentSession, Trace, RunHandle, AgentLabError]
    for kind in kinds:
        drawn(kind.__new__(kind), whole=False)


def test_what_fights_back() -> None:
    """Objects that raise when they are asked for their line."""

    class Spiteful(AgentSession):
        def __repr__(self) -> str:
            raise RuntimeError

        def failed_tool_call_count(self) -> int:
            raise RecursionError

    class Mute(AgentLabError):
        def __str__(self) -> str:
            raise ValueError

    drawn(Spiteful("id", "a"), whole=False)
    drawn(Mute())
