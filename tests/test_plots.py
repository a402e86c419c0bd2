"""Pictures: what each shows, where it is drawn, and that it can be read on any page."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import msgspec
import nbformat
import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.spans import Span, Spans
from agentlab.core.trace import Trace
from agentlab.display.figures import GREY, KINDS
from agentlab.graph.facts import rivers
from agentlab.graph.store import GraphStore
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.ltm import ForgettingCurve, LtmStore
from agentlab.memory.maps import flat
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.plots import MOST, plot
from tests.graph.graphs import HOSTILE, store
from tests.tracing import LAST, STEP, WRONG, ran


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Draw without a window, and leave no figure behind."""
    with mpl.rc_context():
        mpl.use("Agg")
        yield
        plt.close("all")


def kept(count: int = 7) -> LtmStore:
    """Give memories, the last the strongest, whose words would be formulas and HTML."""
    ltm = LtmStore(clock=FakeClock())
    for i in range(count):
        ltm.remember(f"thing $x^{i}$ <b>", i / 10)
    return ltm


def traced() -> Trace:
    """Give the trace of a run of which a call failed."""
    return Trace.of(ran([WRONG, LAST])[0])


def episodes(**how: Any) -> EpisodicStore:
    """Give memories of two agents, of several ages."""
    clock = FakeClock()
    store = EpisodicStore(clock=clock, **how)
    for i in range(20):
        when = clock.now() - timedelta(hours=5 * i)
        store.add_episode_at(f"agent {i % 2}", f"memory {i}", i / 20, when)
    return store


def texts() -> SemanticMemory[int]:
    """Give some texts."""
    made = SemanticMemory[int]()
    made.remember_many(["red apple", "red car", "blue car", "blue sky"], range(4))
    return made


def facts() -> SemanticStore:
    """Give facts, of which one has no vector."""
    made = SemanticStore()
    made.store("none", "x")
    for key, vector in (("east", [1, 0, 0]), ("north", [0, 1, 0]), ("up", [0, 0, 1])):
        made.store_with_embedding(key, "x", [], vector)
    return made


THINGS: dict[str, Any] = {
    "trace": traced(), "spans": traced().spans(), "empty trace": Trace(),
    "curve": ForgettingCurve.Ebbinghaus(3), "long-term": kept(), "no long-term": LtmStore(),
    "decay": DecayPolicy.exponential(24), "episodes": episodes(), "no episodes": EpisodicStore(),
    "fading": episodes(decay=DecayPolicy.exponential(24)),
    "none fading": EpisodicStore(decay=DecayPolicy.exponential(1)), "texts": texts(),
    "facts": facts(), "no vectors": VectorMemory(), "no texts": SemanticMemory(),
    "no facts": SemanticStore(), "graph": rivers(), "no graph": GraphStore(),
}  # fmt: skip


def luminance(colour: Any) -> float:
    """Give how bright a colour is, as contrast is measured."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def points(ax: Axes, line: int = 0) -> tuple[list[float], list[float]]:
    """Give what a line goes through."""
    found: Any = ax.lines[line].get_data()
    xs, ys = found
    return list(xs), list(ys)


def bars(ax: Axes) -> list[Any]:
    """Give the bars, from the top."""
    return sorted(ax.patches, key=lambda bar: bar.get_y())


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_every_picture(thing: Any) -> None:
    """Has nothing behind it, and words in grey; full or empty, it is the same for the same."""
    images = []
    for _ in range(2):
        ax: Any = plot(thing)
        assert ax.get_xlabel()
        assert ax.figure.get_facecolor()[3] == ax.get_facecolor()[3] == 0
        inks = [
            text.get_color() for text in (ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels())
        ]
        assert set(inks) == {GREY}
        image = io.BytesIO()
        ax.figure.savefig(image, format="png")
        images.append(image.getvalue())
    assert images[0] == images[1]


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_where_one_wants_it(thing: Any) -> None:
    """It can be one of several axes, whose figure stays as it is; they are given back."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(5, 4))

    assert plot(thing, ax=right) is right
    assert plot(thing, right) is right
    assert right.xaxis.label.get_color() == GREY
    assert not left.has_data()
    assert figure.get_size_inches().tolist() == [5, 4]
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("page", ["#ffffff", "#212121", "#111111"])
def test_on_any_page(page: str) -> None:
    """Bars and lines stand out from white and from black by three to one, words by nearly four."""
    for colour in {GREY, *KINDS.values()}:
        one, other = sorted([luminance(colour), luminance(page)])
        assert (other + 0.05) / (one + 0.05) >= (3.75 if colour == GREY else 3), colour


