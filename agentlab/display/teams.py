"""The cards of a team, a swarm and a bus."""

from __future__ import annotations

from collections.abc import Sequence

from agentlab.display.html import Html, h
from agentlab.display.parts import (
    Chip,
    Column,
    Labelled,
    Room,
    asked,
    bar,
    card,
    fold,
    labelled,
    listed,
    note,
    row,
    rows,
    skipped,
    table,
    took,
)
from agentlab.display.topologies import FAILED, Actor, heard, left_out, topology
from agentlab.display.words import count, gist, most, plural, seconds, shortened
from agentlab.teams.bus import AgentBus
from agentlab.teams.swarm_config import SubTaskResult, SwarmResult
from agentlab.teams.team_config import normalised
from agentlab.teams.team_result import TeamResult, TeamRow

DRAWN, BIG = 24, 200  # agents in a picture; letters of an answer that is seen, not read
AGENTS = [
    Column("agent", "fit"), Column("answer", "wide"), Column("messages", "fit"),
    Column("took", "fit"),
]  # fmt: skip
VOTES = [Column("option", "wide"), Column("votes", "fit")]
READERS = [
    Column("subscriber", "fit"), Column("roles", "wide"), Column("unread", "fit"),
    Column("received", "num"), Column("lost", "num"),
]  # fmt: skip
MESSAGES = [
    Column("from", "fit"), Column("to", "fit"), Column("message", "wide"),
    Column("heard by", "num"),
]  # fmt: skip
NO_READERS = 'Nothing is brought yet, for nobody listens: `reader = bus.subscribe("agent")` does.'
NO_TASKS = "Nothing was to be done: the task had no parts."


def answer_row(name: str, text: str, path: str, room: Room) -> tuple[str, object, str, str]:
    """Give an answer for the top of a card: a short one is large."""
    big = len(text) <= BIG and "\n" not in text
    said = shortened(text, path, room.text) or "(an empty text)"
    return name, said, "agl-answer" if big else "", path


def team_card(result: TeamResult, room: Room) -> Html:
    """Draw what a team came to: its answer, who heard whom, and who said what."""
    agents = result.rows()
    shown = agents[: min(DRAWN, 3 * room.ends)]
    failed = sum(each.answer is None for each in agents)
    chip = Chip("ok", "unanimous" if result.is_unanimous() else "answered")
    if result.votes and not result.is_unanimous():
        total = sum(result.votes.values())
        chip = Chip("ok", f"{count(max(result.votes.values()))} of {plural(total, 'vote')}")
    if result.tie:
        chip = Chip("warn", "a tie")
    return card(
        "team",
        result.task or "a team",
        chip,
        [
            f"{result.topology_used} · {result.consensus_used}",
            plural(len(agents), "agent") + (f", {count(failed)} failed" if failed else ""),
            plural(result.rounds_completed, "round"),
            plural(result.messages_exchanged, "message"),
            seconds(result.duration_ms) if result.duration_ms else "",
        ],
        asked(answer_row("answer", result.final_answer, "result.final_answer", room)),
        drawing(result, shown) if len(shown) > 1 else None,
        members(shown, agents, room),
        votes(result, room) if result.votes else None,
        path="result",
    )


def drawing(result: TeamResult, shown: Sequence[TeamRow]) -> Html:
    """Draw who heard whom; who says the same has the same colour."""
    spoken = [each.answer for each in shown if each.answer is not None]
    options = list(dict.fromkeys(map(normalised, spoken)))
    hues = [0, 1, 2, 3, 5]

    def hue(each: TeamRow) -> int:
        if each.answer is None:
            return FAILED
        return hues[min(options.index(normalised(each.answer)), len(hues) - 1)]

    actors = [
        Actor(
            each.agent,
            hue(each),
            each.error or f"{each.role}, {heard(each.sent, each.received)}",
        )
        for each in shown
    ]
    star = result.topology_used == "star"
    return topology(
        actors,
        result.links(),
        centre=result.leader if star else "",
        title=f"{result.topology_used}, {plural(result.messages_exchanged, 'message')}",
        legend="colour: answer · numbers: messages heard · a line is darker where it leads",
        path="result.links()",
    )


def members(shown: Sequence[TeamRow], agents: Sequence[TeamRow], room: Room) -> Html:
    """List who said what, and how much went to and from each."""
    longest = most([each.ms for each in agents])
    cells = [
        (
            h("span")(h("b")(gist(each.agent, 40)), " ", h("span", "agl-tag")(gist(each.role, 30))),
            said(each, i, room),
            heard(each.sent, each.received),
            took(each.ms, longest),
        )
        for i, each in enumerate(shown)
    ]
    rest = len(agents) - len(shown)
    caption = "the leader first: result.to_frame()"
    if rest:
        caption = left_out(len(agents), len(shown), f"result.rows()[{len(shown)}:]")
    return table(caption, AGENTS, cells, path="result.rows()")


def said(each: TeamRow, i: int, room: Room) -> Html | str:
    """Say what an agent answered, or why it did not."""
    if each.answer is None:
        return h("span", "agl-result bad")(gist(f"failed: {each.error}", min(200, room.text)))
    return shortened(gist(each.answer, 1000), f"result.rows()[{i}].answer", min(240, room.text))


