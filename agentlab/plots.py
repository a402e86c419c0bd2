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
    AMBER,
    BLUE,
    GREEN,
    GREY,
    KINDS,
    LINE,
    SIZE,
    STYLE,
    VIOLET,
    key,
    named,
    rows,
    shown,
)
from agentlab.display.words import count, gist, plural
from agentlab.graph.base import Graph
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.forgetting import Ebbinghaus
from agentlab.memory.ltm import LtmStore
from agentlab.memory.maps import apart, flat
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.teams.debate_config import DebateSession
from agentlab.teams.tournament import Tournament

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS, LIVES, CURVES, SHOWN = 200, 5, 4, 40
CROWD, DAYS_FROM = 60, 96  # points that cover each other; hours that are better told in days
MOST = 60  # rows that can be read


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
    if ax is not None:
        with pyplot.rc_context(STYLE):
            draw(obj, ax, **how)
        return ax
    # The figure comes first: making one may load the notebook's backend, which sets how figures
    # are shown from then on, and that must outlast our style.
    figure = pyplot.figure(layout="constrained", figsize=SIZE, facecolor="none")
    try:
        with pyplot.rc_context(STYLE):
            made: Axes = figure.subplots()
            height = draw(obj, made, **how)
    except BaseException:
        pyplot.close(figure)
        raise
    if height is not None:
        figure.set_figheight(height)
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
    ax.plot([curve.stability], [curve.retention(curve.stability)], "o", color=BLUE, markersize=5)
    fraction(ax)
    named(ax, f"37 % is left after {curve.stability:g} days", "age (days)", "what is left")


@draw.register(LtmStore)
def _(ltm: LtmStore, ax: Axes) -> None:
    """Draw how the strongest entries will fade, and when each is forgotten: at the dotted line."""
    curve, entries, least = ltm.config.curve, ltm.rows(), ltm.config.min_importance
    days = days_of(curve)
    for row in entries[:CURVES]:
        left = [row.importance * curve.retention(row.age_days + day) for day in days]
        said = gist(row.content, SHOWN).replace("$", r"\$")  # which would begin a formula
        (line,) = ax.plot(days, left, label=f"{row.id}: {said}")
        if left[0] >= least > left[-1]:
            last = max(day for day, each in zip(days, left, strict=True) if each >= least)
            ax.scatter([last], [least], s=18, color=line.get_color(), zorder=3)
    ax.axhline(least, color=GREY, linestyle=":", linewidth=0.8)
    fraction(ax)
    ax.grid(visible=False)  # words stand where it would be
    if entries:
        ax.legend(labelcolor=GREY)
    many = len(entries)
    some = f"the strongest {CURVES} of {many:,}" if many > CURVES else f"{many}"
    several = "memory" if many == 1 else "memories"
    named(ax, f"{some} {several}, forgotten at the dotted line", "days from now", "strength")


def days_of(curve: Ebbinghaus) -> list[float]:
    """Give the days of a curve, until hardly anything is left."""
    return [curve.stability * LIVES * i / STEPS for i in range(STEPS + 1)]


@draw.register(DecayPolicy)
def _(policy: DecayPolicy, ax: Axes) -> None:
    """Draw what is left of several importances as they age, over a grid of half-lives."""
    unit, word = unit_of(policy.half_life_hours)
    life = policy.half_life_hours / unit
    ages = [life * LIVES * i / STEPS for i in range(STEPS + 1)]
    for importance in (1.0, 0.5, 0.25):
        left = [policy.decayed(importance, age * unit) for age in ages]
        ax.plot(ages, left, label=f"importance {importance:g}")
    lives = [life * i for i in range(LIVES + 1)]
    ax.set_xticks(lives, [f"{each:g}" for each in lives])
    ax.scatter(lives[1:], [policy.decayed(1, each * unit) for each in lives[1:]], s=14, color=BLUE)
    fraction(ax)
    key(ax)
    named(ax, f"half is left after {life:g} {word}", f"age ({word})", "importance now")


