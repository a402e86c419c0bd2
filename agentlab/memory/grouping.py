"""Which memories say much the same, and which of them may be merged: rules, without a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from agentlab.core.bounds import at_least_one, count_of, finite_number, not_negative, positive
from agentlab.core.errors import InvalidValue
from agentlab.core.secrets import MASK
from agentlab.memory.bag import parts_of_keys
from agentlab.memory.clustering import kmeans
from agentlab.memory.given import a_share, aware
from agentlab.memory.tfidf import tfidf

MOST_WORDS = 5  # that name a cluster


class Episode(Protocol):
    """A memory, as much of it as is needed here."""

    @property
    def id(self) -> str:
        """What it is called."""

    @property
    def content(self) -> str:
        """What it says."""

    @property
    def importance(self) -> float:
        """How much it matters."""

    @property
    def timestamp(self) -> datetime:
        """When it was made."""

    @property
    def tags(self) -> Sequence[str]:
        """What it is about."""


@dataclass(frozen=True)
class ConsolidationPolicy:
    """What is merged, and how often one looks.

    Parameters
    ----------
    min_cluster_size : int
        How many must say much the same.
    max_age_secs : float
        How old a memory must be to be merged.
    similarity_threshold : float
        How near to the middle of its cluster it must be, as a cosine.
    run_interval_secs : float
        How long ``run()`` waits between two passes.
    k_clusters : int
        How many clusters there are at most.
    kmeans_iterations : int
        How often they are improved, at most.
    keep_recent_per_cluster : int
        How many of the newest of a cluster are never touched.
    """

    min_cluster_size: int = 3
    max_age_secs: float = 3600
    similarity_threshold: float = 0.65
    run_interval_secs: float = 300
    k_clusters: int = 8
    kmeans_iterations: int = 10
    keep_recent_per_cluster: int = 2

    def __post_init__(self) -> None:
        for name in ("min_cluster_size", "k_clusters", "kmeans_iterations"):
            at_least_one(name, getattr(self, name))
        not_negative("max_age_secs", self.max_age_secs)
        a_share("similarity_threshold", self.similarity_threshold)
        positive("run_interval_secs", self.run_interval_secs)
        count_of("keep_recent_per_cluster", self.keep_recent_per_cluster)


class Cluster(NamedTuple):
    """Memories that say much the same, oldest first.

    Attributes
    ----------
    members : list
        Those that are near enough to its middle.
    strays : int
        How many were nearest to it, but not near enough.
    likeness : float
        The mean cosine of its members to its middle.
    words : tuple of str
        Its weightiest words.
    sources : list
        Those of its members that may be merged; none, where that is not worth it.
    """

    members: list[Episode]
    strays: int
    likeness: float
    words: tuple[str, ...]
    sources: list[Episode]


def grouped(items: Iterable[Episode], policy: ConsolidationPolicy, now: datetime) -> list[Cluster]:
    """Cluster memories by their words, and say which may be merged.

    Those that have no word of three letters are in no cluster.

    Raises
    ------
    InvalidValue
        One of them is none.
    """
    found = sorted(map(checked, items), key=lambda item: (item.timestamp, item.id))
    matrix, words = tfidf([item.content for item in found])
    empty = matrix.empty().tolist()
    if any(empty):  # an index into nothing: they would be like the first cluster
        found = [item for item, nothing in zip(found, empty, strict=True) if not nothing]
        matrix, words = tfidf([item.content for item in found])
    if not found:
        return []
    k = max(1, min(policy.k_clusters, len(found) // policy.min_cluster_size))
    labels, likeness, centres = kmeans(matrix, k, policy.kmeans_iterations)
    groups: list[list[tuple[Episode, float]]] = [[] for _ in range(k)]
    for item, label, near in zip(found, labels.tolist(), likeness.tolist(), strict=True):
        groups[label].append((item, near))
    return [
        cluster(group, plain(top_words(centre, words), group), policy, now)
        for group, centre in zip(groups, centres, strict=True)
        if group
    ]


def cluster(
    group: Sequence[tuple[Episode, float]],
    words: tuple[str, ...],
    policy: ConsolidationPolicy,
    now: datetime,
) -> Cluster:
    """Leave out of a group what is not near enough, and choose what may be merged."""
    near = [(item, nearness) for item, nearness in group if nearness >= policy.similarity_threshold]
    members = [item for item, _ in near]
    likeness = sum(nearness for _, nearness in near) / max(1, len(near))
    strays = len(group) - len(near)
    older = members[: max(0, len(members) - policy.keep_recent_per_cluster)]
    sources = [
        item for item in older if (now - item.timestamp).total_seconds() >= policy.max_age_secs
    ]
    worth_it = len(members) >= policy.min_cluster_size and len(sources) > 1
    return Cluster(members, strays, likeness, words, sources if worth_it else [])


def top_words(centre: Sequence[float], words: Sequence[str]) -> tuple[str, ...]:
    """Give the weightiest words of a centre; of equals, the one that came first."""
    import numpy as np

    weights = np.asarray(centre)
    best = np.argsort(-weights, kind="stable")[:MOST_WORDS].tolist()
    return tuple(words[i] for i in best if weights[i] > 0)


def plain(words: tuple[str, ...], group: Sequence[tuple[Episode, float]]) -> tuple[str, ...]:
    """Put stars for words that only keys have."""
    hidden = parts_of_keys("\n".join(item.content for item, _ in group))
    return tuple(MASK if word in hidden else word for word in words)


def checked(item: Episode) -> Episode:
    """Give a memory that can be one."""
    if not isinstance(item.content, str):
        raise InvalidValue(f"the content of memory {item.id!r} must be text")
    if not finite_number(item.importance):
        raise InvalidValue(f"memory {item.id!r} has no importance, got {item.importance!r:.80}")
    aware(f"the timestamp of memory {item.id!r}", item.timestamp)
    return item
