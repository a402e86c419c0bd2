"""Generated event streams, read by the parser and by a slow reading of the standard."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.models.sse import SseEvent, SseParser

NAMES = [b"data", b"event", b"id", b"retry", b"", b"foo", b"Data", b" data", b"\xef\xbb\xbfdata"]
COLONS = [b":", b": ", b":  ", b"", b" :"]
WORDS = [
    b"x", b"12", b"a: b", b"\x00", b"[DONE]", b" ", b"\xc3\xa9", b"\xe2\x80\xa8", b"\xc2\x85",
    b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\xff", b"\xe2\x82", b"\x0c", b"\xef\xbb\xbf", b":",
]  # fmt: skip
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b""]

pieces = st.sampled_from
line = st.builds(
    lambda name, colon, words, end: name + colon + b"".join(words) + end,
    pieces(NAMES),
    pieces(COLONS),
    st.lists(pieces(WORDS), max_size=3),
    pieces(ENDS),
)
noise = st.lists(pieces([*WORDS, *ENDS, *NAMES, *COLONS]), max_size=8).map(b"".join)
streams = st.builds(
    lambda bom, lines: bom + b"".join(lines),
    pieces([b"", b"\xef\xbb\xbf"]),
    st.lists(line | noise | st.binary(max_size=6), max_size=20),
)


def lines_of(text: str) -> list[str]:
    """Split as the standard says; what has no end is no line."""
    lines, line, at = list[str](), "", 0
    while at < len(text):
        if text[at] == "\r" and text[at + 1 : at + 2] == "\n":
            at += 1
        if text[at] in "\r\n":
            lines.append(line)
            line = ""
        else:
            line += text[at]
        at += 1
    return lines


def halves(line: str) -> tuple[str, str]:
    """Give the name of a field and its value, without its one leading space."""
    if ":" not in line:
        return line, ""
    at = line.index(":")
    value = line[at + 1 :]
    return line[:at], value[1:] if value[:1] == " " else value


def slowly(stream: bytes) -> list[SseEvent]:
    """Read all of it at once, step by step as the standard has it."""
    text = stream.decode("utf-8", "replace")
    if text[:1] == "\ufeff":
        text = text[1:]
    found, data, kind, last_id, retry = list[SseEvent](), "", "", "", None
    for each in lines_of(text):
        if each == "":
            if data != "":
                data = data[:-1] if data[-1] == "\n" else data
                found.append(SseEvent(kind if kind != "" else "message", data, last_id, retry))
            data, kind = "", ""
            continue
        if each[0] == ":":
            continue
        field, value = halves(each)
        if field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return found


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Cut at these places, and others where they are beyond its end."""
    at = sorted(place % (len(stream) + 1) for place in places)
    return [stream[a:b] for a, b in zip([0, *at], [*at, len(stream)], strict=True)]


def parsed(*chunks: bytes) -> list[SseEvent]:
    """Give the events of a stream that came in these pieces."""
    parser = SseParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@settings(max_examples=2000)
@given(streams)
def test_as_the_standard_reads_it(stream: bytes) -> None:
    """The parser and a plain reading of the standard find the same events."""
    assert parsed(stream) == slowly(stream)


@settings(max_examples=1000)
@given(streams, st.lists(st.integers(0, 10_000), max_size=12))
def test_cuts_make_no_difference(stream: bytes, places: list[int]) -> None:
    """Cut at random, or after each byte, the events are the same, and so is what is left."""
    whole, pieced, singly = SseParser(), SseParser(), SseParser()
    expected = whole.feed(stream)

    assert [event for piece in cut(stream, places) for event in pieced.feed(piece)] == expected
    bytewise = [singly.feed(stream[at : at + 1]) for at in range(len(stream))]
    assert [event for found in bytewise for event in found] == expected
    assert whole.close() == pieced.close() == singly.close()
    assert whole.last_event_id == pieced.last_event_id == singly.last_event_id


@settings(max_examples=500)
@given(streams, st.integers(1, 12), st.lists(st.integers(0, 10_000), max_size=12))
def test_limits_do_not_depend_on_cuts(stream: bytes, limit: int, places: list[int]) -> None:
    """What is too long is found too long, after the same events, whatever the cuts."""

    def outcome(chunks: list[bytes]) -> tuple[list[SseEvent], str]:
        parser, found = SseParser(limit=limit), list[SseEvent]()
        try:
            for chunk in chunks:
                found += parser.feed(chunk)
            parser.feed(b"")
        except Exception as error:  # noqa: BLE001 - whichever it is, it must be the same
            return found, repr(error)
        return found, ""

    assert outcome(cut(stream, places)) == outcome([stream])
    assert outcome([stream[at : at + 1] for at in range(len(stream))]) == outcome([stream])


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))))
def test_what_is_written_is_read(lines: list[str]) -> None:
    """Lines written as the data of an event are read as they were."""
    frame = "".join(f"data: {line}\n" for line in lines) + "\n"
    expected = [SseEvent(data="\n".join(lines))] if lines else []

    assert parsed(frame.encode()) == expected
