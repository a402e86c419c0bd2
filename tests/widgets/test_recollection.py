"""Looking into a memory, and what the page is told of that."""

from __future__ import annotations

import json
from typing import Any

import pytest

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.core.secrets import scrubber
from agentlab.widgets.coalescer import presentable
from agentlab.widgets.meanings import Map
from agentlab.widgets.recollection import HITS, THOUSAND, Recollection
from agentlab.widgets.retelling import CHIPS, MOST, PAGES, Retelling, lasting
from agentlab.widgets.shelving import shelf_of
from tests.widgets.remembered import TOLD, episodes, facts, long_term, mind, texts


def looking(memory: object) -> tuple[Recollection, Retelling]:
    """Look into a memory."""
    seen = Recollection(shelf_of(memory))
    return seen, Retelling(seen)


def listed(seen: Recollection) -> list[str]:
    """Give the texts that are listed."""
    return [seen.shelf.texts[no] for no in seen.order()]


def test_episodes_are_listed_best_first() -> None:
    """All agents' memories stand together by what is left of them; the first is selected."""
    seen, told = looking(episodes())
    cells = told.cells()

    assert listed(seen) == [text for _, text, *_ in TOLD]
    assert seen.thing().content == TOLD[0][1]
    assert cells["why"]["score"] == "0.87"
    assert cells["why"]["terms"] == ["importance 0.90 × decay 0.97"]
    assert cells["why"]["notes"] == ["ada", "1 h old", "never recalled"]
    assert cells["title"]["name"] == "2 agents, 5 memories"
    assert sorted(cells["marks"]["hits"]) == [0, 1, 2, 3, 4]
    assert cells["marks"]["hits"] == seen.order().tolist()[:HITS]
    json.dumps(cells)


def test_a_search_of_episodes_is_for_words() -> None:
    """What has one of the words is listed; what would be recalled does not depend on it."""
    seen, told = looking(episodes())
    before = seen.hits()
    seen.ask("the exam")

    assert listed(seen) == [TOLD[1][1], TOLD[3][1]]
    assert seen.hits() == before
    lit = told.cells()["marks"]["lit"]
    assert [seen.shelf.texts[i] for i in range(5) if lit[i] == "1"] == [TOLD[1][1], TOLD[3][1]]
    seen.ask("zzz")
    assert told.cells()["why"] is None
    assert seen.thing() is None


def test_filters() -> None:
    """Agents and tags: one of each kind that is wanted; what is not there is refused."""
    seen, told = looking(episodes())
    seen.want(agents={"ada"}, tags=["exam", "habit"])
    assert listed(seen) == [TOLD[0][1], TOLD[1][1], TOLD[3][1]]
    chips = told.cells()["tags"]
    assert [chip["name"] for chip in chips if chip["on"]] == ["exam", "habit"]
    seen.switch("agent", "ada")
    seen.switch("tag", "exam")
    assert listed(seen) == [TOLD[0][1], TOLD[2][1]]
    seen.select(int(seen.order()[1]))
    seen.want(agents={"ada"})
    assert seen.thing().agent_id == "ada"  # what is filtered away is not selected any more
    seen.switch("tag", "nothing has it")
    assert seen.tags == {"habit"}
    for wrong in ({"agents": {"carol"}}, {"tags": ["x"]}, {"tags": "exam"}, {"agents": 3}):
        with pytest.raises(InvalidValue):
            seen.want(**wrong)


def test_orders() -> None:
    """Each order that there is sorts; one that makes no sense is not there."""
    seen, _ = looking(episodes())
    firsts = {}
    for sort in seen.sorts:
        seen.order_by(sort)
        firsts[sort] = listed(seen)[0]
    assert firsts["oldest"] == TOLD[4][1]
    assert firsts["newest"] == firsts["strongest"] == firsts["best first"] == TOLD[0][1]
    assert firsts["A to Z"] == "Ada prefers short answers"
    assert "newest" not in looking(facts())[0].sorts
    assert looking(mind())[0].sorts == ["as stored", "A to Z"]
    with pytest.raises(InvalidValue, match="upside down"):
        seen.order_by("upside down")


