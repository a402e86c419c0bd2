"""matplotlib pictures, readable in a light and in a dark notebook.

The background is the notebook's own, and what is written is of a grey that can be read on both.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.display.words import gist
from agentlab.memory.forgetting import Ebbinghaus
from agentlab.memory.ltm import LtmStore

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY, LINE = "#7b7b7b", "#7b7b7b40"
BLUE, VIOLET, GREEN, AMBER = "#3d85d9", "#8b72d9", "#2f9e63", "#b8862b"
STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "axes.titlecolor": GREY,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "axes.grid": True,
    "grid.color": LINE,
    "axes.prop_cycle": "cycler('color', ['#3d85d9', '#8b72d9', '#2f9e63', '#b8862b'])",
    "figure.figsize": (6.4, 3.6),
}
STEPS, LIVES, CURVES, SHOWN = 200, 5, 4, 40


@singledispatch
def draw(obj: object, ax: Axes) -> None:
    """Draw ``obj`` on ``ax``. Teach it a type with ``@draw.register(Type)``."""


def plot(obj: object, *, ax: Axes | None = None) -> Axes:
    """Draw ``obj`` on ``ax``, by default in a new figure, and give what was drawn on.

    Raises
    ------
    NotConfigured
        There is no matplotlib.
    InvalidValue
        There is no plot of such a thing.
    """
    if draw.dispatch(type(obj)) is draw.dispatch(object):
        raise InvalidValue(f"there is no plot of {obj!r:.80}")
    pyplot = need("matplotlib.pyplot", "lab")
    with pyplot.rc_context(STYLE):
        drawn: Axes = pyplot.subplots(layout="constrained")[1] if ax is None else ax
        draw(obj, drawn)
    return drawn


@draw.register(Ebbinghaus)
def _(curve: Ebbinghaus, ax: Axes) -> None:
    """Draw what is left after some days."""
    days = days_of(curve)
    ax.plot(days, [curve.retention(day) for day in days])
    ax.axvline(curve.stability, color=LINE, linewidth=0.8)
    named(ax, f"37 % is left after {curve.stability:g} days", "age (days)", "what is left")


@draw.register(LtmStore)
def _(ltm: LtmStore, ax: Axes) -> None:
    """Draw how the strongest entries will fade, and where they are forgotten."""
    curve, rows = ltm.config.curve, ltm.rows()
    days = days_of(curve)
    for row in rows[:CURVES]:
        left = [row.importance * curve.retention(row.age_days + day) for day in days]
        said = gist(row.content, SHOWN).replace("$", r"\$")  # which would begin a formula
        ax.plot(days, left, label=f"{row.id}: {said}")
    ax.axhline(ltm.config.min_importance, color=GREY, linestyle=":", linewidth=0.8)
    ax.set_ylim(-0.02, 1.05)
    if rows:
        ax.legend()
    some = f"the strongest {CURVES} of {len(rows):,}" if len(rows) > CURVES else f"{len(rows)}"
    named(ax, f"{some} memories, forgotten at the dotted line", "days from now", "strength")


def days_of(curve: Ebbinghaus) -> list[float]:
    """Give the days of a curve, until hardly anything is left."""
    return [curve.stability * LIVES * i / STEPS for i in range(STEPS + 1)]


def named(ax: Axes, title: str, across: str, up: str) -> None:
    """Say what is seen."""
    ax.set_title(title)
    ax.set_xlabel(across)
    ax.set_ylabel(up)
