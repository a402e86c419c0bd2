"""The memories of one agent, as columns."""

from __future__ import annotations

from functools import cache
from itertools import compress
from typing import Any

from agentlab.memory.columns import Column
from agentlab.memory.decay import EvictionPolicy
from agentlab.memory.lead import Lead
from agentlab.memory.ranked import near_best
from agentlab.memory.worth import Ranking, Worth, worth

WAITING = 4096  # rows that wait in lists
FIRST, LAST = -(1 << 62), 1 << 62  # beyond any moment that there is


@cache
def endings() -> list[str]:
    """List the last three digits that an id can have."""
    return [f"{number:03x}" for number in range(1 << 12)]


class Episodes:
    """One agent's memories, in the order they were added. It has no lock.

    Parameters
    ----------
    agent : str
        Whose they are.
    prefix : str
        How the ids of its memories begin; a number follows.
    """

    def __init__(self, agent: str, prefix: str) -> None:
        self.agent = agent
        self.prefixes = [(0, prefix)]  # from which number on
        self.due = ""  # the prefix from the next number on, where these were read from somewhere
        self.next = 0
        self.texts: list[str] = []
        self.tags: list[tuple[str, ...]] = []
        self.importance = Column("f8")
        self.times = Column("i8")
        self.counts = Column("i4")
        self.numbers: Column | None = None  # what row has which, once some are gone
        self.newest, self.oldest = FIRST, LAST
        self.most = 0  # how often the one recalled most was
        self._lead = Lead(self)

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, text: str, importance: float, at: int, tags: tuple[str, ...]) -> int:
        """Add a memory and give its number."""
        if self.due:
            self.begin()
        self.texts.append(text)
        self.tags.append(tags)
        self.importance.append(importance)
        self.times.append(at)
        self.counts.append(0)
        number = self.next
        self.next = number + 1
        if self.numbers is not None:
            self.numbers.append(number)
        if at > self.newest:  # noqa: PLR1730 - a call would cost more than all of this
            self.newest = at
        if at < self.oldest:  # noqa: PLR1730 - as above
            self.oldest = at
        if number % WAITING == WAITING - 1:
            self.settle()
        return number

    def extend(self, texts: list[str], importances: list[float], times: list[int]) -> range:
        """Add several and give their numbers; none has tags."""
        if self.due:
            self.begin()
        numbers = range(self.next, self.next + len(texts))
        self.next = numbers.stop
        self.texts += texts
        self.tags += [()] * len(texts)
        self.importance.extend(importances)
        self.times.extend(times)
        self.counts.extend([0] * len(texts))
        if self.numbers is not None:
            self.numbers.extend(numbers)
        self.newest = max(self.newest, max(times, default=FIRST))
        self.oldest = min(self.oldest, min(times, default=LAST))
        self.settle()
        return numbers

    def begin(self) -> None:
        """Let the ids of what is added from here on begin in another way."""
        self.prefixes.append((self.next, self.due))
        self.due = ""

    def settle(self) -> None:
        """Let nothing wait."""
        for column in self._columns():
            column.array()

    def id_of(self, number: int) -> str:
        """Give the id of a number."""
        for start, prefix in reversed(self.prefixes):
            if number >= start:
                return f"{prefix}{number:012x}"
        raise LookupError(number)

    def row_of(self, id: str) -> int | None:  # noqa: A002 - what it is
        """Give the row of an id, or None where it is not here."""
        try:
            number = int(id[-12:], 16)
        except ValueError:
            return None
        if not 0 <= number < self.next or self.id_of(number) != id:
            return None
        if self.numbers is None:
            return number
        array = self.numbers.array()
        row = int(array.searchsorted(number))
        return row if row < len(array) and array[row] == number else None

    def number_of(self, row: int) -> int:
        """Give the number of a row."""
        return row if self.numbers is None else int(self.numbers.array()[row])

    def ids(self) -> list[str]:
        """Give all ids."""
        numbers = range(len(self)) if self.numbers is None else self.numbers.array().tolist()
        if len(self.prefixes) > 1:
            return [self.id_of(number) for number in numbers]
        prefix = self.prefixes[0][1]
        if self.numbers is not None:
            return [f"{prefix}{number:012x}" for number in numbers]
        ends = endings()  # which is several times as quick
        found: list[str] = []
        for block in range(0, len(self), len(ends)):
            start = f"{prefix}{block // len(ends):09x}"
            found += [start + end for end in ends[: len(self) - block]]
        return found

    def best(self, limit: int, now: int, how: Ranking, since: float | None = None) -> list[int]:
        """Give the best rows at a moment: of equals the newer, then the one added later.

        With ``since`` those that happened before are left out.
        """
        if since is not None and self.oldest < since:
            rows = (self.times.array() >= since).nonzero()[0]
            if not len(rows):
                return []
            scores = self.scores(now, how)
            near = rows[near_best(scores[rows], limit)]
            return self._lead.first(near, scores, limit)
        limit = min(limit, len(self))
        if limit <= 0:
            return []
        if how.hybrid is None and (how.unit is None or self.newest <= now):
            led = self._lead.rows(limit, how.unit)
            if led is not None:
                return led
        scores = self.scores(now, how)
        return self._lead.first(near_best(scores, limit), scores, limit)

    def scores(self, now: int, how: Ranking) -> Any:
        """Give what all rows are ranked by at a moment."""
        import numpy as np

        if how.hybrid is not None:
            return self.worth(slice(None), now, how).score
        if how.unit is None:
            return self.importance.array()
        return np.minimum(self.times.array(), now) / how.unit + self._lead.logarithms()

    def worth(self, rows: Any, now: int, how: Ranking) -> Worth:
        """Weigh some rows at a moment."""
        import numpy as np

        ages = now - self.times.array()[rows]
        np.maximum(ages, 0, out=ages)
        counts = self.counts.array()[rows]
        return worth(self.importance.array()[rows], ages, counts, self.most, how)

    def recalled(self, rows: list[int]) -> None:
        """Count these as recalled."""
        counts = self.counts.array()
        for row in rows:
            counts[row] += 1
            self.most = max(self.most, int(counts[row]))

    def shrink(
        self, capacity: int, now: int, how: Ranking, policy: EvictionPolicy, *, spare: bool
    ) -> None:
        """Forget the least until no more are left: of equals the older, then those added earlier.

        With ``spare`` the one that was added last stays.
        """
        import numpy as np

        excess, size = len(self) - capacity, len(self) - (spare and len(self) > 1)
        if excess <= 0:
            return
        times = self.times.array()[:size]
        keys = times
        if policy is EvictionPolicy.LowestImportance:
            keys = self.scores(now, Ranking(how.decay, how.recall.Importance))[:size]
        rows = np.arange(size) if excess > 1 else np.flatnonzero(keys == keys.min())
        gone = rows[np.lexsort((rows, times[rows], keys[rows]))[:excess]]
        if excess == 1:
            self.remove(int(gone[0]))
        else:
            self.keep_rows(np.setdiff1d(np.arange(len(self)), gone))

    def remove(self, row: int) -> None:
        """Forget one."""
        self._numbered()
        self._lead.drop(row)
        at, count = int(self.times.array()[row]), int(self.counts.array()[row])
        for column in self._columns():
            column.drop(row)
        del self.texts[row], self.tags[row]
        if at in (self.oldest, self.newest) or (count and count == self.most):
            self.measure()

    def keep(self, mask: Any) -> None:
        """Forget all rows where ``mask`` is false."""
        self._numbered()
        self._lead.keep(mask)
        for column in self._columns():
            column.keep(mask)
        kept = mask.tolist()
        self.texts = list(compress(self.texts, kept))
        self.tags = list(compress(self.tags, kept))
        self.measure()

    def without(self, rows: list[int]) -> Episodes:
        """Give another one that lacks some rows; this one stays as it is."""
        import numpy as np

        mask = np.ones(len(self), bool)
        mask[rows] = False
        made = Episodes(self.agent, "")
        made.prefixes, made.due, made.next = list(self.prefixes), self.due, self.next
        kept = mask.tolist()
        made.texts, made.tags = list(compress(self.texts, kept)), list(compress(self.tags, kept))
        for old, new in zip(self.told(), made.told(), strict=True):
            new.take(old.array()[mask])
        made.numbers = Column("i8")
        made.numbers.take(
            np.flatnonzero(mask) if self.numbers is None else self.numbers.array()[mask]
        )
        made.measure()
        return made

    def forget_before(self, since: float) -> None:
        """Forget what happened before."""
        if self.oldest < since:
            self.keep(self.times.array() >= since)

    def keep_rows(self, rows: Any) -> None:
        """Forget all other rows."""
        import numpy as np

        mask = np.zeros(len(self), bool)
        mask[rows] = True
        self.keep(mask)

    def renumber(self, numbers: list[int]) -> None:
        """Say which number each row has."""
        self.numbers = Column("i8", numbers)

    def measure(self) -> None:
        """Find the extremes anew."""
        times, counts = self.times.array(), self.counts.array()
        self.newest = int(times.max(initial=FIRST))
        self.oldest = int(times.min(initial=LAST))
        self.most = int(counts.max(initial=0))

    def _numbered(self) -> None:
        if self.numbers is None:
            self.numbers = Column("i8", range(len(self)))

    def told(self) -> tuple[Column, Column, Column]:
        """Give importance, times and counts."""
        return self.importance, self.times, self.counts

    def _columns(self) -> list[Column]:
        return [*self.told(), *([] if self.numbers is None else [self.numbers])]
