"""The card of calls that wait for a person: what each would do, and how it is answered."""

from __future__ import annotations

from agentlab.core.approval import PendingCall, PendingCalls
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, call, card, note, table
from agentlab.display.steps import arguments
from agentlab.display.words import count, gist, moment, plural, shortened

EMPTY = "Nothing waits for an answer. `lab.start(goal, approve=True)` asks before each tool call."
HOW = "answer: handle.answer(handle.pending()[0].call_id, True), or Edit(args), or Refuse(reason)"
HOW_ONE = "Answer: `handle.answer(call.call_id, True)`, or `Edit(args)`, or `Refuse(reason)`."


def pending_card(calls: PendingCalls, room: Room) -> Html:
    """Draw the card."""
    path = "handle.pending()"
    if not calls:
        return card("pending calls", "none", Chip("", "nothing waits"), (), note(EMPTY), path=path)
    shown = calls[: 2 * room.ends + 1]
    some = f"the first {len(shown)} of {count(len(calls))}; " if len(shown) < len(calls) else ""
    columns = [Column("", "num"), Column("call", "wide"), Column("whose"), Column("asked")]
    rows = [cells(no, each, room) for no, each in enumerate(shown)]
    word = "waits for an answer" if len(calls) == 1 else "wait for an answer"
    chip = Chip("warn", word)
    body = table(some + HOW, columns, rows, path=path)
    return card("pending calls", plural(len(calls), "call"), chip, (), body, path=path)


def pending_call_card(one: PendingCall, room: Room) -> Html:
    """Draw a call that waits, or did when this was drawn."""
    args = shortened(arguments(one.args), "call.args", room.text)
    return card(
        "pending call",
        one.tool,
        Chip("warn", "asked"),
        [f"by {gist(one.agent, 60)}", moment(one.asked_at)],
        asked(("wants", call(gist(one.tool, 60), args), "", "call.args")),
        note(HOW_ONE),
        path="call",
    )


def cells(no: int, each: PendingCall, room: Room) -> list[object]:
    """Give the cells of one call."""
    args = gist(arguments(each.args), room.text // 4)
    return [
        h("span", title=f"handle.pending()[{no}]")(count(no)),
        call(gist(each.tool, 60), args),
        gist(each.agent, 60),
        moment(each.asked_at),
    ]
