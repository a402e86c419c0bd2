"""matplotlib pictures, readable in a light and in a dark notebook.

The background is the notebook's own, and what is written is of a grey that can be read on both.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.core.text import cut
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory

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
STEPS, LIVES, LABELLED, SHOWN = 200, 5, 30, 24


@singledispatch
def draw(obj: object, ax: Axes) -> None:  # noqa: ARG001 - those that draw need it
    """Draw ``obj`` on ``ax``. Teach it a type with ``@draw.register(Type)``.

    Raises
    ------
    InvalidValue
        There is no plot of such a thing.
    """
    raise InvalidValue(f"there is no plot of {obj!r:.80}")


def plot(obj: object, *, ax: Axes | None = None) -> Axes:
    """Draw ``obj`` on ``ax``, by default in a new figure, and give what was drawn on.

    Raises
    ------
    NotConfigured
        There is no matplotlib.
    InvalidValue
        There is no plot of such a thing.
    """
    pyplot = need("matplotlib.pyplot", "lab")
    with pyplot.rc_context(STYLE):
        drawn: Axes = pyplot.subplots(layout="constrained")[1] if ax is None else ax
        draw(obj, drawn)
    return drawn


@draw.register(DecayPolicy)
def _(policy: DecayPolicy, ax: Axes) -> None:
    """Draw what is left of several importances as they age."""
    last = LIVES * policy.half_life_hours
    ages = [last * i / STEPS for i in range(STEPS + 1)]
    for importance in (1.0, 0.5, 0.25):
        left = [policy.decayed(importance, age) for age in ages]
        ax.plot(ages, left, label=f"importance {importance:g}")
    for life in range(1, LIVES):
        ax.axvline(life * policy.half_life_hours, color=LINE, linewidth=0.8)
    key(ax)
    named(ax, f"half is left after {policy.half_life_hours:g} h", "age (h)", "importance now")


@draw.register(EpisodicStore)
def _(store: EpisodicStore, ax: Axes) -> None:
    """Draw each memory at its age: what it was worth, and what is left."""
    told = store.columns()
    ages, importance, now = told["age_hours"], told["importance"], told["importance_now"]
    if store.decay is not None:
        ax.vlines(ages, now, importance, color=LINE, linewidth=0.8)
        ax.scatter(ages, importance, s=14, facecolors="none", edgecolors=GREY, label="when new")
        curve(store.decay, ages, ax)
    ax.scatter(ages, now, s=16, color=BLUE, label="now")
    if len(ages):
        key(ax)
    ax.set_ylim(-0.02, 1.05)
    ax.invert_xaxis()
    title = f"{len(ages):,} memories of {len(told['agents']):,} agents"
    named(ax, title, "age (h), now at the right", "importance")


def curve(policy: DecayPolicy, ages: Any, ax: Axes) -> None:
    """Draw what would be left of an importance of 1."""
    last = float(max(ages, default=0.0)) or policy.half_life_hours
    line = [last * i / STEPS for i in range(STEPS + 1)]
    left = [policy.factor(age) for age in line]
    ax.plot(line, left, color=VIOLET, linewidth=1, label=f"half-life {policy.half_life_hours:g} h")


@draw.register(VectorMemory)
@draw.register(SemanticMemory)
@draw.register(SemanticStore)
def _(memory: VectorMemory[Any] | SemanticMemory[Any] | SemanticStore, ax: Axes) -> None:
    """Draw the vectors as points: the two directions in which they differ most."""
    vectors = memory.vectors()
    places, share = flat(vectors)
    ax.scatter(places[:, 0], places[:, 1], s=18, color=BLUE)
    for (x, y), label in zip(places[:LABELLED].tolist(), labels(memory), strict=False):
        ax.annotate(cut(label, SHOWN), (x, y), xytext=(4, 3), textcoords="offset points", size=8)
    title = f"{len(vectors):,} vectors, {share:.0%} of how they differ"
    named(ax, title, "first direction", "second")


def labels(memory: Any) -> list[str]:
    """Say what each vector stands for."""
    if isinstance(memory, SemanticMemory):
        return memory.texts()
    if isinstance(memory, SemanticStore):
        return [entry.key for entry in memory.entries() if entry.embedding is not None]
    return [str(value) for value in memory.values()]


def flat(vectors: Any) -> tuple[Any, float]:
    """Give vectors on the plane in which they differ most, and which share of that it shows.

    The signs are chosen so that the same vectors are always drawn alike.
    """
    import numpy as np

    size = len(vectors)
    if not size or not vectors.shape[1]:
        return np.zeros((size, 2)), 1.0
    centred = vectors - vectors.mean(axis=0)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    spread = np.pad(spread, (0, 2))
    left = np.pad(left, ((0, 0), (0, 2)))[:, :2]
    left *= np.where(left[np.abs(left).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    whole = float((spread**2).sum())
    return left * spread[:2], float((spread[:2] ** 2).sum()) / whole if whole else 1.0


def key(ax: Axes) -> None:
    """Say above the picture what is what."""
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=9)


def named(ax: Axes, title: str, across: str, up: str) -> None:
    """Say what is seen."""
    ax.set_title(title, loc="left")
    ax.set_xlabel(across)
    ax.set_ylabel(up)
