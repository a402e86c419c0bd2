"""The cards of a long-term memory, of how it fades, and of what grew together."""

from __future__ import annotations

from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, bar, card, fold, note, table
from agentlab.display.words import count, gist, moment, plural, seconds
from agentlab.memory.consolidation import (
    ClusterRow,
    Consolidation,
    ConsolidationMetrics,
    MemoryConsolidator,
)
from agentlab.memory.forgetting import Ebbinghaus, LtmMerges
from agentlab.memory.ltm import LtmStore

SECOND_MS, DAY_MS = 1000, 86_400_000
ENTRIES = [
    Column("id", "num"),
    Column("memory", "wide"),
    Column("strength now", "fit"),
    Column("at first", "num"),
    Column("age", "num"),
    Column("recalls", "num"),
]
LEFT = [Column("after", "fit"), Column("is left", "wide")]
MERGES = [
    Column("entry", "num"),
    Column("what it says", "wide"),
    Column("was merged into it", "wide"),
]
CLUSTERS = [
    Column("cluster", "wide"),
    Column("members", "num"),
    Column("alike", "fit"),
    Column("merged", "wide"),
    Column("newest", "fit"),
]
NOTHING = "Nothing is remembered yet: `ltm.remember(text, importance)` keeps something."
NO_MERGES = "Nothing was alike enough to be merged."
NO_CLUSTERS = "Nothing was there to be clustered."


