"""Pictures of numbers."""

from __future__ import annotations

import math
import re

from agentlab.display.charts import histogram


def test_a_histogram() -> None:
    """A column a bound, as high as its count, which stands above it; in words for who sees none."""
    drawn = histogram([5, 50, math.inf], [1, 0, 1200], title="step latency, ms", path="m.buckets")
    heights = [int(found) for found in re.findall(r'<rect .*? height="(\d+)"', drawn)]

    assert heights == [1, 1, 56]
    assert re.findall(r"<text [^>]*>([^<]*)<", drawn) == ["1", "5", "", "50", "1,200", "&gt;50"]
    assert "<title>step latency, ms: up to 5 1, above 50 1,200</title>" in drawn
    assert 'title="m.buckets"' in drawn


def test_a_histogram_of_nothing() -> None:
    """Only its foot."""
    assert "<rect" in histogram([1, 2], [0, 0], title="t", path="p")