def test_the_clock() -> None:
    """Items fall out of the list as time goes, and come back; words say how many."""
    seen, told = looking(long_term())
    sizes = []
    for at in range(0, THOUSAND + 1, 100):
        seen.go(at)
        cells = told.cells()
        sizes.append(cells["found"]["total"])
        assert cells["clock"]["at"] == at
        assert f"{5 - sizes[-1]} " in cells["clock"]["words"]
    assert sizes[0] == 5
    assert sizes[-1] == 0
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 3
    seen.go(0)
    assert told.cells()["clock"]["words"] == "now · 0 due to be forgotten"
    seen.look_ahead(30)
    assert told.cells()["clock"]["words"].startswith("now + 1 d 6 h · ")
    seen.look_ahead(float("nan"))
    assert seen.ahead_h == 0


def test_what_is_selected_stays_when_it_is_forgotten() -> None:
    """Somebody may want to see what happens to one thing."""
    seen, told = looking(long_term())
    seen.select_row(99)
    chosen = seen.no
    seen.go(THOUSAND)
    cells = told.cells()

    assert cells["found"]["no"] == chosen
    assert cells["found"]["row"] == -1
    assert cells["why"]["gone"] == "would be forgotten by then"


def test_what_a_question_would_recall() -> None:
    """Of a memory that finds by what is asked, only what fits is listed, and ringed."""
    seen, told = looking(texts())
    assert seen.hits() == []
    assert len(seen.order()) == 5
    seen.ask("the exam on Friday")
    cells = told.cells()

    assert listed(seen) == [TOLD[1][1]]
    assert cells["marks"]["hits"] == [1]
    assert [term.split()[0] for term in cells["why"]["terms"]] == ["exam", "friday"]
    assert sum(cells["why"]["shares"]) == pytest.approx(float(cells["why"]["score"]), abs=0.01)


def test_an_embedder_that_fails() -> None:
    """It is said; nothing is raised, and the next question is asked again."""

    def moody(rows: list[str]) -> list[list[float]]:
        if "bad" in rows[0]:
            raise OSError("no connection")
        return [[1.0, float(len(row))] for row in rows]

    seen, told = looking(facts(embedder=moody))
    seen.drawn(Map(seen.shelf))
    seen.ask("bad question")
    cells = told.cells()
    assert cells["found"]["said"] == "cannot be asked: no connection"
    assert cells["why"]["terms"] == []
    seen.ask("good question")
    assert "cannot" not in told.cells()["found"]["said"]
    assert told.cells()["marks"]["x"] >= 0


def test_only_what_is_seen_is_told() -> None:
    """Of many items the rows of each page are there, and those that no page sees are gone."""
    _, told = looking(long_term(2000))
    told.look(100, 30, "a")
    told.look(1500, 5000, "b")
    cells = told.cells()
    rows = {name for name in cells if name.startswith("r")}
    assert cells["wa"]["start"] == 100
    assert len(cells["wb"]["spans"]) == MOST
    assert len(rows) == 40 + 30 + MOST
    told.look(0, 10, "a")
    after = told.cells()
    assert sum(after[name] is None for name in rows if name in after) == 30
    for i in range(20):
        told.look(0, 1, f"p{i}")
        told.point(i, f"p{i}")
    windows = [name for name, cell in told.cells().items() if name.startswith("w") and cell]
    assert len(windows) <= PAGES + 1  # and why
    assert len(json.dumps(after)) < 40_000


def test_dots_are_told_once() -> None:
    """They stay on the board; another map, or another memory, has others."""
    seen, told = looking(long_term(1500))
    assert not any(name.startswith("d") for name in told.cells())
    seen.drawn(Map(seen.shelf, embedder=lambda rows: [[len(row), 1.0] for row in rows]))
    first = told.cells()
    assert len(first["d0"]["xs"]) == 1000
    assert len(first["d1"]["ages"]) == 500
    assert "d0" not in told.cells()
    told.seen = seen.anew(shelf_of(long_term()))
    gone = told.cells()
    assert gone["d0"] is gone["d1"] is None


