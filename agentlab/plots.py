"""matplotlib views: on no ground of their own, in ink that can be read in light and in dark."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any, Literal

from agentlab.core.bounds import at_least_one
from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.graph.base import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, LINE = "#808080", "#80808040"
BLUE = "#2d7fd6"
LETTERS = 24  # of a name beside a bar


@singledispatch
def plot(obj: object, *, ax: Axes | None = None, **how: Any) -> Axes:
    """Draw ``obj``. Teach it a type with ``@plot.register(Type)``.

    Raises
    ------
    InvalidValue
        There is no picture of such a thing.
    """
    del ax, how
    raise InvalidValue(f"there is no picture of {obj!r:.80}")


@plot.register(Graph)
def centralities(
    graph: Graph[Any],
    *,
    ax: Axes | None = None,
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
    found = measures[measure]()
    best = sorted(found.items(), key=lambda each: -each[1])[: at_least_one("top", top)]
    titles = {entity.id: graph.title(entity) for entity in graph.held()[0]}
    ax = axes(ax, rows=len(best))
    places = range(len(best))
    ax.barh(places, [value for _, value in best], color=BLUE, height=0.7)
    names = [shown(titles.get(name, name)) for name, _ in best]
    ax.set_yticks(places, names, parse_math=False)
    ax.invert_yaxis()
    ax.set_xlabel(f"{measure} centrality")
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    return ax


def axes(ax: Axes | None, *, rows: int = 10) -> Axes:
    """Give axes in our manner: those that are given, or of a new figure."""
    if ax is None:
        pyplot = need("matplotlib.pyplot", "lab")
        figure, ax = pyplot.subplots(figsize=(6.4, 1.0 + 0.26 * max(rows, 4)), layout="constrained")
        figure.patch.set_alpha(0)
    ax.patch.set_alpha(0)
    ax.set_axisbelow(True)
    ax.tick_params(colors=INK, length=0)
    for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
        text.set_color(INK)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(LINE)
    return ax


def shown(name: str) -> str:
    """Give a name on one line, and what cannot be printed as Python writes it."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(name.split()))
    return line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}…"
