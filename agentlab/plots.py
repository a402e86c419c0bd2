"""matplotlib pictures, readable in light and in dark: no ground of their own, neutral words."""

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

NEUTRAL = "#808080"  # which is readable on white and on black
LINES = ("#2d8cff", "#12a85c", "#d98a00", "#8a63f0", "#f04438")
POINTS, MOST = 121, 5  # of a curve; curves


@singledispatch
def draw(_obj: object, _ax: Axes) -> None:
    """Draw a thing on axes. Teach it a type with ``@draw.register(Type)``."""


def plot(obj: object, *, ax: Axes | None = None) -> Axes:
    """Draw ``obj`` on ``ax``, or on a figure of its own, and give the axes.

    Raises
    ------
    InvalidValue
        There is no picture of such a thing.
    NotConfigured
        matplotlib is not installed.
    """
    drawing = draw.dispatch(type(obj))
    if drawing is draw.dispatch(object):
        raise InvalidValue(f"there is no plot of {obj!r:.80}")
    ax = fresh() if ax is None else ax
    drawing(obj, ax)
    styled(ax)
    return ax


def fresh() -> Axes:
    """Make axes on a new figure without a ground."""
    pyplot = need("matplotlib.pyplot", "lab")
    figure, ax = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    figure.patch.set_alpha(0)
    made: Axes = ax
    return made


def styled(ax: Axes) -> None:
    """Give axes the look of all of them."""
    ax.patch.set_alpha(0)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        ax.spines[side].set_color(NEUTRAL)
    ax.tick_params(colors=NEUTRAL)
    ax.grid(visible=True, color=NEUTRAL, alpha=0.2)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_color(NEUTRAL)
    if legend := ax.get_legend():
        legend.get_frame().set_alpha(0)
        for text in legend.get_texts():
            text.set_color(NEUTRAL)


def days_until(curve: Ebbinghaus, horizons: float = 4) -> list[float]:
    """Give the days of a curve, until little is left."""
    return [curve.stability * horizons * i / (POINTS - 1) for i in range(POINTS)]


@draw.register(Ebbinghaus)
def _(curve: Ebbinghaus, ax: Axes) -> None:
    days = days_until(curve)
    ax.plot(days, [curve.retention(day) for day in days], color=LINES[0])
    ax.axvline(curve.stability, color=NEUTRAL, linestyle=":", linewidth=1)
    ax.set(xlabel="days", ylabel="what is left", ylim=(0, 1.02), title=f"{curve.stability:g} days")


@draw.register(LtmStore)
def _(ltm: LtmStore, ax: Axes) -> None:
    curve, rows = ltm.config.curve, ltm.rows()
    days = days_until(curve)
    for row, color in zip(rows[:MOST], LINES, strict=False):
        left = [row.importance * curve.retention(row.age_days + day) for day in days]
        label = gist(row.content, 32).replace("$", r"\$")  # which would begin a formula
        ax.plot(days, left, color=color, label=f"{row.id}: {label}")
    ax.axhline(ltm.config.min_importance, color=NEUTRAL, linestyle=":", linewidth=1)
    title = f"the strongest {MOST} of {len(rows)}" if len(rows) > MOST else f"{len(rows)} memories"
    ax.set(xlabel="days from now", ylabel="strength", ylim=(0, 1.02), title=title)
    if rows:
        ax.legend(fontsize="small")