def test_what_has_no_picture() -> None:
    """Says so, and opens nothing; nor does what cannot be drawn as asked."""
    with pytest.raises(InvalidValue, match="there is no plot of 3"):
        plot(3)
    with pytest.raises(TypeError, match="upside_down"):
        Trace().plot(upside_down=True)
    assert plt.get_fignums() == []


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which extra brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    with pytest.raises(NotConfigured, match="agentlab-notebook\\[lab\\]"):
        Trace().plot()


def test_a_bar_a_span() -> None:
    """From when to when, named, and in red where it failed; the word says so too."""
    entries = ran([WRONG, LAST])[0]
    late = [msgspec.structs.replace(each, offset=each.offset + 300) for each in entries]
    spans, ax = Trace.of(entries).spans(), Trace.of(late).plot()

    starts = [span.start - spans[0].start for span in spans]
    assert [bar.get_x() for bar in bars(ax)] == pytest.approx(starts)
    named = [label.get_text() for label in ax.get_yticklabels()]
    assert named == ["agent", "model", "population, permanent", "model"]
    assert bars(ax)[2].get_facecolor() == colors.to_rgba(KINDS["failed"])
    assert bars(ax)[0].get_width() == pytest.approx(spans[0].end - spans[0].start)  # type: ignore[operator]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [  # type: ignore[union-attr]
        "run", "model", "failed",
    ]  # fmt: skip


def test_nothing_and_very_much() -> None:
    """An empty trace gives an empty figure; of very many the failed and the longest are drawn."""
    assert not Trace().plot().patches
    many = Spans(
        Span("tool", "r", "$x$", i, 1, float(i), i + i / 1000, "failed" if i == 3 else "ok", "late")
        for i in range(500)
    )
    ax, small = plot(many), Trace.of(ran([STEP])[0]).plot()

    assert len(bars(ax)) == MOST
    assert "60 of 500 spans" in ax.get_title(loc="left")
    assert ax.get_yticklabels()[0].get_text() == "$x$, late"
    assert not ax.get_yticklabels()[0].get_parse_math()
    tall, short = (each.get_figure(root=True).get_figheight() for each in (ax, small))  # type: ignore[union-attr]
    assert tall == 14
    assert short < 2
    ax.figure.canvas.draw()


def test_a_forgetting_curve() -> None:
    """Begins at 1, and is at 37 % after as many days as it is stable."""
    (xs, ys) = points(ForgettingCurve.Ebbinghaus(30).plot())

    assert (xs[0], ys[0]) == (0, 1)
    assert dict(zip(xs, ys, strict=True))[30.0] == pytest.approx(0.367879, abs=1e-6)


def test_a_memory_for_long() -> None:
    """Draws the four strongest as they will fade, by name, and where they are forgotten."""
    ax = kept().plot()

    assert [line.get_label() for line in ax.lines[:1]] == ["7: thing \\$x^6\\$ <b>"]
    assert len(ax.lines) == 5
    assert points(ax)[1][0] == pytest.approx(0.6)
    assert points(ax, -1)[1][0] == 0.05
    assert ax.get_title(loc="left").startswith("the strongest 4 of 7 memories")
    ax.figure.canvas.draw()
    assert LtmStore().plot().get_title(loc="left").startswith("0 memories")
    clock = FakeClock()
    ltm = LtmStore(clock=clock)
    ltm.remember("gone", 0.06)
    ltm.remember("here", 0.9)
    clock.advance(30 * 86_400)
    dots: Any = ltm.plot().collections
    ((day, strength),) = [tuple(dot.get_offsets()[0]) for dot in dots]  # one is below it already
    assert strength == 0.05
    assert day == pytest.approx(30 * np.log(0.9 / 0.05) - 30, abs=0.75)


def test_memories() -> None:
    """Each memory at its age, what it was and what is left; curves that halve; words at points."""
    store = episodes(decay=DecayPolicy.exponential(24))
    before, now = store.plot().collections[1:3]
    points: Any = now.get_offsets()
    new: Any = before.get_offsets()

    told = store.columns()
    assert points[:, 0].tolist() == told["age_hours"].tolist()
    assert points[:, 1].tolist() == told["importance_now"].tolist()
    assert new[:, 1].tolist() == told["importance"].tolist()
    line: Any = DecayPolicy.exponential(2).plot().lines[0]
    x, y = line.get_data()
    assert y[0] == 1.0
    assert np.interp(2.0, x, y) == pytest.approx(0.5, abs=1e-3)
    assert [text.get_text() for text in facts().plot().texts] == ["east", "north", "up"]


