"""The cards of what made a conversation shorter, and of what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, bar, card, drawn, fold, note, table
from agentlab.display.words import count, gist, moment, plural, shortened
from agentlab.memory.compressed import (
    CompressedEpisode,
    Compression,
    MemorySummary,
    TurnCompression,
    TurnCompressionRun,
    TurnRow,
)
from agentlab.memory.compression import MemoryCompressor
from agentlab.memory.turns import TurnCompressor

FATES = {
    "kept": Chip("ok", "kept"),
    "summarised": Chip("run", "summed up"),
    "dropped": Chip("warn", "dropped"),
}
TURNS = [
    Column("turn", "fit"),
    Column("who", "fit"),
    Column("what was said", "wide"),
    Column("score", "num"),
    Column("tokens", "num"),
    Column("became", "fit"),
]
SUMMARIES = [Column("summary", "fit"), Column("what it says", "wide"), Column("turns", "num")]
NO_TURNS = "Nothing was said: there are no turns."


def compression_card(done: Compression, room: Room) -> Html:
    """Draw a compression to a budget: what it took, and what became of each turn."""
    figures = [
        f"{count(done.tokens_before)} → {count(done.tokens_after)} tokens",
        *fates(done.turns),
    ]
    share = done.tokens_after / max(1, done.max_tokens)
    body = asked(
        (
            "budget",
            h("span")(bar(share), f" {share:.0%} of {plural(done.max_tokens, 'token')} used"),
            "",
            "done.max_tokens",
        )
    )
    return shown("compression", done, figures, body, room)


def turn_compression_card(done: TurnCompression | TurnCompressionRun, room: Room) -> Html:
    """Draw a compression by time, words and importance: what became of each turn."""
    figures = [plural(len(done.episodes), "episode"), *fates(done.turns)]
    quiet = isinstance(done, TurnCompressionRun) and not done.triggered
    body = note("It was not needed: everything is as it was.") if quiet else None
    return shown("turn compression", done, figures, body, room)


def shown(
    kind: str,
    done: Compression | TurnCompression | TurnCompressionRun,
    figures: Sequence[str],
    body: Html | None,
    room: Room,
) -> Html:
    """Draw what both kinds have in common."""
    turns = done.turns
    if not turns:
        return card(kind, "no turns", Chip("", "empty"), (), note(NO_TURNS), path="done")
    return card(
        kind,
        f"{count(len(turns))} → {plural(len(done.kept), 'turn')}",
        None,
        figures,
        body,
        summary_table(done[1], room) if done[1] else None,
        fold(plural(len(turns), "turn"), turn_table(turns, room)),
        path="done",
    )


def fates(turns: Sequence[TurnRow]) -> list[str]:
    """Count what became of turns."""
    found = Counter(row.fate for row in turns)
    return [
        f"{count(found['summarised'])} summed up" if found["summarised"] else "",
        f"{count(found['dropped'])} dropped" if found["dropped"] else "",
    ]


def summary_table(summaries: Sequence[MemorySummary | CompressedEpisode], room: Room) -> Html:
    """Draw what stands for turns."""
    found = summaries[: room.ends]
    cells = [
        (
            h("span", title=f"done[1][{i}]")(gist(each.id, 40)),
            gist(
                each.summary_text if isinstance(each, MemorySummary) else each.summary,
                room.text // 4,
            ),
            count(
                len(each.covers_turns) if isinstance(each, MemorySummary) else each.original_count
            ),
        )
        for i, each in enumerate(found)
    ]
    many = count(len(summaries))
    part = f"the first {len(found)} of {many}" if len(found) < len(summaries) else "all"
    caption = f"what stands for turns that are gone; {part}: done[1]"
    return table(caption, SUMMARIES, cells, path="done[1]")


def turn_table(turns: Sequence[TurnRow], room: Room) -> Html:
    """Draw what became of each turn; of many, of the first and the last."""
    ends = 2 * room.ends
    places = list(range(len(turns)))
    if len(turns) > 2 * ends:
        places = [*places[:ends], *places[-ends:]]
    cells = [turn_cells(turns[i], f"done.turns[{i}]", room) for i in places]
    part = (
        f"the first and the last {ends} of {count(len(turns))}; all"
        if len(places) < len(turns)
        else "all"
    )
    return table(f"{part}: done.turns, or done.to_frame()", TURNS, cells, path="done.turns")


def turn_cells(row: TurnRow, path: str, room: Room) -> list[object]:
    """Give the cells of a turn."""
    chip = FATES.get(row.fate, Chip("", row.fate))
    into = f" in {gist(row.into, 40)}" if row.into else ""
    return [
        h("span", title=path)(gist(row.id, 40)),
        gist(row.role, 20),
        gist(row.content, room.text // 16),
        f"{row.importance_score:.2f}",
        count(row.token_count) if row.token_count else "",
        h("span")(drawn(chip), into),
    ]


def summary_card(summary: MemorySummary, room: Room) -> Html:
    """Draw a summary: what it says, and for whom it stands."""
    first, last = summary.time_range
    path = "summary.summary_text"
    named = ", ".join(f"{name} ({kind})" for name, kind in summary.entities.items())
    return card(
        "summary",
        summary.id,
        None,
        [plural(len(summary.covers_turns), "turn"), plural(summary.token_count, "token")],
        asked(
            ("says", shortened(summary.summary_text, path, room.text), "", path),
            *((("names", gist(named, room.text), "", "summary.entities"),) if named else ()),
            ("from", f"{moment(first)} to {moment(last)}", "", "summary.time_range"),
        ),
        path="summary",
    )


def episode_card(episode: CompressedEpisode, room: Room) -> Html:
    """Draw an episode: what it says, and who represents it."""
    name, said = episode.representative
    path = "episode.representative[1]"
    return card(
        "episode",
        episode.id,
        None,
        [f"{count(episode.original_count)} → {plural(episode.compressed_to, 'turn')}"],
        asked(
            (
                "says",
                shortened(episode.summary, "episode.summary", room.text),
                "",
                "episode.summary",
            ),
            ("represented by", f"{gist(name, 40)}: {shortened(said, path, room.text)}", "", path),
            ("tags", gist(", ".join(episode.common_tags)) or "none", "", "episode.common_tags"),
        ),
        path="episode",
    )


def compressor_card(compressor: MemoryCompressor | TurnCompressor, room: Room) -> Html:
    """Draw a compressor: its settings."""
    if isinstance(compressor, MemoryCompressor):
        name = plural(compressor.max_tokens, "token")
        keep = compressor.recency_keep
        how = gist(repr(compressor.strategy), room.text // 10)
        threshold = f"{compressor.importance_threshold:g}"
        more = "also kept", f"older turns with a score of {threshold} or more, by {how}"
    else:
        config = compressor.config
        name, keep = f"above {plural(config.max_turns, 'turn')}", config.recency_keep
        tagged = gist(config.importance_tag, 40)
        more = "comes back", f"what is tagged {tagged}, or scores 0.8 or more"
    return card(
        "compressor",
        name,
        None,
        (),
        asked(("kept", f"the newest {plural(keep, 'turn')}", "", ""), (*more, "", "")),
        path="compressor",
    )
