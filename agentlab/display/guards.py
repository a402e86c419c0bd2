"""The cards of what stands before a call: breaker, backpressure, retries, deduplication.

And of the pipeline that composes them.
"""

from __future__ import annotations

from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, bar, card, drawn, fold, note, table
from agentlab.display.words import count, gist, number, plural, seconds, text_of
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit import BreakerRow, CircuitState
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline, Stage
from agentlab.resilience.retry import RetryPolicy
from agentlab.resilience.shared_breaker import SharedCircuitBreaker

STATES = {
    CircuitState.Closed: Chip("ok", "closed"),
    CircuitState.Open: Chip("bad", "open"),
    CircuitState.HalfOpen: Chip("warn", "half open"),
}
WORDS = {
    CircuitState.Closed: "calls go through",
    CircuitState.Open: "calls are refused at once",
    CircuitState.HalfOpen: "one call may try, as a probe",
}
DELAYS = [Column("after failure", "fit"), Column("wait", "wide"), Column("waited in all", "num")]
ENTRIES = [Column("key", "wide"), Column("state", "fit"), Column("age", "num")]
STAGES = [Column("stage", "fit"), Column("handler", "wide"), Column("policies", "wide")]
NO_STAGES = "Nothing happens here yet. `pipeline.add_stage(name, function)` adds a stage."
NO_ENTRIES = "Nothing was asked for yet. `await dedup.run(key, fn)` keeps what `fn` gives."


def breaker_card(breaker: CircuitBreaker | SharedCircuitBreaker, room: Room) -> Html:  # noqa: ARG001
    """Draw a breaker: its state, how far it is from the next, and what it did."""
    row = breaker.stats()
    state = CircuitState(row.state)
    shared = isinstance(breaker, SharedCircuitBreaker)
    share = row.failures / row.threshold
    failures = h("span")(
        bar(share, "bad" if state is not CircuitState.Closed else "warn"),
        f" {count(row.failures)} of {count(row.threshold)} in a row",
    )
    return card(
        "circuit breaker",
        row.service,
        STATES[state],
        [
            plural(row.calls, "call"),
            f"{count(row.refused)} refused" if row.refused else "",
            plural(row.backend_errors, "backend error") if row.backend_errors else "",
            "shared, as seen last" if shared else "",
        ],
        asked(
            (
                "now",
                f"{WORDS[state]}{after(state, row.next_change_s, probing=row.probing)}",
                "",
                "breaker.next_change_s",
            ),
            ("failures", failures, "", "breaker.failure_count"),
            ("states", machine(row, state), "", "breaker.state"),
        ),
        path="breaker",
    )


def machine(row: BreakerRow, now: CircuitState) -> Html:
    """Draw the states in the order they come, that of now as a chip, and what leads on."""
    opens = plural(row.threshold, "failure") + (" in a row" if row.threshold > 1 else "")
    closed, opened, half_open = (
        drawn(chip if state is now else Chip("off", chip.word)) for state, chip in STATES.items()
    )
    return h("span")(
        closed, f" — {opens} → ", opened, f" — {lasting(row.recovery_window)} → ", half_open
    )


def after(state: CircuitState, next_s: float | None, *, probing: bool) -> str:
    """Say what changes by itself, and when."""
    if state is CircuitState.Open:
        return f"; a probe may try in {lasting(next_s)}"
    if probing:
        return f"; it is out, and lapses in {lasting(next_s)}"
    return ""


def backpressure_card(guard: BackpressureGuard, room: Room) -> Html:  # noqa: ARG001
    """Draw a guard: how full it is, and how often it was."""
    row = guard.stats()
    soft = row.soft_limit is not None and row.depth >= row.soft_limit
    full = row.depth >= row.capacity
    chip = Chip("bad", "full") if full else Chip("warn", "above soft limit") if soft else None
    depth = h("span")(
        bar(row.depth / row.capacity, "bad" if full else "warn" if soft else "ok"),
        f" {count(row.depth)} of {count(row.capacity)}",
        f", {count(row.waiting)} waiting" if row.waiting else "",
    )
    limit = () if row.soft_limit is None else [
        ("soft limit", f"{count(row.soft_limit)}, reached {times(row.soft_limit_hits)}", "", "")
    ]  # fmt: skip
    return card(
        "backpressure",
        f"{count(row.depth)} in flight",
        chip or Chip("ok", "open"),
        [
            f"{count(row.acquired)} let in",
            f"{count(row.shed_count)} shed" if row.shed_count else "",
            f"peak {count(row.peak)}",
        ],
        asked(("in flight", depth, "", "guard.depth"), *limit),
        path="guard",
    )


def lasting(s: Any) -> str:
    """Say a number of seconds, whole ones whole: most are set by people.

    >>> [lasting(s) for s in (0.1, 30, 2.5, 60)]
    ['0.1 s', '30 s', '2.5 s', '1 min']
    """
    return seconds(number(s) * 1000).replace(".0 s", " s")


