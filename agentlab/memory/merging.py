"""Merging what says nearly the same, until nothing does: the rule of a long-term consolidation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agentlab.memory.forgetting import LtmEntry, MergeRow
from agentlab.memory.likeness import WordIndex, cosine, counted

ALIKE = 0.85  # of which more is as good as the same


def merged(entries: Iterable[LtmEntry]) -> tuple[list[LtmEntry], list[MergeRow]]:
    """Merge until no two are alike; give what is left, and what went into what.

    Each entry in turn, the oldest id first, takes in the first later one that is like its content
    as that is now. Its content is only ever one that was there before, so that when the last has
    had its turn no two are alike.
    """
    left = {entry.id: entry for entry in sorted(entries, key=lambda entry: entry.id)}
    counts = {key: counted(entry.content) for key, entry in left.items()}
    index = WordIndex[int]()
    for key, words in counts.items():
        index.add(key, words)
    rows = []
    for key in list(left):
        if key not in left:
            continue
        index.drop(key, counts[key])  # whoever has had its turn is like none of the others
        taken = list[LtmEntry]()
        near = iter(candidates(counts[key], index))
        while (other := next(near, None)) is not None:
            if cosine(counts[key], counts[other]) <= ALIKE:
                continue
            index.drop(other, counts[other])
            taken.append(left.pop(other))
            before, left[key] = left[key], joined(left[key], taken[-1])
            if (
                left[key].content != before.content
            ):  # then others may be like it, and from the first
                counts[key] = counted(left[key].content)
                near = iter(candidates(counts[key], index))
        if taken:
            whole, ids = left[key], tuple(entry.id for entry in taken)
            contents = tuple(entry.content for entry in taken)
            rows.append(MergeRow(key, ids, whole.content, whole.importance, contents))
    return list(left.values()), rows


def candidates(counts: Mapping[str, int], index: WordIndex[int]) -> list[int]:
    """Give the ids of those that may be like it, the lowest first."""
    masses = {word: count * count for word, count in counts.items()}
    return sorted(index.near(masses, ALIKE * ALIKE))


def joined(one: LtmEntry, other: LtmEntry) -> LtmEntry:
    """Make one entry of two: the longer content, the mean of all that it stands for."""
    whole = one.members + other.members
    return msgspec.structs.replace(
        one,
        content=max(one.content, other.content, key=len),
        importance=(one.importance * one.members + other.importance * other.members) / whole,
        decayed_importance=(
            one.decayed_importance * one.members + other.decayed_importance * other.members
        )
        / whole,
        access_count=one.access_count + other.access_count,
        created_at=max(one.created_at, other.created_at),
        last_accessed=max(one.last_accessed, other.last_accessed),
        merged_ids=(*one.merged_ids, other.id, *other.merged_ids),
    )
