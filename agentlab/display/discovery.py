"""The cards of discovery: who there is, who fits and why, and who did it."""

from __future__ import annotations

from agentlab.display.guards import lasting
from agentlab.display.html import Html, h
from agentlab.display.parts import (
    Chip,
    Column,
    Room,
    asked,
    bar,
    card,
    drawn,
    fold,
    note,
    table,
    took,
)  # fmt: skip
from agentlab.display.skills import tags
from agentlab.display.words import count, gist, most, number, plural, seconds, shortened
from agentlab.teams.capability import (
    AgentAdvertisement,
    AgentHealth,
    Capability,
    CapabilityMatch,
    CapabilityMatches,
)
from agentlab.teams.discovery import AgentRegistry
from agentlab.teams.dispatch import DispatchAttempt, DispatchResult

HUES = {
    AgentHealth.Healthy: "ok", AgentHealth.Degraded: "warn", AgentHealth.Unhealthy: "bad",
    AgentHealth.Unknown: "off",
}  # fmt: skip
AGENTS = [
    Column("agent", "fit"),
    Column("health", "fit"),
    Column("can do", "wide"),
    Column("tags", "wide"),
    Column("heard of", "num"),
]
MATCHES = [
    Column("score", "fit"),
    Column("agent and capability, and why", "wide"),
]
ABILITIES = [
    Column("capability", "fit"), Column("what it does", "wide"), Column("tags", "wide"),
    Column("takes", "num"), Column("costs", "num"),
]  # fmt: skip
ATTEMPTS = [
    Column("", "num"), Column("agent", "fit"), Column("score", "fit"),
    Column("what came of it", "wide"), Column("took", "fit"),
]  # fmt: skip
NO_AGENTS = "No agents yet. `await registry.register(AgentAdvertisement(id, …))` adds one."
NO_MATCHES = (
    "No agent fits. `await registry.query(query, include_unhealthy=True)` shows those that are"
    " not well, too."
)