def votes(result: TeamResult, room: Room) -> Html:
    """Show how many voted for what."""
    total = sum(result.votes.values())
    cells = [
        (gist(option, min(200, room.text)), h("span")(bar(n / total), f" {count(n)}"))
        for option, n in list(result.votes.items())[: 2 * room.ends]
    ]
    tie = "a tie: the leader's option is first, else the earliest" if result.tie else ""
    return table(tie or "in their first spelling: result.votes", VOTES, cells, path="result.votes")


def swarm_card(result: SwarmResult, room: Room) -> Html:
    """Draw what a swarm came to: the answer, who did what, and what was not needed."""
    parts = result.subtask_results
    done, cancelled = sum(each.success for each in parts), len(result.cancelled())
    chip = Chip("ok" if result.threshold_met else "bad", f"{count(done)} of {count(len(parts))}")
    if not parts:
        body: list[Html | None] = [note(NO_TASKS)]
        chip = Chip("", "empty")
    else:
        longest = most([each.ms for each in parts])
        body = [
            asked(answer_row("answer", result.converged_answer, "result.converged_answer", room)),
            rows(
                len(parts),
                listed(
                    len(parts),
                    room.ends,
                    lambda i: subtask(i, parts[i], longest, room),
                    lambda start, end: skipped(
                        f"{plural(end - start, 'more subtask')}:"
                        f" result.subtask_results[{start}:{end}]"
                    ),
                ),
            ),
        ]
    return card(
        "swarm",
        result.task or "nothing to do",
        chip,
        [
            plural(len(parts), "subtask"),
            plural(len({each.agent_id for each in parts}), "agent"),
            f"{count(result.required)} had to succeed" if parts else "",
            f"{count(result.failure_count)} failed" if result.failure_count else "",
            f"{count(cancelled)} cancelled" if cancelled else "",
            seconds(result.duration_ms) if result.duration_ms else "",
        ],
        *body,
        path="result",
    )


def subtask(i: int, each: SubTaskResult, longest: float, room: Room) -> Html:
    """Draw a subtask as a line that makes sense alone, and all of it inside."""
    where = f"result.subtask_results[{i}]"
    text = each.output if each.success else f"{each.error}"
    hue = " bad" if each.status == "failed" else ""
    line = [
        h("b", "agl-name")(gist(each.agent_id, 40)),
        " ",
        gist(each.description, min(100, room.text)),
        h("span", "agl-arrow")(" → "),
        h("span", f"agl-result{hue}")(gist(text, min(160, room.text))),
    ]
    what = shortened(each.description, f"{where}.description", room.text)
    tried = [Labelled("", "attempts", count(each.attempts), f"{where}.attempts")]
    name, field = ("output", "output") if each.success else (each.status, "error")
    body = labelled(
        Labelled("", "subtask", f"{gist(each.subtask_id, 40)}: {what}", where),
        Labelled(
            {"failed": "bad", "completed": "seen"}.get(each.status, ""), name,
            shortened(text, f"{where}.{field}", room.text), f"{where}.{field}",
        ),
        *(tried if each.attempts > 1 else []),
    )  # fmt: skip
    right = took(each.ms, longest) if each.ms else h("span")()
    return row(i + 1, line, right, body, path=where)


def bus_card(bus: AgentBus, room: Room) -> Html:
    """Draw a bus: who listens in which roles, who is behind, and what was said last."""
    stats, readers, messages = bus.stats(), bus.subscribers(), bus.rows(2 * room.ends)
    full = any(each.unread == stats.capacity for each in readers)
    chip = Chip("warn", "some lag") if stats.lost else Chip("warn", "full") if full else None
    shown = readers[: 3 * room.ends]
    cells = [
        (
            gist(each.agent, 60),
            h("span")(*(h("span", "agl-tag")(gist(role, 40)) for role in each.roles)),
            h("span")(
                bar(each.unread / stats.capacity, "warn" if each.lost else "tool"),
                f" {count(each.unread)}",
            ),
            count(each.received),
            count(each.lost),
        )
        for each in shown
    ]
    rest = f"; the rest: bus.subscribers()[{len(shown)}:]" if len(shown) < len(readers) else ""
    listing = table(
        f"unread of {count(stats.capacity)} at most{rest}", READERS, cells, path="bus.subscribers()"
    )
    return card(
        "bus",
        plural(stats.subscribers, "subscriber"),
        chip or (None if readers or messages else Chip("", "empty")),
        [
            plural(stats.total_sent, "message"),
            plural(stats.roles, "role"),
            f"{count(stats.send_errors)} reached nobody" if stats.send_errors else "",
            f"{count(stats.lost)} lost" if stats.lost else "",
        ],
        listing if readers else note(NO_READERS),
        last_said(bus, room) if messages else None,
        path="bus",
    )


def last_said(bus: AgentBus, room: Room) -> Html:
    """List the last messages."""
    kept = bus.rows()
    some = kept[-2 * room.ends :]
    first = len(kept) - len(some)
    cells = [
        (
            gist(each.sender, 40),
            gist(each.target, 60),
            shortened(
                gist(each.content, 1000), f"bus.rows()[{first + i}].content", min(200, room.text)
            ),
            count(each.delivered),
        )
        for i, each in enumerate(some)
    ]
    caption = (
        f"the last {len(some)} of {count(bus.total_sent())}, newest at the end: bus.to_frame()"
    )
    told = table(caption, MESSAGES, cells, path="bus.rows()")
    return fold(plural(bus.total_sent(), "message"), told, is_open=True)