@pytest.mark.parametrize("shape", [(0, 0), (1, 3), (2, 1), (5, 1), (7, 4), (3, 9)])
def test_a_map_keeps_what_differs_most(shape: tuple[int, int]) -> None:
    """Distances are kept where two directions are all there is; signs do not depend on chance."""
    vectors = np.random.default_rng(1).normal(size=shape)
    vectors[:, 2:] = 0
    places, share = flat(vectors)

    assert places.shape == (shape[0], 2)
    assert share == pytest.approx(1.0)
    for i in range(shape[0]):
        wanted = np.linalg.norm(vectors - vectors[i], axis=1)
        assert np.linalg.norm(places - places[i], axis=1) == pytest.approx(wanted)
    assert all(column[np.abs(column).argmax()] >= 0 for column in places.T if len(column))


def test_ages_are_told_in_what_can_be_read() -> None:
    """In hours, and where they are many, in days; the half-life as well."""
    clock = FakeClock()
    store = EpisodicStore(clock=clock, decay=DecayPolicy.exponential(48))
    store.add_episode("ada", "x", 0.5)
    clock.advance(4 * 86_400 + 60)
    ax = store.plot()
    points: Any = ax.collections[2].get_offsets()

    assert points[0, 0] == pytest.approx(4, abs=0.01)
    assert ax.get_xlabel() == "age (days), now at the right"
    assert ax.get_title(loc="left") == "1 memory of 1 agent"
    legend = [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
    assert legend == ["when new", "half-life 2 days", "now"]
    assert DecayPolicy.exponential(24).plot().get_xlabel() == "age (h)"
    ticks = [text.get_text() for text in DecayPolicy.exponential(24).plot().get_xticklabels()]
    assert ticks == ["0", "24", "48", "72", "96", "120"]


def test_a_few_agents_are_told_apart() -> None:
    """By colour, up to four; of more they are all alike."""
    two = episodes().plot()
    colours: Any = two.collections[0].get_facecolors()  # type: ignore[attr-defined]
    assert len({tuple(colour) for colour in colours.tolist()}) == 2
    legend = two.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["agent 0", "agent 1"]

    many = EpisodicStore()
    for i in range(5):
        many.add_episode(f"a{i}", "x", 0.5)
    shades: Any = many.plot().collections[0].get_facecolors()  # type: ignore[attr-defined]
    assert len({tuple(colour) for colour in shades.tolist()}) == 1


def test_names_on_a_map_do_not_cover_each_other() -> None:
    """Of very many points those are named that stand apart; as drawn, no two names meet."""
    rng = np.random.default_rng(3)
    memory = VectorMemory[str]()
    memory.insert_many(rng.normal(size=(400, 2)), [f"a name that is long {i}" for i in range(400)])
    ax = memory.plot()
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]

    assert boxes
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.filterwarnings("default")  # of other libraries
def test_each_cell_of_a_notebook_shows_its_own(tmp_path: Path) -> None:
    """The first picture and all that follow; what the notebook sets for pictures outlasts ours."""
    nbclient = pytest.importorskip("nbclient")
    cells = [
        "import agentlab as al\npolicy = al.DecayPolicy.exponential(24)\npolicy.plot();",
        "policy.plot();",
        "from matplotlib import pyplot\npyplot.subplots();",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "IPYTHONDIR": str(tmp_path)}
    env.pop("MPLBACKEND", None)
    client = nbclient.NotebookClient(book, timeout=60, kernel_name="python3")
    client.execute(env=env, cwd=str(tmp_path))

    shown = [["image/png" in output.get("data", {}) for output in c.outputs] for c in book.cells]
    assert shown == [[True], [True], [True]]


def test_centralities() -> None:
    """A bar an entity, the most central on top, with their names."""
    ax: Any = rivers().plot()
    names = [label.get_text() for label in ax.get_yticklabels()]

    assert names[:4] == ["Russia", "France", "Danube", "Germany"]
    assert len(names) == len(ax.patches) == 15
    assert ax.get_xlabel() == "degree centrality"
    assert ax.yaxis_inverted()


def test_betweenness() -> None:
    """As many as are wanted."""
    figure, mine = plt.subplots()
    ax: Any = store("abc", ["ab", "bc"]).plot(ax=mine, measure="betweenness", top=2)

    bars: Any = ax.patches
    assert ax is mine
    assert ax.figure is figure
    assert [bar.get_width() for bar in bars] == [0.5, 0]


@pytest.mark.parametrize("name", [*HOSTILE, "$x^2$", "a" * 100])
def test_any_name(name: str) -> None:
    """Is letters: no formula is set, nothing is warned of but letters that the font lacks."""
    import warnings

    ax: Any = store([name]).plot()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")
        ax.figure.canvas.draw()
    assert len(ax.get_yticklabels()[0].get_text()) <= 40


@pytest.mark.parametrize("how", [{"measure": "none"}, {"top": 0}])
def test_wrong_arguments(how: dict[str, Any]) -> None:
    """Say what is right, and leave no figure open."""
    with pytest.raises(InvalidValue, match="must be"):
        rivers().plot(**how)
    assert plt.get_fignums() == []
