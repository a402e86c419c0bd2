"""Figures for papers, made with matplotlib: nothing behind them, and readable on any page."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any, Literal

from agentlab.core.bounds import at_least_one
from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.core.spans import Span, Spans
from agentlab.core.trace import Trace
from agentlab.display.html import visible
from agentlab.display.words import count, gist
from agentlab.graph.base import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "#7f7f7f"  # 4:1 on white and on JupyterLab's black
COLOURS = {
    "run": "#8c8c8c", "model": "#8a63d2", "tool": "#2d7fd6", "message": "#b07d12",
    "memory": "#2f9e63", "phase": "#b07d12", "save": "#8c8c8c", "warning": "#b07d12",
    "failed": "#d9463b",
}  # fmt: skip
MOST = 60  # rows of a figure that can be read


@singledispatch
def plot(obj: object, ax: Axes | None = None, **how: Any) -> Axes:
    """Draw ``obj``. Teach it a type with ``@plot.register(Type)``.

    Raises
    ------
    InvalidValue
        There is no figure of such a thing.
    """
    raise InvalidValue(f"there is no figure of {obj!r:.80}, on {ax!r:.40}, {how}")


@plot.register(Trace)
def _(trace: Trace, ax: Axes | None = None) -> Axes:
    return waterfall(trace.spans(), ax)


@plot.register(Spans)
def waterfall(spans: Spans, ax: Axes | None = None) -> Axes:
    """Draw spans on a line of time: runs, calls of models and tools, failures in red.

    Of very many the runs are drawn, and as many of the calls as can be read, the longest first.
    """
    rows = worth_drawing(spans)
    began = min((span.start for span in spans), default=0.0)
    whole = max((span.start if span.end is None else span.end for span in spans), default=0.0)
    whole -= began
    ax = canvas(ax, max(1.2, 0.24 * len(rows) + 0.7))
    kinds: dict[str, str] = {}
    for y, span in enumerate(rows):
        kind = "failed" if span.state == "failed" else span.kind
        start = span.start - began
        length = whole - start if span.end is None else span.end - span.start
        ax.barh(
            y, max(length, whole / 200), left=start, height=0.55,
            color=COLOURS[kind], label="" if kind in kinds else kind,
        )  # fmt: skip
        kinds[kind] = kind
    ax.set_yticks(range(len(rows)), [label(span) for span in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(0, whole or 1)
    ax.set_xlabel("seconds")
    if len(rows) < len(spans):
        ax.set_title(f"{len(rows)} of {count(len(spans))} spans, the longest", fontsize=9)
    if len(kinds) > 1:
        ax.legend(
            loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8,
            labelcolor=GREY,
        )  # fmt: skip
    return readable(ax)


@plot.register(Graph)
def centralities(
    graph: Graph[Any],
    ax: Axes | None = None,
    *,
    measure: Literal["degree", "betweenness"] = "degree",
    top: int = 15,
) -> Axes:
    """Draw the entities that are most central, and how central each is.

    Parameters
    ----------
    graph : GraphStore or KnowledgeGraph
        Whose.
    ax : Axes, optional
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
    ax = canvas(ax, max(1.2, 0.24 * len(best) + 0.7))
    ax.barh(range(len(best)), [value for _, value in best], height=0.6, color=COLOURS["tool"])
    names = [visible(gist(titles.get(name, name), 24)) for name, _ in best]
    ax.set_yticks(range(len(best)), names, parse_math=False)
    ax.set_ylim(max(len(best), 1) - 0.4, -0.6)
    ax.set_xlabel(f"{measure} centrality")
    return readable(ax)


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


def label(span: Span) -> str:
    """Name a row; the word says what the colour does."""
    name = gist(span.name.replace("_", " "), 24).replace("$", r"\$")
    return f"{name}, {span.why or 'failed'}" if span.state == "failed" else name


def canvas(ax: Axes | None, height: float) -> Axes:
    """Give where to draw: ``ax``, or a figure of its own with nothing behind it."""
    if ax is not None:
        return ax
    pyplot = need("matplotlib.pyplot", "lab")
    figure, made = pyplot.subplots(figsize=(7.5, min(height, 14)), layout="constrained")
    figure.patch.set_alpha(0)
    axes: Axes = made
    return axes


def readable(ax: Axes) -> Axes:
    """Make frame and text neutral, so that they are read on light and on dark."""
    ax.patch.set_alpha(0)
    for name, spine in ax.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(GREY)
    ax.tick_params(colors=GREY, labelsize=8, length=3)
    ax.tick_params(axis="y", length=0)
    for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
        text.set_color(GREY)
    ax.xaxis.label.set_fontsize(8)
    return ax