def times(value: int) -> str:
    """``once``, ``3 times``."""
    return "never" if not value else "once" if value == 1 else f"{count(value)} times"


def retry_card(policy: RetryPolicy, room: Room) -> Html:
    """Draw a policy: each wait, beside the longest."""
    rows = policy.schedule()
    longest = max((row.delay_s for row in rows), default=0) or 1
    shown = rows[: 2 * room.ends]
    cells = [
        (
            count(row.attempt),
            h("span")(bar(row.delay_s / longest), f" {lasting(row.delay_s)}"),
            lasting(row.total_s),
        )
        for row in shown
    ]
    rest = f"the first {len(shown)} waits; all: policy.schedule()" if len(shown) < len(rows) else ""
    jitter = "; with full jitter each is anything up to that" if policy.jitter == "full" else ""
    only = "only transient errors" if policy.retry_if is None else "errors that retry_if wants"
    body = (
        table(
            rest or f"the waits between attempts{jitter}", DELAYS, cells, path="policy.schedule()"
        )
        if rows
        else note("One attempt: a failure is the end of it.")
    )
    return card(
        "retry policy",
        plural(policy.max_attempts, "attempt"),
        None,
        [
            policy.growth if rows else "",
            "full jitter" if policy.jitter == "full" else "",
            f"within {lasting(policy.deadline_s)}" if policy.deadline_s else "",
            only,
        ],
        body,
        path="policy",
    )


def dedup_card(dedup: Deduplicator, room: Room) -> Html:
    """Draw a deduplicator: what it holds, and what that spared."""
    row, entries = dedup.stats(), dedup.entries()
    spared, asked_ = row.hits + row.joined, row.hits + row.joined + row.claims
    shown = entries[: 2 * room.ends]
    cells = [(gist(each.key, 80), text_of(each.state), lasting(each.age_s)) for each in shown]
    rest = f"; the rest: dedup.entries()[{len(shown)}:]" if len(shown) < len(entries) else ""
    listing = fold(
        plural(len(entries), "key"),
        table(f"oldest first{rest}", ENTRIES, cells, path="dedup.entries()"),
    )
    empty = None if asked_ else Chip("", "empty")
    share = h("span")(
        bar(spared / (asked_ or 1), "ok"),
        f" {count(spared)} of {count(asked_)}: {count(row.hits)} from the cache,"
        f" {count(row.joined)} joined one under way",
    )
    return card(
        "deduplicator",
        f"{count(row.cached)} cached",
        Chip("run", f"{count(row.in_flight)} in flight") if row.in_flight else empty,
        [
            f"kept {lasting(row.ttl_s)}",
            f"at most {count(row.max_entries)}",
            f"{count(row.evicted)} evicted" if row.evicted else "",
            f"{count(row.stale)} came too late" if row.stale else "",
        ],
        asked(("spared", share, "", "dedup.stats()")) if asked_ else note(NO_ENTRIES),
        listing if entries else None,
        path="dedup",
    )


def pipeline_card(pipeline: Pipeline, room: Room) -> Html:
    """Draw a pipeline: a row a stage, in the order that a text takes."""
    rows, stages = pipeline.rows(), pipeline.stages
    if not rows:
        return card(
            "pipeline", "no stages", Chip("", "empty"), (), note(NO_STAGES), path="pipeline"
        )
    shown = rows[: 3 * room.ends]
    cells = [
        (
            h("span", title=f"pipeline.stages[{i}]")(gist(row.name, 60)),
            h("span", "agl-code")(gist(row.handler, 60), "" if row.inline else " (in a thread)"),
            h("span")(*policies_of(stage, f"pipeline.stages[{i}]")),
        )
        for i, (row, stage) in enumerate(zip(shown, stages, strict=False))
    ]
    rest = f"; the rest: pipeline.rows()[{len(shown)}:]" if len(shown) < len(rows) else ""
    caption = f"in order; policies from the outside in{rest}"
    return card(
        "pipeline",
        " → ".join(gist(row.name, 30) for row in shown[:6]) + (" → …" if len(rows) > 6 else ""),  # noqa: PLR2004
        None,
        [plural(len(rows), "stage")],
        table(caption, STAGES, cells, path="pipeline.rows()"),
        path="pipeline",
    )


def policies_of(stage: Stage, path: str) -> list[Html]:
    """Draw the policies of a stage, the outermost first."""
    return [
        h("span", title=f"{path}.{name}")(h("span", "agl-tag")(gist(in_words(policy), 90)), " ")
        for name in ("dedup", "retry", "breaker")
        if (policy := getattr(stage, name)) is not None
    ]


def in_words(policy: object) -> str:
    """Say what a policy does, in a few words."""
    match policy:
        case Deduplicator():
            return f"once in {lasting(policy.stats().ttl_s)}"
        case RetryPolicy():
            return f"up to {plural(policy.max_attempts, 'attempt')}, {policy.growth}"
        case CircuitBreaker() | SharedCircuitBreaker():
            row = policy.stats()
            return f"breaker {row.service} {STATES[CircuitState(row.state)].word}"
    return repr(policy)
