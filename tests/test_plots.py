"""Pictures: of what can be drawn, readable in both themes, and the same for the same."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.plots import GREY, flat, plot

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Leave no figure open."""
    yield
    plt.close("all")


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


THINGS: list[Any] = [
    DecayPolicy.exponential(24), episodes(), episodes(decay=DecayPolicy.exponential(24)),
    texts(), facts(), EpisodicStore(), EpisodicStore(decay=DecayPolicy.exponential(1)),
    VectorMemory(), SemanticMemory(), SemanticStore(),
]  # fmt: skip


def luminance(colour: Any) -> float:
    """Give how light a colour is, as contrast is reckoned."""
    channels = [
        c / 12.92 if c <= 0.04 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(colour)[:3]
    ]
    return sum(c * w for c, w in zip(channels, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("thing", THINGS, ids=lambda x: type(x).__name__)
def test_every_picture(thing: Any) -> None:
    """Has a transparent ground, named axes and a title in grey; full or empty, twice the same."""
    images = []
    for _ in range(2):
        ax = thing.plot()
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        assert to_rgba(ax.figure.get_facecolor())[3] == to_rgba(ax.get_facecolor())[3] == 0
        assert ax.title.get_color() == ax.xaxis.label.get_color() == GREY
        image = io.BytesIO()
        ax.figure.savefig(image, format="png")
        images.append(image.getvalue())
    assert images[0] == images[1]


def test_grey_can_be_read_on_both() -> None:
    """On white, and on the dark ground of a notebook: a contrast of four, nearly that of text."""
    grey = luminance(GREY)

    assert (1.0 + 0.05) / (grey + 0.05) > 4
    assert (grey + 0.05) / (luminance("#111111") + 0.05) > 4


def test_what_is_drawn() -> None:
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


def test_where_one_wants_it() -> None:
    """On given axes, in a figure of one's own; what cannot be drawn is said."""
    _, ax = plt.subplots()
    assert texts().plot(ax=ax) is ax
    with pytest.raises(InvalidValue, match="no plot of"):
        plot(5, ax=ax)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said which extra brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(NotConfigured, match="missing 'lab'"):
        texts().plot()


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
