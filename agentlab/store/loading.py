"""Reads journals back."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from agentlab.core import lines
from agentlab.core.errors import PersistenceError
from agentlab.core.events import Entry, RunStarted
from agentlab.core.files import path_of
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.store.journal import KIND, VERSION

log = logging.getLogger("agentlab.journal")

MAX_BYTES = 1 << 30
NAMED = 10  # lines, or runs, that a message names


def load(path: str | Path, *, run: str | None = None) -> Trace:
    """Read a journal: a trace that shows, frames and replays like a live one.

    Whoever is attached to it gets every entry from the first one. What of the file is damaged is
    skipped, logged, and listed in the trace's ``damage``.

    Parameters
    ----------
    path : str or Path
        The file.
    run : str, optional
        The run whose entries are wanted, with those below it; by default all that is there, in
        the order of the file. Where a run of that id was there several times, its last.

    Raises
    ------
    PersistenceError
        It is no journal, or one from the future, or larger than 1 GB, or cannot be read; or
        there is no such run in it.
    """
    path = path_of(path, "path")
    data = read(path)
    records, damage = lines.read(data, lines.Header(KIND, VERSION))
    if lines.foreign(data, records):
        raise PersistenceError(f"{path} is not a journal")
    entries, undecoded = decoded(records, {each.line for each in damage})
    damage = sorted([*damage, *undecoded])
    if damage:
        told = ", ".join(f"line {each.line} ({each.why})" for each in damage[:NAMED])
        more = f" and {len(damage) - NAMED} more" if len(damage) > NAMED else ""
        log.warning("%s: skipped %s%s", path, told, more)
    if run is not None:
        entries = only(entries, run, path.name)
    return Trace.of(entries, damage)


def only(entries: list[Entry], run: str, name: str) -> list[Entry]:
    """Give the entries of a run and those below it.

    Raises
    ------
    PersistenceError
        There are none.
    """
    runs = runs_of(entries)
    found = [part for root, part in runs if root == run]
    wanted = found[-1] if found else [entry for entry in entries if within(entry.run, run)]
    if not wanted:
        known = ", ".join(repr(root) for root, _ in runs[:NAMED])
        raise PersistenceError(f"no run {run!r} in {name!r}: it has {known or 'none'}")
    return wanted


def read(path: Path) -> bytes:
    """Give the bytes of a file that is not too large to be read."""
    if path.exists() and not path.is_file():
        raise PersistenceError(f"{path} is not a file")
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise PersistenceError(f"{path} has {size} bytes, more than {MAX_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise PersistenceError(f"cannot read {path}: {error.strerror}") from error


def decoded(records: list[bytes], lost: set[int]) -> tuple[list[Entry], list[lines.Damage]]:
    """Make entries of records; a record that is none, of a kind unknown here say, is damage."""
    decoder = msgspec.json.Decoder(Entry)
    entries: list[Entry] = []
    damage: list[lines.Damage] = []
    numbers = (number for number in range(2, len(records) + len(lost) + 2) if number not in lost)
    for number, record in zip(numbers, records, strict=False):
        try:
            entries.append(decoder.decode(record))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            damage.append(lines.Damage(number, f"not an entry: {error}"))
    return entries, damage


def runs_of(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Part entries into those of each root run, a root being a run of which none above is there.

    A run that starts again, as one with a seeded id does, is another one.
    """
    parts: list[tuple[str, list[Entry]]] = []
    latest: dict[str, list[Entry]] = {}
    for entry in entries:
        root = next((run for run in above(entry.run) if run in latest), None)
        if isinstance(entry.event, RunStarted) and (root is None or root == entry.run):
            root = entry.run
            latest[root] = []
            parts.append((root, latest[root]))
        if root is not None:
            latest[root].append(entry)
    return parts


def above(run: str) -> Iterator[str]:
    """Name the runs from the root down to ``run``."""
    names = run.split("/")
    yield from ("/".join(names[:count]) for count in range(1, len(names) + 1))


def within(run: str, root: str) -> bool:
    """Tell whether ``run`` is ``root`` or below it."""
    return run == root or run.startswith(f"{root}/")


def sessions(trace: Trace) -> list[AgentSession]:
    """Fold a trace into the sessions of its root runs, in the order they started.

    Each has its part of the trace with it.
    """
    found = []
    for root, entries in runs_of(trace.entries):
        session = AgentSession.from_trace(entries, run=root)
        session.trace = Trace.of(entries)
        found.append(session)
    return found
