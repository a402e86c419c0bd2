"""A journal that is torn, flipped, planted or from the future: reported, and the rest is read."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentlab.core import lines
from agentlab.core.errors import PersistenceError
from agentlab.core.events import (
    ReActStep,
    Token,
)
from agentlab.store.journal import Journal
from agentlab.store.loading import load, sessions
from tests.store.journals import HEADER, said, say


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that is not there yet."""
    return tmp_path / "new" / "runs.jsonl"


def test_every_torn_tail_is_closed_off(path: Path) -> None:
    """Cut anywhere, in the header too, what is added later is whole and what was before is too."""
    with Journal(path) as journal:
        say(journal, "one", "two")
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with Journal(path) as journal:
            say(journal, "three")
        before = whole[:length].count(b"\n") + (whole[length] == ord("\n"))  # whole lines
        assert said(path) == [*["one", "two"][: max(before - 1, 0)], "three"]
        torn = length > header and ord("\n") not in (whole[length - 1], whole[length])
        assert [each.line for each in load(path).damage] == ([before + 1] if torn else [])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"my notes\n", "runs.jsonl is not a journal: take another name"),
        (b"\x00" * 100_000, "is not a journal"),
        (lines.opening(b"", lines.Header("recording")), "this is a recording, not a journal"),
        (lines.opening(b"", lines.Header("journal", 2)), "journal version 2 is newer than 1"),
        (lines.frame(b'{"a":1}'), "this is not a journal"),
        (lines.frame(b"{no json"), "this is not a journal"),
        (lines.frame(b"[" * 60_000), "is not a journal"),
    ],
)
def test_a_file_that_is_something_else(data: bytes, why: str, tmp_path: Path) -> None:
    """It is neither written to nor read."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(data)
    with pytest.raises(PersistenceError, match=why):
        Journal(path)
    with pytest.raises(PersistenceError, match=why.removesuffix(": take another name")):
        load(path)
    assert path.read_bytes() == data


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A folder, or nothing."""
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path, tmp_path / "pipe"):
        for use in (Journal, load):
            with pytest.raises(PersistenceError, match="is not a file"):
                use(odd)
    with pytest.raises(PersistenceError, match="No such file"):
        load(tmp_path / "none.jsonl")
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(PersistenceError, match="has 2147483648 bytes, more than"):
        load(huge)


@pytest.mark.parametrize("bit", [0, 5])
def test_every_flipped_byte_is_found(bit: int, tmp_path: Path) -> None:
    """It is damage or an error, and the entries before it are there."""
    path = tmp_path / "runs.jsonl"
    with Journal(path, sync=False) as journal:
        live = say(journal, "one", "two é", "three").entries
    whole = path.read_bytes()
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1 << bit
        path.write_bytes(broken)
        number = whole[:place].count(b"\n") + 1
        try:
            trace = load(path)
        except PersistenceError:
            assert number == 1
            continue
        assert trace.damage[0].line == number
        assert all(entry in live for entry in trace.entries)
        assert trace.entries[: max(number - 2, 0)] == live[: max(number - 2, 0)]


def test_what_is_whole_and_unknown(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An event nobody knows here, or no entry at all, is damage with its line; the rest loads."""
    with Journal(path) as journal:
        say(journal, "one")
        with path.open("ab") as file:
            file.write(b"torn\n")
            entry = load(path).entries[0].to_dict()
            entry["event"]["type"] = "from_the_future"
            for odd in (entry, 7, json.loads("[" * 90 + "]" * 90), {"run": "r"}):
                file.write(lines.frame(lines.record(odd)))
            file.write(lines.frame(b"[" * 50_000 + b"]" * 50_000))
        say(journal, "two")
    caplog.clear()
    with caplog.at_level(logging.WARNING, "agentlab"):
        trace = load(path)

    assert said(path) == ["one", "two"]
    assert [each.line for each in trace.damage] == [3, 4, 5, 6, 7, 8]
    assert "from_the_future" in trace.damage[1].why
    assert "runs.jsonl: skipped line 3 (damaged), line 4 (not an entry" in caplog.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=60) | st.sampled_from([b'{"sum":"', b'","is":', b"\n"])))
def test_anything_can_be_loaded(tmp_path: Path, parts: list[bytes]) -> None:
    """No file makes it fail in an unexpected way, framed or not."""
    path = tmp_path / "any.jsonl"
    for data in (b"".join(parts), HEADER + b"".join(map(lines.frame, parts))):
        path.write_bytes(data)
        try:
            assert load(path).entries == []
        except PersistenceError as error:
            assert "any.jsonl" in str(error) or "this is" in str(error)  # noqa: PT017


def test_a_stored_example_still_loads(tmp_path: Path) -> None:
    """A journal of version 1, byte for byte."""
    path = tmp_path / "old.jsonl"
    path.write_bytes(EXAMPLE)
    trace = load(path)

    assert trace.damage == ()
    assert [type(entry.event).__name__ for entry in trace.entries] == [
        "RunStarted", "Asked", "Token", "Answered", "ToolStarted", "ToolEnded", "StepEnded",
        "RunEnded",
    ]  # fmt: skip
    (session,) = sessions(trace)
    assert session.steps == [ReActStep("t", "double", "42", 0, "double", {"n": 21})]
    assert (session.prompt, session.tokens_in, session.stop_reason) == ("2 × 21?", 3, "stopped")
    assert trace.entries[2].event == Token(1, "42", -0.5, {"42": -0.5})


EXAMPLE = (
    b'{"sum":"4a30ec0f","is":{"about":{"agentlab":"0.1.0"},"kind":"journal"}}\n'
    b'{"sum":"488cde1b","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"agent":"a","config":{"max_iterations":10},"model":"m","prompt":"2 \xc3\x97 21?","strategy":"react","type":"run_started"},"offset":0.0,"parent":null,"run":"r","seq":0}}\n'  # noqa: E501
    b'{"sum":"24cfed3e","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"added":"User: 2 \xc3\x97 21?\\n","call_id":1,"cut":0,"extends":null,"head":0,"options":{"stop":["x"]},"system":"be brief","type":"asked"},"offset":0.125,"parent":null,"run":"r","seq":1}}\n'  # noqa: E501
    b'{"sum":"f70186aa","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"call_id":1,"logprob":-0.5,"text":"42","top":{"42":-0.5},"type":"token"},"offset":0.25,"parent":null,"run":"r","seq":2}}\n'
    b'{"sum":"db7dac72","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"call_id":1,"text":"42","type":"answered","usage":{"input":3,"output":1,"source":"reported"}},"offset":0.375,"parent":null,"run":"r","seq":3}}\n'
    b'{"sum":"144f9bf1","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"allowed":true,"args":{"n":21},"call_id":2,"tool":"double","type":"tool_started"},"offset":0.5,"parent":null,"run":"r","seq":4}}\n'
    b'{"sum":"70604417","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"call_id":2,"data":42,"error":null,"error_kind":null,"ms":0.25,"ok":true,"type":"tool_ended"},"offset":0.625,"parent":null,"run":"r","seq":5}}\n'
    b'{"sum":"b952a784","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"step":{"action":"double","args":{"n":21},"error_kind":null,"index":0,"observation":"42","raw":"","reasoning":"","started_at":null,"step_duration_ms":0,"thought":"t","tool":"double"},"type":"step_ended"},"offset":0.75,"parent":null,"run":"r","seq":6}}\n'
    b'{"sum":"8bffcb09","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"answer":null,"error":null,"stop_reason":"stopped","type":"run_ended"},"offset":0.875,"parent":null,"run":"r","seq":7}}\n'
)
