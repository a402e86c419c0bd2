"""What stands round each stored value: its key, its version, its time and a checksum.

The head is one line of JSON with a checksum of its own, the value follows as it is:

    {"sum":"3dd2f9e0","is":{"bytes":3,"format":1,"key":"a","kind":"agentlab value",…}}
    abc
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from agentlab.core.errors import InvalidValue, NewerFormat
from agentlab.core.lines import frame, unframe

KIND, FORMAT = "agentlab value", 1
KEY_LIMIT = 10_000
HEAD_LIMIT = 1 << 17  # a key's characters may take six bytes each


class Broken(Exception):
    """Why some bytes are not a record; the store says where they lie and what to do."""


class Head(msgspec.Struct, frozen=True):
    """What is known of a value without reading it."""

    key: str
    version: int
    saved_at: datetime
    bytes: int
    sum: str
    kind: str = KIND
    format: int = FORMAT


class Start(msgspec.Struct, frozen=True):
    """As much of a head as every format has."""

    kind: str
    format: int


class Record(NamedTuple):
    """A value and its head, both as bytes."""

    head: bytes
    value: bytes


def sealed(key: str, value: bytes, version: int, now: datetime) -> Record:
    """Put a value into its envelope."""
    head = Head(key, version, now, len(value), checksum(value))
    return Record(frame(msgspec.json.encode(head, order="sorted")), value)


def head_of(line: bytes, what: str) -> Head:
    """Read the head of ``what``.

    Raises
    ------
    Broken
        So much as a bit of it is wrong.
    NewerFormat
        It is whole, and from the future.
    """
    inside = unframe(line.removesuffix(b"\n"))
    if inside is None:
        raise Broken("its head is damaged")
    try:
        start = msgspec.json.decode(inside, type=Start)
        if start.kind == KIND and start.format > FORMAT:
            raise NewerFormat(
                f"{what} has format {start.format}, newer than {FORMAT}: update agentlab"
            )
        head = msgspec.json.decode(inside, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Broken(f"its head is not one ({error})") from None
    if head.kind != KIND:
        raise Broken(f"it is a {head.kind!r:.80}")
    return head


def check(head: Head, key: str, size: int) -> None:
    """See that a head is that of ``key``, and of as many bytes as there are.

    Raises
    ------
    Broken
        It is not.
    """
    if head.key != key:
        raise Broken(f"it belongs to the key {head.key!r:.80}")
    if size != head.bytes:
        raise Broken(f"it has {size} bytes instead of {head.bytes}")


def opened_value(head: Head, value: bytes) -> bytes:
    """Take a value out of its envelope.

    Raises
    ------
    Broken
        It is another one than was put in.
    """
    if checksum(value) != head.sum:
        raise Broken("its checksum is wrong")
    return value


def checksum(value: bytes) -> str:
    """Give sixteen hex digits that another value does not have."""
    return blake2b(value, digest_size=8).hexdigest()


def checked(key: Any) -> str:
    """Give the key, if it can be one.

    Raises
    ------
    InvalidValue
        It is no text, empty, too long, or not to be written in UTF-8.
    """
    if not isinstance(key, str):
        raise InvalidValue(f"a key must be text, got {key!r:.80}")
    if not 0 < len(key) <= KEY_LIMIT:
        raise InvalidValue(f"a key must have 1 to {KEY_LIMIT} characters, got {len(key)}")
    plain = str.__str__(key)
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise InvalidValue(
            f"a key must be text that UTF-8 can hold, without lone surrogates, got {key!r:.80}"
        ) from None
    return plain


def plain(value: Any) -> bytes:
    """Give the value as bytes that nobody can change.

    Raises
    ------
    InvalidValue
        It is something else.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise InvalidValue(
        f"a store keeps bytes, got {value!r:.80}: encode it, as json.dumps(…).encode() does"
    )
