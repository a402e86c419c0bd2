"""The map of meanings: the same each time, and near is alike."""

from __future__ import annotations

import numpy as np
import pytest

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.widgets import meanings
from agentlab.widgets.meanings import PCA, TSNE, WIDE, Map, known_way, ways
from agentlab.widgets.shelves import Shelf
from agentlab.widgets.shelving import shelf_of
from tests.widgets.remembered import facts, plane

THEMES = {
    "garden": ["beans", "roses", "compost", "seeds", "hedge", "lawn", "weeds", "spade"],
    "cello": ["bow", "scales", "strings", "suite", "rosin", "tuning", "concert", "teacher"],
    "kitchen": ["soup", "bread", "risotto", "jam", "oven", "pepper", "lentils", "supper"],
}
TEXTS = [f"the {theme} and the {word}" for theme, words in THEMES.items() for word in words]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no static vectors."""
    monkeypatch.setattr(meanings, "find_spec", lambda _: None)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("how", [PCA, TSNE])
def test_what_is_alike_is_near(how: str) -> None:
    """Themes lie apart, each has its name, and a question falls among its own."""
    if how == TSNE:
        pytest.importorskip("sklearn")
    made = Map(Shelf(TEXTS), how)
    points = np.array([made.xs, made.ys]).T
    middles = points.reshape(3, 8, 2).mean(axis=1)
    near = ((points[:, None] - middles[None]) ** 2).sum(axis=2).argmin(axis=1)

    assert near.tolist() == [i // 8 for i in range(24)]
    assert {spot.name for spot in made.spots} == {*THEMES}
    assert made.by == "the words"
    for i, theme in enumerate(THEMES):
        place = made.place(f"a {theme}")
        assert place is not None
        assert ((middles - place) ** 2).sum(axis=1).argmin() == i
    assert made.place("zzz") is made.place("") is None


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("how", [PCA, TSNE])
def test_the_same_each_time(how: str) -> None:
    """Two maps of the same are the same, and within the field."""
    if how == TSNE:
        pytest.importorskip("sklearn")
    one, other = Map(Shelf(TEXTS), how), Map(Shelf(TEXTS), how)
    assert (one.xs, one.ys, one.spots) == (other.xs, other.ys, other.spots)
    assert all(0 <= each <= WIDE for each in [*one.xs, *one.ys])


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("how", [PCA, TSNE])
@pytest.mark.parametrize("texts", [[], ["one"], ["one", "two"], ["same"] * 9, [""] * 5])
def test_few_and_equal(texts: list[str], how: str) -> None:
    """Nothing, one, and what is all the same can be drawn too."""
    if how == TSNE:
        pytest.importorskip("sklearn")
    made = Map(Shelf(texts), how)
    assert len(made.xs) == len(made.ys) == len(texts)
    made.place("one")


def test_own_vectors() -> None:
    """A memory that has vectors is drawn by them; a question, where it can make one of it."""
    store = facts()
    made = Map(shelf_of(store))
    assert made.by == "its own vectors"
    assert made.place("a question") is not None
    vectors = Map(shelf_of(plane()))
    assert vectors.by == "its own vectors"
    assert vectors.place("north") is None
    store.store("bare", "no vector")
    bare = al.SemanticStore()
    bare.store("a", "b")
    assert Map(shelf_of(bare), embedder=lambda rows: [[1.0, 2.0]] * len(rows)).by == "vectors"


def apart(text: str) -> list[float]:
    """Give a vector by the theme that a text names."""
    return [float(theme in text) for theme in THEMES]


def test_names_are_tags_where_there_are_any() -> None:
    """A tag says better than a word what things are about."""
    tags = [(f"#{i // 8}",) for i in range(24)]
    made = Map(Shelf(TEXTS, tags=tags), embedder=lambda rows: [apart(row) for row in rows])
    assert {spot.name for spot in made.spots} == {"#0", "#1", "#2"}


def test_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-learn there is one way; what is none is named."""
    monkeypatch.setattr(meanings, "find_spec", lambda _: None)
    assert ways() == [PCA]
    with pytest.raises(InvalidValue, match="UMAP"):
        known_way("UMAP")


@pytest.mark.parametrize(
    "memory",
    [al.EpisodicStore(), al.LtmStore(), al.SemanticStore(), al.SemanticMemory(), al.VectorMemory(),
     al.WorkingMemory(1)],
    ids=lambda memory: type(memory).__name__,
)  # fmt: skip
def test_of_nothing(memory: object) -> None:
    """An empty memory has an empty map."""
    made = Map(shelf_of(memory), embedder=lambda rows: [[1.0, 2.0] for _ in rows])
    assert (made.xs, made.ys, made.spots, made.place("a")) == ([], [], [], None)
