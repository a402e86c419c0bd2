"""All series of one name, and what such a name may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.observe.exposition import SampleRow, heading, lines
from agentlab.observe.series import Histogram, Series
from agentlab.observe.values import OTHER

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
MAX_SERIES = 1000


@dataclass(eq=False)
class Family:
    """All series of one name."""

    name: str
    help: str
    kind: type[Series]
    label_names: tuple[str, ...]
    options: dict[str, Any]
    series: dict[tuple[str, ...], Series] = field(default_factory=dict)
    full: bool = False

    def of(self, labels: Mapping[str, str]) -> Series:
        """Give the series with ``labels``, or the one of all others where there is no room."""
        key = tuple(labels[name] for name in self.label_names)
        found = self.series.get(key)
        if found is None and len(self.series) >= MAX_SERIES:
            self.full, key = True, (OTHER,) * len(key)
            found = self.series.get(key)
        if found is None:
            labels = dict(zip(self.label_names, key, strict=True))
            found = self.kind(self.name, self.help, labels=labels, **self.options)
            self.series[key] = found
        return found

    def text(self) -> str:
        """Write it down."""
        return heading(self.name, self.kind.kind, self.help) + lines(self.rows())

    def rows(self) -> list[SampleRow]:
        """List its samples, series by series."""
        return [row for each in self.ordered() for row in each.rows()]

    def ordered(self) -> list[Series]:
        """List the series in the order of their labels."""
        return [each for _, each in sorted(self.series.items())]


def check_names(kind: type[Series], name: str, label_names: Iterable[str]) -> None:
    """Refuse what Prometheus would.

    Raises
    ------
    InvalidValue
        The name, or that of a label, cannot be one.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidValue(f"a metric's name must match {NAME.pattern}, got {name!r}")
    for label in label_names:
        if not isinstance(label, str) or not LABEL.fullmatch(label):
            raise InvalidValue(
                f"a label of {name!r} must be letters, digits and _, not begin with a digit or"
                f" two of these, got {label!r}"
            )
        if label == "le" and kind is Histogram:
            raise InvalidValue(f"histogram {name!r} has a label 'le' of its own: choose another")
