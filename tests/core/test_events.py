"""What a run says can be written down and read again."""

from __future__ import annotations

from datetime import UTC, datetime
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from agentlab.core import lines
from agentlab.core.clock import FakeClock
from agentlab.core.events import Entry, Event, Fact
from agentlab.core.trace import Trace

TEXT = st.text(max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NUMBER | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT, int: st.integers(0, 99), bool: st.booleans(), float: NUMBER, Any: DATA,
    NoneType: st.none(), datetime: st.datetimes(timezones=st.just(UTC)),
    dict[str, Any]: st.dictionaries(TEXT, DATA, max_size=2),
    dict[str, str]: st.dictionaries(TEXT, TEXT, max_size=2),
    dict[str, float]: st.dictionaries(TEXT, NUMBER, max_size=2),
}  # fmt: skip


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Make values of a type that a field may have."""
    members = get_args(kind)
    if kind in LEAVES:
        return LEAVES[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{each.name: of(each.type) for each in fields(kind)})
    if get_origin(kind) is tuple:
        return st.lists(of(members[0]), max_size=2).map(tuple)
    return st.sampled_from(members) if get_origin(kind) is Literal else st.one_of(*map(of, members))


@given(of(Event))
def test_every_event_goes_through_a_file(event: Event) -> None:
    """Framed as a line and read again, an entry is equal: all kinds, all values."""
    trace = Trace(clock=FakeClock())
    trace.emit(event, run="r/a#1", parent="r")
    line = lines.frame(lines.record(trace.entries[0]))
    record = lines.unframe(line.removesuffix(b"\n"))

    assert record
    assert msgspec.json.decode(record, type=Entry) == trace.entries[0]
    assert Entry.from_dict(trace.entries[0].to_dict()) == trace.entries[0]


OLD: dict[str, dict[str, Any]] = {
    "run_started": {"agent": "a", "prompt": "p", "model": "m", "strategy": "s", "config": {}},
    "recalled": {"hits": [{"id": "1", "text": "t", "score": 1.0}]},
    "prepared": {},
    "asked": {
        "call_id": 1, "system": "s", "extends": None, "head": 0, "cut": 0, "added": "p"
    },
    "token": {"call_id": 1, "text": "t"},
    "answered": {"call_id": 1, "text": "t", "usage": {"input": 1, "output": 1}},
    "thought": {"text": "t"},
    "action": {"text": "t"},
    "awaiting_approval": {"call_id": 2, "tool": "t", "args": {}},
    "reviewed": {"call_id": 2, "decision": "approved"},
    "tool_started": {"call_id": 2, "tool": "t", "args": {}},
    "tool_ended": {
        "call_id": 2, "ok": True, "data": 1, "error": None, "error_kind": None, "ms": 1.0
    },
    "step_ended": {"step": {"thought": "t", "action": "a"}},
    "said": {"sender": "a", "target": "b", "content": "c"},
    "argued": {"round": 1, "agent": "a", "text": "t"},
    "scored": {"by": "a", "of": "b", "round": 1, "score": 1.0},
    "phase": {"name": "plan"},
    "charted": {"shape": "list", "nodes": [{"id": "1", "label": "one"}]},
    "marked": {"node": "1", "status": "done"},
    "saved": {"key": "k"},
    "save_failed": {"key": "k", "error": "e"},
    "warned": {"text": "t"},
    "run_ended": {"stop_reason": "final_answer"},
}  # fmt: skip


@pytest.mark.parametrize("tag", OLD)
def test_the_first_version_keeps_loading(tag: str) -> None:
    """What a file of the first version says at least is enough for ever: fields have defaults."""
    event = {"type": tag, **OLD[tag]}
    entry = {"run": "r", "parent": None, "seq": 0, "at": "2030-01-01T00:00:00Z", "offset": 0.0}
    read = msgspec.json.decode(msgspec.json.encode({**entry, "event": event}), type=Entry)

    assert read.to_dict()["event"]["type"] == tag


def test_the_list_is_closed() -> None:
    """Every kind of event has such an example."""
    tags = {str(kind.__struct_config__.tag) for kind in get_args(Event)}
    assert tags == set(OLD)
    assert set(Fact.__subclasses__()) == set(get_args(Event))
