"""The cards of memories: how much there is, then what matters most of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, bar, card, note, table
from agentlab.display.words import count, gist, moment, number, plural, seconds, shortened
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.explained import Explanation, Explanations
from agentlab.memory.items import MemoryItem
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory

HOUR_MS = 3_600_000
FEW = 5  # entries that are always shown, however little room there is
EPISODES = [
    Column("memory", "wide"),
    Column("agent", "fit"),
    Column("now", "fit"),
    Column("stored", "num"),
    Column("age", "num"),
    Column("recalled", "num"),
]
ENTRIES = [Column("", "num"), Column("key", "fit"), Column("value", "wide")]
FACTS = [Column("key", "fit"), Column("value", "wide"), Column("vector", "fit")]
VECTORS = [Column("", "num"), Column("value", "wide"), Column("nearest", "wide"), Column("cosine")]
SCORES = [Column("score", "num"), Column("memory, and how its score adds up", "wide")]
HUES = ("ok", "tool", "thought", "warn")  # of the terms of a score, in turn
NO_EPISODES = "Nothing is remembered yet: `store.add_episode(agent, content, importance)` adds one."
NO_ENTRIES = "Nothing is in mind yet: `memory.set(key, value)` puts something there."
NO_FACTS = "Nothing is kept yet: `store.store(key, value, tags)` keeps one."
NO_VECTORS = "Nothing is here yet: `memory.insert(embedding, value)` adds one."
NO_TEXTS = "Nothing is remembered yet: `memory.remember(text, value)` adds something."
NO_SCORES = "Nothing was there to be ranked: first remember something."


def episodes_card(store: EpisodicStore, room: Room) -> Html:
    """Draw an episodic store: the memories that most is left of."""
    shown, total = store.rows(max(FEW, 2 * room.ends)), len(store)
    figures = [
        f"half-life {seconds(store.decay.half_life_hours * HOUR_MS)}"
        if store.decay
        else "no decay",
        gist(repr(store.recall_policy).removeprefix("RecallPolicy."), 40) + " recall",
        f"at most {count(store.per_agent_capacity)} an agent" if store.per_agent_capacity else "",
        f"none older than {seconds((store.max_age_hours or 0) * HOUR_MS)}"
        if store.max_age_hours
        else "",
    ]
    if not shown:
        body, chip = note(NO_EPISODES), Chip("", "empty")
        return card("episodic store", "no memories", chip, figures, body, path="store")
    cells = [
        (
            told(row.content, row.tags, f"store.rows()[{i}].content", room),
            gist(row.agent, 40),
            h("span")(bar(row.importance_now, "ok"), f" {row.importance_now:.2f}"),
            f"{row.importance:.2f}",
            seconds(row.age_hours * HOUR_MS),
            count(row.recall_count),
        )
        for i, row in enumerate(shown)
    ]
    agents = plural(len(store.agent_ids()), "agent")
    return card(
        "episodic store",
        f"{agents}, {plural(total, 'memory', 'memories')}",
        None,
        figures,
        table(left_out(len(shown), total, "strongest first", "store"), EPISODES, cells),
        path="store",
    )


def told(text: str, tags: Iterable[str], path: str, room: Room) -> Html:
    """Give a text, and what it is about."""
    marks = [h("span", "agl-tag")(gist(tag, 40)) for tag in list(tags)[: room.ends + 1]]
    beside = [part for mark in marks for part in (" ", mark)]
    return h("span", title=path)(shortened(text, path, room.text // 12), *beside)


def left_out(shown: int, total: int, order: str, path: str) -> str:
    """Say what a table shows, and where the rest is."""
    rest = f"; the rest: {path}.rows()[{shown}:]" if shown < total else ""
    return f"showing {count(shown)} of {count(total)}, {order}{rest}; as a frame: {path}.to_frame()"


def item_card(item: MemoryItem, room: Room) -> Html:
    """Draw one memory."""
    share = h("span")(bar(item.importance, "ok"), f" {item.importance:.2f}")
    return card(
        "memory",
        item.agent_id,
        None,
        [plural(item.recall_count, "recall"), moment(item.timestamp)],
        asked(
            ("content", told(item.content, item.tags, "item.content", room), "", "item.content"),
            ("importance", share, "", "item.importance"),
            ("id", h("span", "agl-code")(gist(item.id, 80)), "", "item.id"),
        ),
        path="item",
    )


def decay_card(policy: DecayPolicy, room: Room) -> Html:  # noqa: ARG001 - it is always small
    """Draw what is left after a few half-lives."""
    hours = policy.half_life_hours
    cells = [
        (
            seconds(lives * hours * HOUR_MS),
            h("span")(
                bar(policy.factor(lives * hours), "ok"), f" {policy.factor(lives * hours):.2f}"
            ),
        )
        for lives in (0, 0.5, 1, 2, 4, 8)
    ]
    columns = [Column("age", "fit"), Column("what is left of an importance of 1", "wide")]
    caption = "as a picture: policy.plot()"
    return card("decay", half_life(policy), None, (), table(caption, columns, cells), path="policy")


def half_life(policy: DecayPolicy) -> str:
    """Say how long it takes until half is left."""
    return f"half-life {seconds(policy.half_life_hours * HOUR_MS)}"


def working_card(memory: WorkingMemory, room: Room) -> Html:
    """Draw a working memory: its entries, the one that goes first on top."""
    rows, rule = memory.rows(), {"lru": "least recently used", "fifo": "oldest"}[memory.policy]
    figures = [f"the {rule} goes first"]
    name = f"{count(len(rows))} of {plural(memory.capacity, 'entry', 'entries')}"
    if not rows:
        body, chip = note(NO_ENTRIES), Chip("", "empty")
        return card("working memory", name, chip, figures, body, path="memory")
    shown = rows[: max(FEW, 3 * room.ends)]
    cells = [
        (
            count(row.place),
            h("span", "agl-code", title=f"memory.peek({gist(row.key, 40)!r})")(gist(row.key, 60)),
            shortened(row.value, f"memory.rows()[{i}].value", room.text // 4),
        )
        for i, row in enumerate(shown)
    ]
    caption = left_out(len(shown), len(rows), "the next to go first", "memory")
    full = Chip("", "full") if len(rows) == memory.capacity else None
    return card(
        "working memory", name, full, figures, table(caption, ENTRIES, cells), path="memory"
    )


def facts_card(store: SemanticStore, room: Room) -> Html:
    """Draw a semantic store: its facts in their order."""
    rows = store.rows()
    vectors = sum(row.embedding is not None for row in rows)
    figures = [f"{plural(vectors, 'vector')} of {count(store.dim)} numbers" if vectors else ""]
    if not rows:
        body, chip = note(NO_FACTS), Chip("", "empty")
        return card("semantic store", "no facts", chip, figures, body, path="store")
    shown = rows[: max(FEW, 2 * room.ends)]
    cells = [
        (
            h("span", "agl-code")(gist(row.key, 60)),
            told(row.value, row.tags, f"store.rows()[{i}].value", room),
            "yes" if row.embedding is not None else "no",
        )
        for i, row in enumerate(shown)
    ]
    caption = left_out(len(shown), len(rows), "in the order they were stored", "store")
    name = plural(len(rows), "fact")
    return card("semantic store", name, None, figures, table(caption, FACTS, cells), path="store")


def vectors_card(memory: VectorMemory[Any], room: Room) -> Html:
    """Draw a vector memory: its first vectors, each with what is nearest."""
    shown, values = memory.rows(max(FEW, 2 * room.ends)), memory.values()
    said = [(row.value, row.nearest, row.similarity) for row in shown]
    figures = [f"{count(memory.dim)} numbers each"] if shown else []
    name = plural(len(values), "vector")
    return pairs_card("vector memory", name, NO_VECTORS, figures, said, values, room)


def texts_card(memory: SemanticMemory[Any], room: Room) -> Html:
    """Draw a semantic memory: its first texts, each with the one most like it."""
    shown, texts = memory.rows(max(FEW, 2 * room.ends)), memory.texts()
    said = [(f"{row.text} → {row.value}", row.nearest, row.similarity) for row in shown]
    dim = count(memory.vector_store().dim)
    figures = [gist(type(memory.embedder()).__name__, 60), f"{dim} dimensions" if shown else ""]
    name = plural(len(texts), "text")
    return pairs_card("semantic memory", name, NO_TEXTS, figures, said, texts, room)


def pairs_card(  # noqa: PLR0913, PLR0917 - what the two have in common
    kind: str,
    name: str,
    empty: str,
    figures: list[str],
    shown: Sequence[tuple[str, int | None, float | None]],
    values: Sequence[Any],
    room: Room,
) -> Html:
    """Draw rows, each with the one nearest to it."""
    if not shown:
        return card(kind, name, Chip("", "empty"), figures, note(empty), path="memory")
    cells = [
        (
            count(i),
            gist(text, room.text // 8),
            gist(str(values[near]), room.text // 8) if near is not None else "",
            h("span")(bar(number(like), "ok"), f" {like:.2f}") if like is not None else "",
        )
        for i, (text, near, like) in enumerate(shown)
    ]
    caption = left_out(len(shown), len(values), "in their order", "memory")
    return card(kind, name, None, figures, table(caption, VECTORS, cells), path="memory")


def added(found: Explanation, most: float, room: Room) -> list[Html]:
    """Draw the terms of a score in their hues, and under them their share of the highest."""
    if not found.terms:
        return [h("div", "agl-small")(f" {found.score:.2f}: nothing in common")]
    terms = found.terms[: 2 * room.ends + 2]
    rest = len(found.terms) - len(terms)
    words: list[object] = [f" {found.score:.2f} = "]
    for i, term in enumerate(terms):
        hue = h("span", f"agl-label {HUES[i % len(HUES)]}")
        words += [" + " if i else "", hue(gist(term.text, 80))]
    words.append(f" + {plural(rest, 'more term')}" if rest else "")
    parts = [
        h("i", style=f"width:{max(0.0, number(term.value)) / most:.0%};{painted(i)}")()
        for i, term in enumerate(terms)
    ]
    return [h("div", "agl-small")(*words), h("div")(h("span", "agl-bar long")(*parts))]


def painted(i: int) -> str:
    """Give the hue of a term as a style."""
    return f"--agl-hue:var(--agl-{HUES[i % len(HUES)]})"


def explained_card(found: Explanations | Explanation, room: Room) -> Html:
    """Draw scores taken apart, each with a bar of its terms."""
    several = [found] if isinstance(found, Explanation) else found
    if not several:
        chip = Chip("", "empty")
        return card("scores", "none", chip, (), note(NO_SCORES), path="explanations")
    shown = several[: max(FEW, 2 * room.ends)]
    most = max([number(each.score) for each in shown] + [1.0])
    cells = [
        (
            f"{number(each.score):.2f}",
            h("div")(h("div")(gist(each.text, room.text // 12)), *added(each, most, room)),
        )
        for each in shown
    ]
    rest = f"; the rest: explanations[{len(shown)}:]" if len(shown) < len(several) else ""
    caption = f"showing {count(len(shown))} of {count(len(several))}, best first{rest}"
    name = plural(len(several), "memory", "memories")
    body = table(caption, SCORES, cells)
    return card("scores", name, None, (), body, path="explanations")
