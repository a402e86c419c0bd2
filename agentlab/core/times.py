"""One line of time for what several clocks have stamped, as runs do that share a journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from itertools import pairwise

import msgspec

from agentlab.core.events import Entry, RunStarted

ALIKE_S = 0.5  # clocks that differ by less are one


class Stretch(msgspec.Struct):
    """What one clock has stamped: from when to when, in seconds of the world's time."""

    base: float
    start: float
    end: float
    shift: float = 0.0


def lined_up(entries: Sequence[Entry]) -> tuple[list[Entry], list[float]]:
    """Give entries in the order they were said, and when, in seconds.

    Those of one trace have one clock, whose offsets are right. Where runs of several traces are
    there, times count from the first; each run begins when the world's time says, and the time
    when none went on is left out.
    """
    stretches, whose = parted(entries)
    if one_clock(stretches):
        times = [entry.offset for entry in entries]
        if all(before <= after for before, after in pairwise(times)):
            return list(entries), times
    else:
        line_up(stretches)
        times = [
            entry.offset + stretches[no].shift for entry, no in zip(entries, whose, strict=True)
        ]
    order = sorted(range(len(entries)), key=times.__getitem__)
    return [entries[place] for place in order], [times[place] for place in order]


def parted(entries: Sequence[Entry]) -> tuple[list[Stretch], list[int]]:
    """Part entries by the root run they belong to, which may be there several times."""
    stretches: list[Stretch] = []
    latest: dict[str, int] = {}
    started: set[int] = set()
    whose: list[int] = []
    for entry in entries:
        root, below, _ = entry.run.partition("/")
        no = latest.get(root)
        starts = type(entry.event) is RunStarted and not below
        if no is None or (starts and no in started):
            no = latest[root] = len(stretches)
            at = entry.at if entry.at.tzinfo else entry.at.replace(tzinfo=UTC)
            now = at.timestamp()
            stretches.append(Stretch(now - entry.offset, now, now))
        if starts:
            started.add(no)
        whose.append(no)
        stretch = stretches[no]
        stretch.end = max(stretch.end, stretch.base + entry.offset)
    return stretches, whose


def one_clock(stretches: Sequence[Stretch]) -> bool:
    """Tell whether all was stamped by one clock."""
    bases = [stretch.base for stretch in stretches]
    return not bases or max(bases) - min(bases) < ALIKE_S


def line_up(stretches: Sequence[Stretch]) -> None:
    """Set each where it is on a line that begins with the first and has no gap."""
    end = gaps = 0.0
    for no, stretch in enumerate(sorted(stretches, key=lambda each: each.start)):
        if no == 0:
            gaps = end = stretch.start
        gaps += max(0.0, stretch.start - end)
        end = max(end, stretch.end)
        stretch.shift = stretch.base - gaps
