"""Figures of graphs: in light and in dark, on axes of theirs or of yours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from agentlab.core.errors import InvalidValue
from agentlab.display.plots import GREY, plot
from agentlab.graph.facts import rivers
from agentlab.graph.store import GraphStore
from tests.graph.graphs import HOSTILE, store


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Draw on no screen, and close what was drawn."""
    with mpl.rc_context():
        mpl.use("Agg")
        yield
        plt.close("all")


def contrast(ink: str, ground: float) -> float:
    """Tell how much a grey stands out."""
    light = [(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in to_rgb(ink)]
    y = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return (max(y, ground) + 0.05) / (min(y, ground) + 0.05)


def test_centralities() -> None:
    """A bar an entity, the most central on top, with their names."""
    ax: Any = rivers().plot()
    names = [label.get_text() for label in ax.get_yticklabels()]

    assert names[:4] == ["Russia", "France", "Danube", "Germany"]
    assert len(names) == len(ax.patches) == 15
    assert ax.get_xlabel() == "degree centrality"
    assert ax.yaxis_inverted()
    assert ax.figure.get_facecolor()[3] == ax.get_facecolor()[3] == 0


def test_betweenness_on_axes_of_yours() -> None:
    """As many as are wanted."""
    figure, mine = plt.subplots()
    ax: Any = store("abc", ["ab", "bc"]).plot(ax=mine, measure="betweenness", top=2)

    bars: Any = ax.patches
    assert ax is mine
    assert ax.figure is figure
    assert [bar.get_width() for bar in bars] == [0.5, 0]


def test_the_ink_can_be_read() -> None:
    """On white and on the dark ground of a notebook, by at least three to one."""
    assert contrast(GREY, 1.0) > 3
    assert contrast(GREY, 0.006) > 3


@pytest.mark.parametrize("name", [*HOSTILE, "$x^2$", "a" * 100])
def test_any_name(name: str) -> None:
    """Is letters: no formula is set, nothing is warned of but letters that the font lacks."""
    import warnings

    ax: Any = store([name]).plot()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")
        ax.figure.canvas.draw()
    assert len(ax.get_yticklabels()[0].get_text()) <= 40


def test_empty() -> None:
    """Has no bars."""
    assert len(GraphStore().plot().patches) == 0


@pytest.mark.parametrize("how", [{"measure": "none"}, {"top": 0}])
def test_wrong_arguments(how: dict[str, Any]) -> None:
    """Say what is right."""
    with pytest.raises(InvalidValue, match="must be"):
        rivers().plot(**how)
    with pytest.raises(InvalidValue, match="no figure"):
        plot(3)
