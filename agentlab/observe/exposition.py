"""How metrics are written down for Prometheus: the text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.observe.histogram import written

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
IN_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})
IN_LABEL = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class SampleRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """One number that is exposed; ``kind`` is that of the metric it belongs to."""

    name: str
    kind: str
    labels: dict[str, str]
    value: float


def heading(name: str, kind: str, about: str) -> str:
    r"""Write what goes before the samples of a metric.

    >>> heading("calls_total", "counter", "All calls")
    '# HELP calls_total All calls\n# TYPE calls_total counter\n'
    """
    said = f" {about.translate(IN_HELP)}" if about else ""
    return f"# HELP {name}{said}\n# TYPE {name} {kind}\n"


def labelled(name: str, labels: Mapping[str, str]) -> str:
    r"""Write a name and its labels.

    >>> labelled("calls_total", {"tool": 'a"b'})
    'calls_total{tool="a\\"b"}'
    """
    pairs = ",".join(f'{key}="{value.translate(IN_LABEL)}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


def lines(samples: Iterable[SampleRow]) -> str:
    """Write samples, a line each."""
    return "".join(f"{labelled(row.name, row.labels)} {written(row.value)}\n" for row in samples)
