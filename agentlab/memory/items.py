"""A memory, as it is handed out; and moments as whole microseconds, which are exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from agentlab.core.clock import SYSTEM_CLOCK
from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.core.text import cut
from agentlab.memory.given import a_text, aware, texts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
DAY_S = 86_400
SHOWN = 60


class MemoryItem(Portable, Displayable, msgspec.Struct, frozen=True):
    """Something that happened to an agent, as it was when it was recalled.

    Attributes
    ----------
    id : str
        What it is called in its store.
    agent_id : str
        Whose it is.
    content : str
        What happened.
    importance : float
        What it was worth when it was new, between 0 and 1.
    timestamp : datetime
        When it happened, in UTC.
    tags : tuple of str
        What it is about.
    recall_count : int
        How often it was recalled, this time included.
    """

    id: str
    agent_id: str
    content: str
    importance: float
    timestamp: datetime
    tags: tuple[str, ...] = ()
    recall_count: int = 0

    def __repr__(self) -> str:
        return f"<MemoryItem {self.importance:.2f} {cut(self.content, SHOWN)!r}>"

    def age_hours(self, now: datetime | None = None) -> float:
        """Give its age, by default at this moment; what is yet to come has none."""
        return hours(micros(now or SYSTEM_CLOCK.now()) - micros(self.timestamp))

    def has_tag(self, tag: str) -> bool:
        """Tell whether it is about that."""
        return tag in self.tags

    def word_count(self) -> int:
        """Count its words, as white space parts them."""
        return len(self.content.split())


class EpisodeRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A memory at a glance: also what is left of it now, and how old it is."""

    agent: str
    content: str
    importance: float
    importance_now: float
    age_hours: float
    recall_count: int
    tags: tuple[str, ...]
    timestamp: datetime
    id: str


def micros(moment: Any) -> int:
    """Give a moment as microseconds since 1970.

    Raises
    ------
    InvalidValue
        It is none, or does not say its time zone.
    """
    since = aware("a timestamp", moment) - EPOCH
    return (since.days * DAY_S + since.seconds) * 1_000_000 + since.microseconds


def moment(us: int) -> datetime:
    """Give the moment so many microseconds after 1970, in UTC."""
    return EPOCH + timedelta(microseconds=us)


def hours(us: int) -> float:
    """Give an age in hours; what is yet to come has none."""
    return max(0, us) / HOUR_US


def text_of(content: Any, what: str = "content") -> str:
    """Give a text as it can be written down: a lone surrogate becomes U+FFFD.

    Raises
    ------
    InvalidValue
        It is no text.
    """
    return a_text(what, content)


def tags_of(tags: Any) -> tuple[str, ...]:
    """Give tags as they are kept: each once, in their order.

    Raises
    ------
    InvalidValue
        They are not several texts.
    """
    return tuple(dict.fromkeys(texts("tags", tags)))
