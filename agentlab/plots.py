"""matplotlib pictures, readable in a light and in a dark notebook, and on paper."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any, Literal

from agentlab.core.bounds import at_least_one
from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.core.spans import Span, Spans
from agentlab.core.trace import Trace
from agentlab.display.figures import (
    BLUE,
    GREY,
    KINDS,
    LINE,
    STYLE,
    VIOLET,
    key,
    named,
    rows,
    shown,
)
from agentlab.display.words import count, gist
from agentlab.graph.base import Graph
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.forgetting import Ebbinghaus
from agentlab.memory.ltm import LtmStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS, LIVES, CURVES, SHOWN = 200, 5, 4, 40
LABELLED, MOST = 30, 60  # points and rows that can be read


@singledispatch
def draw(obj: object, ax: Axes) -> float | None:
    """Draw ``obj`` on ``ax``. Teach it a type with ``@draw.register(Type)``.

    It may take keywords, which are then those of ``obj.plot()``, and give the height in inches of
    a figure of its own.
    """


def plot(obj: object, ax: Axes | None = None, **how: Any) -> Axes:
    """Draw ``obj`` on ``ax``, by default in a figure of its own, and give what was drawn on.

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
        if ax is not None:
            draw(obj, ax, **how)
            return ax
        figure, drawn = pyplot.subplots(layout="constrained")
        try:
            height = draw(obj, drawn, **how)
        except BaseException:
            pyplot.close(figure)
            raise
        if height is not None:
            figure.set_figheight(height)
    made: Axes = drawn
    return made


@draw.register(Trace)
def _(trace: Trace, ax: Axes) -> float:
    return waterfall(trace.spans(), ax)


@draw.register(Spans)
def waterfall(spans: Spans, ax: Axes) -> float:
    """Draw spans on a line of time: runs, calls of models and tools, failures in red.

    Of very many the runs are drawn, and as many of the calls as can be read, the longest first.
    """
    some = worth_drawing(spans)
    began = min((span.start for span in spans), default=0.0)
    ends = (span.start if span.end is None else span.end for span in spans)
    whole = max(ends, default=0.0) - began
    kinds = ["failed" if span.state == "failed" else span.kind for span in some]
    for y, (span, kind) in enumerate(zip(some, kinds, strict=True)):
        start = span.start - began
        length = whole - start if span.end is None else span.end - span.start
        ax.barh(
            y, max(length, whole / 200), left=start, height=0.55,
            color=KINDS[kind], label="" if kind in kinds[:y] else kind,
        )  # fmt: skip
    height = rows(ax, [span_label(span) for span in some])
    ax.set_xlim(0, whole or 1)
    title = f"{len(some)} of {count(len(spans))} spans, the longest"
    named(ax, title if len(some) < len(spans) else "", "seconds", "")
    if len(set(kinds)) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), labelcolor=GREY)
    return height


def worth_drawing(spans: Spans) -> list[Span]:
    """Choose what can be read, in the order of time."""
    if len(spans) <= MOST:
        return list(spans)

    def worth(no: int) -> tuple[bool, bool, float]:
        span = spans[no]
        failed = span.state == "failed"
        return failed, span.kind == "run", (span.end or span.start) - span.start

    best = sorted(range(len(spans)), key=worth, reverse=True)[:MOST]
    return [spans[no] for no in sorted(best)]


def span_label(span: Span) -> str:
    """Name a row; the word says what the colour does."""
    name = shown(span.name.replace("_", " "))
    return f"{name}, {span.why or 'failed'}" if span.state == "failed" else name


@draw.register(Ebbinghaus)
def _(curve: Ebbinghaus, ax: Axes) -> None:
    """Draw what is left after some days."""
    days = days_of(curve)
    ax.plot(days, [curve.retention(day) for day in days])
    ax.axvline(curve.stability, color=GREY, linestyle=":", linewidth=0.8)
    named(ax, f"37 % is left after {curve.stability:g} days", "age (days)", "what is left")


@draw.register(LtmStore)
def _(ltm: LtmStore, ax: Axes) -> None:
    """Draw how the strongest entries will fade, and where they are forgotten."""
    curve, entries = ltm.config.curve, ltm.rows()
    days = days_of(curve)
    for row in entries[:CURVES]:
        left = [row.importance * curve.retention(row.age_days + day) for day in days]
        said = gist(row.content, SHOWN).replace("$", r"\$")  # which would begin a formula
        ax.plot(days, left, label=f"{row.id}: {said}")
    ax.axhline(ltm.config.min_importance, color=GREY, linestyle=":", linewidth=0.8)
    ax.set_ylim(-0.02, 1.05)
    if entries:
        ax.legend(labelcolor=GREY)
    many = len(entries)
    some = f"the strongest {CURVES} of {many:,}" if many > CURVES else f"{many}"
    named(ax, f"{some} memories, forgotten at the dotted line", "days from now", "strength")


def days_of(curve: Ebbinghaus) -> list[float]:
    """Give the days of a curve, until hardly anything is left."""
    return [curve.stability * LIVES * i / STEPS for i in range(STEPS + 1)]


@draw.register(DecayPolicy)
def _(policy: DecayPolicy, ax: Axes) -> None:
    """Draw what is left of several importances as they age."""
    last = LIVES * policy.half_life_hours
    ages = [last * i / STEPS for i in range(STEPS + 1)]
    for importance in (1.0, 0.5, 0.25):
        left = [policy.decayed(importance, age) for age in ages]
        ax.plot(ages, left, label=f"importance {importance:g}")
    ax.set_xticks([life * policy.half_life_hours for life in range(LIVES + 1)])
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
        faded(store.decay, ages, ax)
    ax.scatter(ages, now, s=16, color=BLUE, label="now")
    if len(ages):
        key(ax)
    ax.set_ylim(-0.02, 1.05)
    ax.invert_xaxis()
    title = f"{len(ages):,} memories of {len(told['agents']):,} agents"
    named(ax, title, "age (h), now at the right", "importance")


def faded(policy: DecayPolicy, ages: Any, ax: Axes) -> None:
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
    marks: dict[str, Any] = {"xytext": (4, 3), "textcoords": "offset points", "color": GREY}
    for place, label in zip(places[:LABELLED].tolist(), labels_of(memory), strict=False):
        ax.annotate(shown(label), place, size=8, parse_math=False, **marks)
    title = f"{len(vectors):,} vectors, {share:.0%} of how they differ"
    named(ax, title, "first direction", "second")


def labels_of(memory: Any) -> list[str]:
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


@draw.register(Graph)
def centralities(
    graph: Graph[Any],
    ax: Axes,
    *,
    measure: Literal["degree", "betweenness"] = "degree",
    top: int = 15,
) -> float:
    """Draw the entities that are most central, and how central each is.

    Parameters
    ----------
    graph : GraphStore or KnowledgeGraph
        Whose.
    ax : Axes
        Where to.
    measure : {"degree", "betweenness"}
        What central means: many edges, or many shortest paths of others.
    top : int
        How many.
    """
    measures = {"degree": graph.degree_centrality, "betweenness": graph.betweenness_centrality}
    if measure not in measures:
        raise InvalidValue(f"measure must be one of {', '.join(measures)}, got {measure!r}")
    best = sorted(measures[measure]().items(), key=lambda each: -each[1])
    best = best[: at_least_one("top", top)]
    titles = {entity.id: graph.title(entity) for entity in graph.held()[0]}
    ax.barh(range(len(best)), [value for _, value in best], height=0.55, color=BLUE)
    height = rows(ax, [shown(titles.get(name, name)) for name, _ in best])
    named(ax, "", f"{measure} centrality", "")
    return height