@draw.register(EpisodicStore)
def _(store: EpisodicStore, ax: Axes) -> None:
    """Draw each memory at its age: what it was worth, and what is left, in its agent's colour."""
    from matplotlib.colors import to_rgba_array

    told = store.columns()
    unit, word = unit_of(float(max(told["age_hours"], default=0.0)))
    ages, agents = told["age_hours"] / unit, [str(agent) for agent in told["agents"]]
    many, shades = len(ages), [BLUE, VIOLET, GREEN, AMBER]
    size, ink = (16, 1.0) if many <= CROWD else (9, 0.75)
    if store.decay is not None:
        before, now = told["importance"], told["importance_now"]
        ax.vlines(ages, now, before, color=LINE, linewidth=0.8 if many <= CROWD else 0.4)
        rings: dict[str, Any] = {
            "facecolors": "none",
            "edgecolors": GREY,
            "linewidths": 0.7,
            "alpha": ink,
        }
        ax.scatter(ages, before, s=size, label="when new", **rings)
        faded(store.decay, ages, unit, word, ax)
    few = 1 < len(agents) <= len(shades)
    ax.scatter(
        ages, told["importance_now"], s=size, alpha=ink,
        c=to_rgba_array(shades)[told["agent"]] if few else BLUE,
    )  # fmt: skip
    legend = zip(agents, shades, strict=False) if few else [("now", BLUE)]
    for name, colour in legend if many else ():
        label = shown(name).replace("$", r"\$")
        ax.scatter([], [], s=16, color=colour, label=label)
    if many:
        key(ax)
    fraction(ax)
    ax.set_xlim(*(ax.get_xlim() if many else (0, 1)))
    ax.invert_xaxis()
    title = f"{plural(many, 'memory', 'memories')} of {plural(len(agents), 'agent')}"
    named(ax, title, f"age ({word}), now at the right", "importance")


def faded(policy: DecayPolicy, ages: Any, unit: float, word: str, ax: Axes) -> None:
    """Draw what would be left of an importance of 1."""
    life = policy.half_life_hours / unit
    last = float(max(ages, default=0.0)) or life
    line = [last * i / STEPS for i in range(STEPS + 1)]
    left = [policy.factor(age * unit) for age in line]
    ax.plot(line, left, color=GREY, linewidth=1, linestyle="--", label=f"half-life {life:g} {word}")


def unit_of(hours: float) -> tuple[float, str]:
    """Choose what to count time in: how many hours, and its name."""
    return (24.0, "days") if hours > DAYS_FROM else (1.0, "h")


def fraction(ax: Axes) -> None:
    """Let the height go from 0 to 1."""
    ax.set_ylim(-0.02, 1.05)


@draw.register(VectorMemory)
@draw.register(SemanticMemory)
@draw.register(SemanticStore)
def _(memory: VectorMemory[Any] | SemanticMemory[Any] | SemanticStore, ax: Axes) -> None:
    """Draw the vectors as points: the two directions in which they differ most.

    As many are named as have room for it, those first that stand apart.
    """
    vectors = memory.vectors()
    places, share = flat(vectors)
    many = len(vectors)
    ax.scatter(places[:, 0], places[:, 1], s=18, color=BLUE, alpha=1.0 if many <= CROWD else 0.6)
    ax.margins(0.08)
    names = labels_of(memory)
    for row, side in apart(places):
        mark = ax.annotate(
            shown(names[row]), places[row].tolist(), size=8, parse_math=False,
            color=GREY, xytext=(5 * side, 0), textcoords="offset points", va="center",
            ha="left" if side > 0 else "right",
        )  # fmt: skip
        mark.set_in_layout(False)
    title = f"{plural(many, 'vector')}, {share:.0%} of how they differ"
    named(ax, title, "first direction", "second")


def labels_of(memory: Any) -> list[str]:
    """Say what each vector stands for."""
    if isinstance(memory, SemanticMemory):
        return memory.texts()
    if isinstance(memory, SemanticStore):
        return [entry.key for entry in memory.entries() if entry.embedding is not None]
    return [str(value) for value in memory.values()]


@draw.register(DebateSession)
def _(session: DebateSession, ax: Axes) -> None:
    """Draw how each debater was judged, round by round."""
    numbers = [each.round for each in session.rounds]
    for name in session.cumulative_scores:
        said = [each.argument_by(name) for each in session.rounds]
        means = [None if one is None else one.mean_peer_score() for one in said]
        heights = [float("nan") if mean is None else mean for mean in means]
        ax.plot(numbers, heights, "o-", markersize=5, label=shown(name).replace("$", r"\$"))
    ax.set_xticks(numbers)
    fraction(ax)
    key(ax)
    won = session.winner_id()
    named(ax, "a tie" if won is None else f"{shown(won)} wins", "round", "mean score")


@draw.register(Tournament)
def _(held: Tournament, ax: Axes) -> float:
    """Draw how each debater did, the best on top, and where that lies."""
    for y, each in enumerate(held.standings):
        ax.plot([each.points_low, each.points_high], [y, y], color=LINE, linewidth=6)
        ax.plot([each.points], [y], "o", color=BLUE, markersize=6)
    height = rows(ax, [shown(each.debater) for each in held.standings])
    ax.axvline(0.5, color=GREY, linestyle=":", linewidth=0.8)
    ax.set_xlim(-0.03, 1.03)
    best = shown(held.standings[0].debater)
    across = f"share of the points, with its {held.level:.0%} interval"
    named(ax, f"{best} is first", across, "")
    return height


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
