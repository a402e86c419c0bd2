"""Pictures of memories that fade, readable in light and in dark."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.memory.ltm import ForgettingCurve, LtmStore
from agentlab.plots import GREY, plot

mpl.use("agg")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """No figure stays open."""
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def points(ax: Axes, line: int = 0) -> tuple[list[float], list[float]]:
    """Give what a line goes through."""
    found: Any = ax.lines[line].get_data()
    xs, ys = found
    return list(xs), list(ys)


def test_a_forgetting_curve() -> None:
    """Begins at 1, and is at 37 % after as many days as it is stable."""
    (xs, ys) = points(ForgettingCurve.Ebbinghaus(30).plot())

    assert (xs[0], ys[0]) == (0, 1)
    assert dict(zip(xs, ys, strict=True))[30.0] == pytest.approx(0.367879, abs=1e-6)


def test_a_memory() -> None:
    """Draws the four strongest as they will fade, by name, and where they are forgotten."""
    ltm = LtmStore(clock=FakeClock())
    for i in range(7):
        ltm.remember(f"thing $x^{i}$ <b>", i / 10)
    ax = ltm.plot()

    assert [line.get_label() for line in ax.lines[:1]] == ["7: thing \\$x^6\\$ <b>"]
    assert len(ax.lines) == 5
    assert points(ax)[1][0] == pytest.approx(0.6)
    assert points(ax, -1)[1][0] == 0.05
    assert ax.get_title().startswith("the strongest 4 of 7 memories")
    ax.figure.canvas.draw()
    assert LtmStore().plot().get_title().startswith("0 memories")


def test_on_any_ground() -> None:
    """There is none of its own, and words are neither black nor white."""
    ax = ForgettingCurve.Ebbinghaus(3).plot()

    grounds: list[Any] = [ax.patch.get_facecolor(), ax.get_figure(root=True).get_facecolor()]  # type: ignore[union-attr]
    assert [ground[3] for ground in grounds] == [0, 0]
    assert ax.xaxis.label.get_color() == GREY
    assert ax.title.get_color() == GREY


def test_on_axes_that_are_there() -> None:
    """They are given back, to go on from."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()

    assert ForgettingCurve.Ebbinghaus(3).plot(ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_what_has_no_picture() -> None:
    """Says so, and opens nothing."""
    import matplotlib.pyplot as plt

    with pytest.raises(InvalidValue, match="there is no plot of 3"):
        plot(3)
    assert plt.get_fignums() == []


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which extra brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    with pytest.raises(NotConfigured, match="agentlab-notebook\\[lab\\]"):
        ForgettingCurve.Ebbinghaus(3).plot()


def test_a_curve_is_a_value() -> None:
    """Equal ones are equal, and one can be sent elsewhere."""
    curve = ForgettingCurve.Ebbinghaus(3)

    assert pickle.loads(pickle.dumps(curve)) == curve  # noqa: S301 - our own
