"""What an agent has in mind just now: a few things by name, the least used of which make room."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar, get_args

import msgspec

from agentlab.core.bounds import at_least_one
from agentlab.core.doors import Displayable, Explorable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.text import canonical, compact
from agentlab.memory.items import text_of
from agentlab.memory.kept import Kept

LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
Policy = Literal["lru", "fifo"]
T = TypeVar("T")


class WorkingRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An entry at a glance; ``place`` 1 is the one that goes first."""

    place: int
    key: str
    value: str


class WorkingMemory(Kept, Tabular, Explorable):
    """A bounded scratch pad: a new key beyond its capacity takes the place of the one least used.

    >>> pad = WorkingMemory(2)
    >>> pad.set("a", 1)
    >>> pad.set("b", 2)
    >>> pad.get("a")
    '1'
    >>> pad.set("c", 3)
    >>> pad.keys()
    ['a', 'c']

    It is thread-safe. To set or get an entry is to use it; to peek, and to list, is not.

    Parameters
    ----------
    capacity : int
        How many entries there may be.
    policy : {"lru", "fifo"}
        Whether the entry goes that was least recently used, or least recently set.

    Raises
    ------
    InvalidValue
        ``capacity`` is not a whole number from 1 on, or ``policy`` is none.
    """

    kind = "agentlab working memory"

    def __init__(self, capacity: int, *, policy: Policy = "lru") -> None:
        try:
            self._capacity = at_least_one("capacity", capacity)
        except InvalidValue:
            raise InvalidValue(f"WorkingMemory capacity must be > 0, got {capacity!r}") from None
        if policy not in get_args(Policy):
            raise InvalidValue(f"policy must be one of {get_args(Policy)}, got {policy!r}")
        self._policy = policy
        self._refreshes = policy == "lru"
        self._entries: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()  # held for a few moves

    def __repr__(self) -> str:
        policy = "" if self._refreshes else ", fifo"
        return f"<WorkingMemory {len(self)} of {self._capacity} entries{policy}>"

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return True  # an empty one is still one

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    @property
    def capacity(self) -> int:
        """How many entries there may be."""
        return self._capacity

    @property
    def policy(self) -> Policy:
        """Which entry goes."""
        return self._policy

    def set(self, key: str, value: Any) -> None:
        """Keep ``value`` under ``key``, as text: what is none is written as compact JSON.

        Raises
        ------
        InvalidValue
            ``key`` is no text, or empty, or ``value`` is nothing that JSON can hold.
        """
        if type(key) is not str or not (key and key.isascii()):
            key = key_of(key)
        if type(value) is not str or not value.isascii():
            value = as_text(value)
        with self._lock:
            entries = self._entries
            if key in entries:
                entries.move_to_end(key)
            elif len(entries) >= self._capacity:
                entries.popitem(last=False)
            entries[key] = value

    def get(self, key: str) -> str | None:
        """Give what is under ``key``, or None; it is now the one most recently used."""
        entries = self._entries  # each step is whole by itself; a lock would take twice as long
        value = entries.get(key)
        if value is not None and self._refreshes:
            try:
                entries.move_to_end(key)
            except KeyError:  # it went meanwhile
                return value
        return value

    def peek(self, key: str) -> str | None:
        """Give what is under ``key``, or None, and leave its place as it is."""
        return self._entries.get(key)

    def contains(self, key: str) -> bool:
        """Tell whether there is something under ``key``."""
        return key in self._entries

    def remove(self, key: str) -> bool:
        """Forget what is under ``key``; tell whether there was anything."""
        with self._lock:
            return self._entries.pop(key, None) is not None

    def evict_oldest(self) -> tuple[str, str] | None:
        """Forget the entry that would go next, and give it; None where there is none."""
        with self._lock:
            return self._entries.popitem(last=False) if self._entries else None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def fill(self, entries: Iterable[tuple[str, Any]]) -> None:
        """Forget everything and keep these instead, the least recently used first.

        Of more than fit, the last stay.

        Raises
        ------
        InvalidValue
            One of them cannot be kept: then all is as before.
        """
        made = OrderedDict[str, str]()
        for key, value in entries:
            made[key_of(key)] = as_text(value)
            made.move_to_end(key_of(key))
        while len(made) > self._capacity:
            made.popitem(last=False)
        with self._lock:
            self._entries = made

    def entries(self) -> list[tuple[str, str]]:
        """List keys and values, from the least to the most recently used."""
        return self._listed(OrderedDict.items)

    def keys(self) -> list[str]:
        """List the keys in the same order."""
        return self._listed(OrderedDict.keys)

    def rows(self) -> list[WorkingRow]:
        """List the entries in the same order, each with its place."""
        return [WorkingRow(i, *entry) for i, entry in enumerate(self.entries(), start=1)]

    def prompt_section(self) -> str:
        r"""Give what is added to a prompt; nothing where there are no entries.

        >>> pad = WorkingMemory(2)
        >>> pad.set("goal", "count")
        >>> pad.prompt_section()
        '\n\nCurrent working state:\n  goal: count'
        """
        return section(self.entries())

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        entries = [list(entry) for entry in self.entries()]
        return {"capacity": self._capacity, "policy": self._policy, "entries": entries}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> WorkingMemory:
        """Read what :meth:`to_dict` gave."""
        made = cls(data["capacity"], policy=data["policy"])
        for key, value in data["entries"]:
            made.set(key, value)
        return made

    def _listed(self, view: Callable[[OrderedDict[str, str]], Iterable[T]]) -> list[T]:
        while True:
            try:
                with self._lock:
                    return list(view(self._entries))
            except RuntimeError:
                pass  # somebody read an entry, and so moved it: once more

    def _state(self) -> Any:
        return self.to_dict()

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> WorkingMemory:
        return cls.from_dict({**state, **parts})


def key_of(key: Any) -> str:
    """Give a key as it is kept.

    Raises
    ------
    InvalidValue
        It is no text, or empty.
    """
    if not isinstance(key, str) or not key:
        raise InvalidValue(f"a key must be text, and not empty, got {key!r:.80}")
    return text_of(key)


def as_text(value: Any) -> str:
    """Give a value as it is kept: what is no text becomes compact JSON.

    Raises
    ------
    InvalidValue
        JSON cannot hold it.
    """
    return text_of(value) if isinstance(value, str) else compact(canonical(value))


def section(entries: Iterable[tuple[str, str]]) -> str:
    """Write entries as a prompt has them; nothing where there are none.

    A line break within an entry is indented, so that no value can fake a section.
    """
    lines = [f"  {indented(key)}: {indented(value)}" for key, value in entries]
    return "\n\nCurrent working state:\n" + "\n".join(lines) if lines else ""


def indented(text: str) -> str:
    """Give ``text`` with what follows a line break two spaces to the right."""
    return LINE_BREAK.sub("\n  ", text)