def ltm_card(ltm: LtmStore, room: Room) -> Html:
    """Draw a memory: how much there is, and what is strongest now."""
    rows, config = ltm.rows(), ltm.config
    figures = [
        f"at most {count(config.capacity)}",
        f"37 % left after {lasting(config.stability_days)}",
        "recalls strengthen" if config.reinforce else "",
    ]
    if not rows:
        empty = Chip("", "empty")
        return card("long-term memory", "no entries", empty, figures, note(NOTHING), path="ltm")
    shown = rows[: 3 * room.ends]
    weak = sum(row.strength < config.min_importance for row in rows)
    cells = [
        (
            count(row.id),
            h("span", title=f"ltm.rows()[{i}]")(gist(row.content, room.text // 8)),
            strength(row.strength),
            f"{row.importance:.2f}",
            lasting(row.age_days),
            count(row.access_count),
        )
        for i, row in enumerate(shown)
    ]
    part = (
        f"the first {count(len(shown))} of {count(len(rows))}" if len(shown) < len(rows) else "all"
    )
    caption = f"strongest first; {part}: ltm.rows(), or ltm.to_frame()"
    chip = Chip("warn", f"{count(weak)} fading") if weak else None
    full = Chip("warn", "full") if len(rows) >= config.capacity else None
    return card(
        "long-term memory",
        plural(len(rows), "entry", "entries"),
        full or chip,
        figures,
        table(caption, ENTRIES, cells, path="ltm.rows()"),
        path="ltm",
    )


def curve_card(curve: Ebbinghaus, room: Room) -> Html:  # noqa: ARG001
    """Draw a curve as a table: what is left after some days."""
    days = [curve.stability * share for share in (0, 0.1, 0.25, 0.5, 1, 2, 3, 4)]
    cells = [(lasting(day), strength(curve.retention(day))) for day in days]
    return card(
        "forgetting curve",
        "Ebbinghaus",
        None,
        [f"stability {lasting(curve.stability)}"],
        table("a picture of it: curve.plot()", LEFT, cells, path="curve.retention(days)"),
        path="curve",
    )


def merges_card(merges: LtmMerges, room: Room) -> Html:
    """Draw what became one entry."""
    name = f"{count(merges.before)} → {plural(merges.after, 'entry', 'entries')}"
    if not merges:
        chip = None if merges.before else Chip("", "empty")
        return card("merged", name, chip, (), note(NO_MERGES), path="merges")
    shown, size = merges[: 2 * room.ends], room.text // 10
    cells = [
        (
            count(row.into),
            h("span", title=f"merges[{i}]")(gist(row.content, size)),
            several(row.merged_contents, room, f"merges[{i}].merged_contents"),
        )
        for i, row in enumerate(shown)
    ]
    part = (
        f"the first {count(len(shown))} of {count(len(merges))}"
        if len(shown) < len(merges)
        else "all"
    )
    caption = f"{part}: merges, or merges.to_frame()"
    return card(
        "merged",
        name,
        None,
        [plural(len(merges), "merge")],
        table(caption, MERGES, cells, path="merges"),
        path="merges",
    )


def consolidation_card(done: Consolidation, room: Room) -> Html:
    """Draw a pass: how many memories there were and are, and what became of each cluster."""
    merged = sum(made.source_count for made in done)
    name = f"{count(done.before)} → {plural(done.after, 'memory', 'memories')}"
    figures = [
        f"{count(merged)} merged into {count(len(done))}" if done else "nothing merged",
        plural(len(done.clusters), "cluster"),
        plural(len({row.agent_id for row in done.clusters}), "agent") if done.clusters else "",
    ]
    if not done.clusters and not done.errors:
        chip = Chip("", "empty")
        return card("consolidation", name, chip, figures, note(NO_CLUSTERS), path="done")
    shown = done.clusters[: 2 * room.ends]
    cells = [cluster_cells(row, room, f"done.clusters[{i}]") for i, row in enumerate(shown)]
    rest = f"; the rest: done.clusters[{len(shown)}:]" if len(shown) < len(done.clusters) else ""
    several_agents = len({row.agent_id for row in done.clusters}) > 1
    return card(
        "consolidation",
        name,
        Chip("bad", plural(len(done.errors), "error")) if done.errors else None,
        figures,
        table(
            f"by their weightiest words{', by agent' if several_agents else ''}{rest}",
            CLUSTERS,
            cells,
            path="done.clusters",
        )
        if cells
        else None,
        *(h("p", "agl-note")(gist(error, room.text // 4)) for error in done.errors[: room.ends]),
        path="done",
    )


def cluster_cells(row: ClusterRow, room: Room, path: str) -> list[Any]:
    """Give the cells of a cluster."""
    named = gist(", ".join(row.words), room.text // 10) or "(no words)"
    strays = f" ({count(row.strays)} not near enough)" if row.strays else ""
    return [
        h("span", title=path)(f"{gist(row.agent_id, 30)}: {named}"),
        f"{count(row.size)}{strays}",
        strength(row.likeness),
        several(row.texts, room, f"{path}.texts", row.merged) if row.merged else "as they are",
        moment(row.newest),
    ]


def several(texts: tuple[str, ...], room: Room, path: str, number: int | None = None) -> Html:
    """Show the beginnings of some texts, one click away."""
    shown = texts[: room.ends]
    rest = f"… all: {path}" if len(shown) < len(texts) else ""
    return fold(
        plural(len(texts) if number is None else number, "text"),
        h("ul", "agl-list", title=path)(*(h("li")(gist(text, room.text // 10)) for text in shown)),
        h("p", "agl-small")(rest) if rest else None,
    )


def consolidator_card(consolidator: MemoryConsolidator, room: Room) -> Html:  # noqa: ARG001
    """Draw a consolidator: what it merges, and what it has done."""
    policy, metrics = consolidator.policy, consolidator.metrics()
    merges = (
        f"clusters of {count(policy.min_cluster_size)} or more, of what has a cosine of"
        f" {policy.similarity_threshold:g} or more to their middle"
    )
    spares = (
        f"the newest {count(policy.keep_recent_per_cluster)} of each, and what is younger than"
        f" {seconds(policy.max_age_secs * 1000)}"
    )
    return card(
        "consolidator",
        f"every {seconds(policy.run_interval_secs * 1000)}",
        None,
        [plural(metrics.runs(), "run"), f"{count(metrics.consolidated())} consolidated"],
        asked(("merges", merges, "", "consolidator.policy"), ("spares", spares, "", "")),
        path="consolidator",
    )


def consolidation_metrics_card(metrics: ConsolidationMetrics, room: Room) -> Html:  # noqa: ARG001
    """Draw the counters of a consolidator."""
    figures = [f"{count(metrics.consolidated())} memories consolidated"]
    return card("consolidation", plural(metrics.runs(), "run"), None, figures, path="metrics")


def strength(share: float) -> Html:
    """Draw a number from 0 to 1 with its bar."""
    return h("span")(bar(share, "ok"), f" {share:.2f}")


def lasting(days: float) -> str:
    """Say a number of days as people do.

    >>> [lasting(days) for days in (0, 0.25, 1.5, 30)]
    ['now', '6 h', '36 h', '30 d']
    """
    return seconds(days * DAY_MS) if days * DAY_MS >= SECOND_MS else "now"