def agent_registry_card(registry: AgentRegistry, room: Room) -> Html:
    """Draw a registry, a row an agent."""
    rows, ttl = registry.rows(), f"forgotten after {lasting(registry.ttl_secs)}"
    if not rows:
        empty = Chip("", "empty")
        return card("agent registry", "no agents", empty, [ttl], note(NO_AGENTS), path="registry")
    shown = rows[: 3 * room.ends]
    cells = [
        (
            h("b", title=f"registry.get({gist(row.agent_id, 40)!r})")(gist(row.agent_id, 40)),
            drawn(Chip("off", "stale") if row.stale else health(AgentHealth(row.health))),
            gist(", ".join(row.capabilities), room.text // 16),
            tags(row.tags, room.inside()),
            ago(row.heartbeat_age_s),
        )
        for row in shown
    ]
    well = sum(not row.stale and AgentHealth(row.health).factor > 0 for row in rows)
    stale = sum(row.stale for row in rows)
    rest = f"; the rest: registry.rows()[{len(shown)}:]" if len(shown) < len(rows) else ""
    return card(
        "agent registry",
        plural(len(rows), "agent"),
        None,
        [f"{count(well)} can be found", f"{count(stale)} stale" if stale else "", ttl],
        table(
            f"showing {len(shown)} of {count(len(rows))}, by id{rest}",
            AGENTS,
            cells,
            path="registry.rows()",
        ),
        path="registry",
    )


def health(value: AgentHealth) -> Chip:
    """Give the chip of a health."""
    return Chip(HUES[value], value.value)


def advertisement_card(said: AgentAdvertisement, room: Room) -> Html:
    """Draw an agent, and what it says it can do."""
    shown = said.capabilities[: 2 * room.ends]
    cells = [
        (
            h("b", title=f"_.capabilities[{i}]")(gist(each.name, 40)),
            gist(each.description, room.text // 12),
            tags(each.tags, room.inside()),
            takes(each.avg_latency_ms),
            costs(each.cost_per_call_usd),
        )
        for i, each in enumerate(shown)
    ]
    left = len(said.capabilities) - len(shown)
    rest = f"; the rest: _.capabilities[{len(shown)}:]" if left else ""
    body = table(f"what it says it can do{rest}", ABILITIES, cells, path="_.capabilities")
    return card(
        "agent",
        said.agent_id,
        health(said.health),
        [gist(said.agent_name, 60), gist(said.endpoint, 80)],
        body if shown else note("It says of nothing that it can do it."),
        path="_",
    )


def price(capability: Capability) -> str:
    """Say what a capability takes and costs, if that is known."""
    told = (takes(capability.avg_latency_ms), costs(capability.cost_per_call_usd))
    return "".join(f" · {each}" for each in told if each)


def ago(s: float) -> str:
    """Say when something was.

    >>> [ago(s) for s in (0, 18, 90)]
    ['just now', '18 s ago', '2 min ago']
    """
    return "just now" if s < 1 else f"{lasting(s)} ago"


def takes(ms: float | None) -> str:
    """Say how long something takes, if that is known."""
    return "" if ms is None else seconds(ms)


def costs(usd: float | None) -> str:
    """Say what something costs, if that is known."""
    return "" if usd is None else f"${number(usd):,.4f}".rstrip("0").rstrip(".")


def capability_matches_card(found: CapabilityMatches | CapabilityMatch, room: Room) -> Html:
    """Draw matches, each with its bar, the tags that make it, and the health that lowers it."""
    several = [found] if isinstance(found, CapabilityMatch) else found
    if not several:
        chip = Chip("", "none fits")
        return card("capability matches", "none", chip, (), note(NO_MATCHES), path="matches")
    shown = several[: 2 * room.ends]
    cells = [
        (
            h("span", title=f"matches[{i}].score")(bar(each.score, "ok"), f" {each.score:.2f}"),
            h("div")(
                h("b")(gist(each.agent_id, 40)),
                " ",
                gist(each.capability.name, 60),
                h("span", "agl-dim")(price(each.capability)),
                why(each, room),
            ),
        )
        for i, each in enumerate(shown)
    ]
    rest = f"; the rest: matches[{len(shown)}:]" if len(shown) < len(several) else ""
    caption = f"showing {len(shown)} of {count(len(several))}, best first{rest}"
    name = several[0].agent_id if len(several) == 1 else plural(len(several), "match", "matches")
    body = table(caption, MATCHES, cells, path="matches")
    return card("capability matches", name, None, (), body, path="matches")


def why(found: CapabilityMatch, room: Room) -> Html:
    """Take a score apart in one line."""
    shared = ", ".join(gist(each, 30) for each in found.shared[: room.ends])
    more = ", …" if len(found.shared) > room.ends else ""
    tags_ = f"{count(len(found.shared))}/{count(found.of_tags)} tags" + (
        f" ({shared}{more})" if shared else ""
    )
    hue = HUES[found.health].replace("off", "")
    return h("div", "agl-small")(
        f"{number(found.score):.2f} = ",
        h("span", "agl-label tool")(tags_ if found.of_tags else "no tags asked"),
        " × ",
        h("span", f"agl-label {hue}".strip())(f"{found.health.value} {found.health.factor:.1f}"),
    )


def dispatch_card(result: DispatchResult, room: Room) -> Html:
    """Draw who did a task: the answer first, then who was chosen and why, then who tried."""
    tried = result.attempts
    failed = sum(not each.ok for each in tried)
    return card(
        "dispatch",
        result.agent_id,
        Chip("ok", "answered"),
        [
            f"after {plural(failed, 'failure')}" if failed else "at the first attempt",
            seconds(sum(number(each.ms) for each in tried)),
        ],
        asked(
            ("asked", shortened(result.task, "result.task", room.text), "", "result.task"),
            ("answer", shortened(result.answer, "result.answer", room.text), "agl-answer",
             "result.answer"),
            ("why", gist(result.why, 200), "", "result.why"),
        ),
        attempts_table(tried, room) if failed else None,
        path="result",
    )  # fmt: skip


def attempts_table(tried: list[DispatchAttempt], room: Room) -> Html:
    """Draw all who tried, in order."""
    shown = tried[: 2 * room.ends]
    longest = most([each.ms for each in shown])
    cells = [
        (
            count(i + 1),
            h("b", title=f"result.attempts[{i}]")(gist(each.agent_id, 40)),
            h("span")(bar(each.score, "ok"), f" {number(each.score):.2f}"),
            h("span", "agl-result" + " bad" * (not each.ok))(
                gist(each.answer if each.ok else each.error, room.text // 8)
            ),
            took(each.ms, longest),
        )
        for i, each in enumerate(shown)
    ]
    left = len(tried) - len(shown)
    rest = f"; the rest: result.attempts[{len(shown)}:]" if left else ""
    body = table(f"in the order they were asked{rest}", ATTEMPTS, cells, path="result.attempts")
    return fold(plural(len(tried), "attempt"), body, is_open=True)
