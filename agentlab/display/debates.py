"""The cards of a debate and of a tournament."""

from __future__ import annotations

from collections.abc import Sequence

from agentlab.display.html import Html, h
from agentlab.display.parts import KEPT, Chip, Column, Room, asked, bar, card, fold, listed, table
from agentlab.display.teams import answer_row
from agentlab.display.words import count, gist, number, plural, seconds, shortened
from agentlab.teams.debate_config import Argument, DebateRound, DebateSession
from agentlab.teams.tournament import Standing, Tournament

STANDINGS = [
    Column("debater", "wide"), Column("points", "fit"), Column("between", "num"),
    Column("score", "fit"), Column("between", "num"), Column("won · tied · lost", "num"),
]  # fmt: skip
ODD = [Column("judge", "fit"), Column("on", "fit"), Column("round", "num"), Column("why", "wide")]


def debate_card(session: DebateSession, room: Room) -> Html:
    """Draw a debate: who won and what it came to; then a column a debater, round by round."""
    ended: tuple[str, object, str, str] = (
        "error",
        shortened(session.error, "session.error", room.text),
        "agl-bad",
        "",
    )
    if session.synthesis is not None:
        ended = answer_row("synthesis", session.synthesis, "session.synthesis", room)
    return card(
        "debate",
        session.topic or "a debate",
        verdict(session),
        [
            plural(len(session.rounds), "round"),
            plural(session.calls, "call"),
            seconds(session.duration_ms) if session.duration_ms else "",
        ],
        asked(ended),
        columns(session, room),
        odd(session, room) if session.score_errors else None,
        path="session",
    )


def verdict(session: DebateSession) -> Chip:
    """Say who won, and by how much."""
    scores = sorted(session.cumulative_scores.values(), reverse=True)
    won = session.winner_id()
    told = " : ".join(f"{number(score):.2f}" for score in scores[:4])
    if won is not None:
        return Chip("ok", f"{gist(won, 30)} wins {told}")
    return Chip("", f"a tie {told}" if any(scores) else "no winner")


def columns(session: DebateSession, room: Room) -> Html:
    """Draw a column a debater, and under each other the rounds."""
    held = {each.name: each.position for each in session.positions}
    names = list(held or session.cumulative_scores)[: 3 * room.ends]
    heads = [
        h("div")(
            h("b")(gist(name, 60)), " ",
            h("span", "agl-kind")(gist(held.get(name, ""), min(120, room.text))), " ",
        )
        for name in names
    ]  # fmt: skip
    rounds = session.rounds
    lines = listed(
        len(rounds),
        room.ends // 2 or 1,
        lambda i: whole(i, rounds[i], names, room),
        lambda start, end: h("div", "agl-round")(
            f"{plural(end - start, 'more round')}: session.rounds[{start}:{end}]"
        ),
    )
    return h("div", "agl-cols agl-held", style=f"--agl-n:{max(len(names), 1)}")(*heads, *lines)


def whole(i: int, one: DebateRound, names: Sequence[str], room: Room) -> Html:
    """Draw a round: its number, and what each debater said."""
    kind = "opening" if one.round == 1 else "rebuttal"
    cells = [spoken(f"session.rounds[{i}]", name, one.argument_by(name), room) for name in names]
    title = f"session.rounds[{i}]"
    return h("div", "agl-argued")(
        h("div", "agl-round", title=title)(f"round {count(one.round)} · {kind}"), *cells
    )


def spoken(where: str, name: str, argument: Argument | None, room: Room) -> Html:
    """Draw an argument, or why there is none, and how it was judged."""
    path = f"{where}.argument_by({name!r})"
    who = h("span", "agl-spoken")(f"{gist(name, 40)}: ")
    if argument is None:
        return h("div")(who, h("span", "agl-dim")("said nothing"))
    if argument.error is not None:
        return h("div", title=gist(path))(
            who, h("span", "agl-result bad")(gist(f"failed: {argument.error}", min(300, room.text)))
        )
    cut = f" (cut by {plural(argument.cut, 'letter')})" if argument.cut else ""
    return h("div", title=gist(path))(
        who,
        h("span", style=KEPT)(shortened(argument.text, "session.rows()", room.text), cut, " "),
        *(score(argument, judge) for judge in list(argument.peer_scores)[: room.ends]),
        more(len(argument.peer_scores) - room.ends),
    )


def score(argument: Argument, judge: str) -> Html:
    """Draw how a judge found an argument."""
    value = argument.peer_scores[judge]
    flag = f" ({gist(argument.flags[judge], 60)})" if judge in argument.flags else ""
    return h("span", "agl-score")(bar(value), f" {number(value):.2f} from {gist(judge, 40)}{flag} ")


def more(hidden: int) -> Html | None:
    """Say how many scores are not shown."""
    return (
        h("span", "agl-score")(f"{plural(hidden, 'more score')}: session.rows()")
        if hidden > 0
        else None
    )


def odd(session: DebateSession, room: Room) -> Html:
    """List the judgements that could not be had or read."""
    cells = [
        (gist(e.by, 40), gist(e.of, 40), count(e.round), gist(e.reason, min(200, room.text)))
        for e in session.score_errors[: 2 * room.ends]
    ]
    name = plural(len(session.score_errors), "judgement") + " without a score"
    told = table("session.score_errors", ODD, cells, path="session.score_errors")
    return fold(name, told, hue="warn")


def tournament_card(held: Tournament, room: Room) -> Html:
    """Draw who stands where, and how sure that is."""
    best, debates = held.standings[0], len(held.matches) // 2
    second = held.standings[1] if len(held.standings) > 1 else None
    clear = second is None or best.points_low > second.points_high
    sure = f"{held.level:.0%}"
    shown = held.standings[: 3 * room.ends]
    rest = len(held.standings) - len(shown)
    caption = f"shares of points and mean scores, each with its {sure} interval"
    if rest:
        caption += f"; the rest: tournament.standings[{len(shown)}:]"
    return card(
        "tournament",
        held.topic or "a tournament",
        Chip("ok", f"{gist(best.debater, 30)} leads") if clear else Chip("", "not decided"),
        [
            plural(len(held.standings), "debater"),
            plural(debates, "debate"),
            f"{plural(held.rounds, 'round')} each",
            plural(held.calls, "call"),
        ],
        table(caption, STANDINGS, map(line, shown), path="tournament.standings"),
        crossed(held, [each.debater for each in shown[: room.ends]]),
        path="tournament",
    )


def line(one: Standing) -> tuple[object, ...]:
    """Give the cells of a standing."""
    return (
        gist(one.debater, 60),
        h("span")(bar(one.points, "ok"), f" {one.points:.0%}"),
        f"{100 * one.points_low:.0f}\N{EN DASH}{one.points_high:.0%}",
        h("span")(bar(one.score), f" {one.score:.2f}"),
        f"{one.score_low:.2f}\N{EN DASH}{one.score_high:.2f}",
        f"{count(one.wins)} · {count(one.ties)} · {count(one.losses)}",
    )  # fmt: skip


def crossed(held: Tournament, names: Sequence[str]) -> Html:
    """Tell who has how many points against whom."""
    wins = held.wins()
    columns = [Column("against", "wide"), *(Column(gist(name, 24), "num") for name in names)]
    cells = [
        (gist(a, 40), *("" if a == b else f"{wins[a].get(b, 0.0):g}" for b in names)) for a in names
    ]
    told = table("points of the row against the column: tournament.wins()", columns, cells,
                 path="tournament.wins()")  # fmt: skip
    return fold("who beat whom", told)
