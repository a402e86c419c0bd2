"""The waterfall as a figure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import msgspec
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.spans import Span, Spans
from agentlab.core.trace import Trace
from agentlab.display.plots import COLOURS, GREY, MOST, plot
from tests.tracing import LAST, STEP, WRONG, ran


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    """Draw without a window, and leave no figure behind."""
    mpl.use("Agg")
    yield
    plt.close("all")


def bars(ax: Axes) -> list[Any]:
    """Give the bars, from the top."""
    return sorted(ax.patches, key=lambda bar: bar.get_y())


def test_a_bar_a_span() -> None:
    """From when to when, named, and in red where it failed; the word says so too."""
    entries = ran([WRONG, LAST])[0]
    late = [msgspec.structs.replace(each, offset=each.offset + 300) for each in entries]
    spans, ax = Trace.of(entries).spans(), Trace.of(late).plot()

    starts = [span.start - spans[0].start for span in spans]
    assert [bar.get_x() for bar in bars(ax)] == pytest.approx(starts)
    named = [label.get_text() for label in ax.get_yticklabels()]
    assert named == ["agent", "model", "population, permanent", "model"]
    assert bars(ax)[2].get_facecolor() == colors.to_rgba(COLOURS["failed"])
    assert bars(ax)[0].get_width() == pytest.approx(spans[0].end - spans[0].start)  # type: ignore[operator]


def luminance(colour: Any) -> float:
    """Give how bright a colour is, as contrast is measured."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("page", ["#ffffff", "#212121", "#111111"])
def test_on_any_page(page: str) -> None:
    """There is nothing behind it, and text and bars stand out from white and from black."""
    ax = Trace.of(ran([WRONG, LAST])[0]).plot()
    assert ax.figure is not None
    assert ax.patch.get_alpha() == 0
    assert ax.figure.patch.get_alpha() == 0
    for colour in {GREY, *COLOURS.values()}:
        one, other = sorted([luminance(colour), luminance(page)])
        assert (other + 0.05) / (one + 0.05) >= 3, colour


def test_where_one_wants_it() -> None:
    """It can be one of several axes, and is given back to go on with."""
    _, (left, right) = plt.subplots(1, 2)

    assert Trace.of(ran([STEP])[0]).plot(ax=right) is right
    assert not left.patches


def test_nothing_and_very_much() -> None:
    """An empty trace gives an empty figure; of very many the failed and the longest are drawn."""
    assert not Trace().plot().patches
    many = Spans(
        Span("tool", "r", "$x$", i, 1, float(i), i + i / 1000, "failed" if i == 3 else "ok", "late")
        for i in range(500)
    )
    ax = plot(many)

    assert len(bars(ax)) == MOST
    assert "60 of 500 spans" in ax.get_title()
    assert ax.get_yticklabels()[0].get_text() == r"\$x\$, late"
    ax.figure.canvas.draw()


def test_what_has_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named; and without matplotlib it says how to get it."""
    with pytest.raises(InvalidValue, match="no figure of 3"):
        plot(3)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(NotConfigured, match="lab"):
        Trace().plot()