def test_looking_again_keeps_what_can_be_kept() -> None:
    """What is asked and wanted stays, as far as it is still there."""
    seen, _ = looking(episodes())
    seen.ask("exam")
    seen.want(agents={"ada", "bob"}, tags={"exam"})
    seen.order_by("oldest")
    seen.look_ahead(10)
    made = seen.anew(shelf_of(episodes()))
    assert (made.query, made.agents, made.tags) == ("exam", {"ada", "bob"}, {"exam"})
    assert (made.sort, made.ahead_h) == ("oldest", 10)
    empty = seen.anew(shelf_of(al.EpisodicStore()))
    assert (empty.agents, empty.tags, empty.no) == (set(), set(), -1)


def test_of_nothing() -> None:
    """An empty memory says how to fill it."""
    seen, told = looking(al.EpisodicStore())
    cells = told.cells()
    assert "store.add_episode" in cells["found"]["empty"]
    assert cells["title"]["word"] == "empty"
    assert cells["why"] is None
    seen.select_row(3)
    seen.select(0)
    assert seen.no == -1


def test_many_tags_and_long_texts() -> None:
    """There are as many chips as fit, the wanted among them; a text of a megabyte is cut."""
    store = al.EpisodicStore()
    for i in range(50):
        store.add_episode_with_tags("a", f"{i} " * 30_000, 0.5, [f"tag{i}", "all"])
    seen, told = looking(store)
    seen.want(tags={"tag49"})
    cells = told.cells()
    names = [chip["name"] for chip in cells["tags"]]
    assert len(names) == CHIPS
    assert {"all", "tag49"} <= {*names}
    assert len(json.dumps(cells)) < 20_000
    assert "explorer.selected" in cells["why"]["text"]


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0, "0 min"), (1.5, "1 h 30 min"), (9.2, "9 h"), (23.999, "1 d"), (264.4, "11 d")],
)
def test_durations(hours: float, said: str) -> None:
    """They are said in at most two units."""
    assert lasting(hours) == said


def test_every_row_has_a_bar_or_none() -> None:
    """Where there is a score, there is a bar within its track; else there is none."""
    for memory in (episodes(recall_policy=al.RecallPolicy.Hybrid(1, 1)), mind()):
        cells: dict[str, Any] = looking(memory)[1].cells()
        rows = [cell for name, cell in cells.items() if name.startswith("r")]
        assert all(
            0 <= row["share"] <= 1 or (row["share"] == -1 and not row["now"]) for row in rows
        )


def test_a_tag_that_is_long() -> None:
    """Its chip says the beginning, and that is what a page asks for."""
    store = al.EpisodicStore()
    store.add_episode_with_tags("a", "told", 0.5, ["x" * 100_000, "y"])
    store.add_episode("a", "not told", 0.5)
    seen, told = looking(store)
    chips = told.cells()["tags"]
    assert all(len(chip["name"]) < 50 for chip in chips)
    seen.switch("tag", chips[0]["name"])
    assert listed(seen) == ["told"]
    seen.switch("tag", "nothing says that")
    assert listed(seen) == ["told"]


@pytest.mark.parametrize("kind", [al.EpisodicStore, al.SemanticMemory, al.SemanticStore])
def test_no_part_of_a_key_is_told(kind: type) -> None:
    """Neither where a text is cut, nor as a word that explains a score or names a place."""
    mark = "7f3a9b1c5d2e"
    keys = [al.Secret(f"canary-{mark}"), al.Secret(f"sk-{mark}-{mark}")]
    text = " ".join(key.reveal() for key in keys)
    memory: Any = kind()
    for i in range(20):
        told_ = f"{'so ' * i}the key is {text}"
        if kind is al.EpisodicStore:
            memory.add_episode_with_tags(text, told_, 0.5, [text])
        elif kind is al.SemanticMemory:
            memory.remember(told_, text)
        else:
            memory.store(f"{text}{i}", told_, [text])
    seen, told = looking(memory)
    seen.drawn(Map(seen.shelf, embedder=al.BagOfWordsEmbedder()))
    for query in ("", text, mark, f"the key {text}"):
        seen.ask(query)
        told.point(3, "p")
        said = json.dumps(presentable(told.cells(), scrubber()))
        if query != mark:  # which is no key, and what the page itself has said
            assert mark[:6] not in said.replace(f'"query": "{query}"', "")
