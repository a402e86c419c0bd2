"""Who can do what: the worked figures, a scorer written the plain way, and time that goes by."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.teams.capability import CapabilityMatches
from agentlab.teams.census import Announcement

NLP = al.CapabilityQuery(["nlp"], ["text", "fast"])


def agent(name: str, *tags: str, health: str = "healthy", **more: Any) -> al.AgentAdvertisement:
    """Give an agent that can do one thing, which is called like it."""
    capability = al.Capability(f"{name} does", tags=tags, **more)
    return al.AgentAdvertisement(name, "", [capability], health=al.AgentHealth(health))


def registry(*agents: al.AgentAdvertisement, ttl: float = 60) -> al.AgentRegistry:
    """Give a registry of some agents."""
    made = al.AgentRegistry(ttl, clock=FakeClock())
    for each in agents:
        made.register_sync(each)
    return made


def ids(found: CapabilityMatches) -> list[str]:
    """Name the agents of some matches."""
    return [each.agent_id for each in found]


def test_w38_1() -> None:
    """Two of three tags are shared: 2/3; a degraded agent has 0.6 of that."""
    agents = registry(agent("summariser", "nlp", "text"))
    (found,) = agents.query_sync(NLP)

    assert found.agent_id == "summariser"
    assert found.score == pytest.approx(2 / 3)
    assert f"{found.score:.2f}" == "0.67"
    assert str(found) == "0.67 = 2/3 tags (nlp, text) × healthy 1.0"
    agents.heartbeat_sync("summariser", "degraded")
    (found,) = agents.query_sync(NLP)
    assert found.score == pytest.approx(0.40)
    assert str(found) == "0.40 = 2/3 tags (nlp, text) × degraded 0.6"


def test_w38_2() -> None:
    """With no time to live it is gone after ten milliseconds."""

    async def play() -> list[str]:
        agents = al.AgentRegistry(0)
        await agents.register(agent("a", "nlp"))
        await asyncio.sleep(0.01)
        return await agents.evict_stale()

    assert asyncio.run(play()) == ["a"]


def test_w38_3() -> None:
    """Who is not well is no match, or one of 0 for who asks; a heartbeat heals."""
    for health in ("unhealthy", "unknown"):
        agents = registry(agent("a", "nlp", "text", health=health))

        assert agents.query_sync(NLP) == []
        assert [m.score for m in agents.query_sync(NLP, include_unhealthy=True)] == [0.0]
        assert agents.heartbeat_sync("a", al.AgentHealth.Healthy)
        assert agents.query_sync(NLP)[0].score > 0


def test_w38_4() -> None:
    """Over the latency, over the cost, without a required tag: out; the rest by score."""
    agents = registry(
        agent("slow", "nlp", "text", "fast", avg_latency_ms=501),
        agent("dear", "nlp", "text", "fast", cost_per_call_usd=0.2),
        agent("other", "text", "fast"),
        agent("fair", "nlp", "text", avg_latency_ms=500),
        agent("best", "nlp", "text", "fast", cost_per_call_usd=0.1),
        agent("poor", "nlp", "a", "b", "c"),
    )
    query = al.CapabilityQuery(["nlp"], ["text", "fast"], 500, 0.1)
    found = agents.query_sync(query)

    assert [(m.agent_id, m.score) for m in found] == [
        ("best", 1.0), ("fair", pytest.approx(2 / 3)), ("poor", pytest.approx(1 / 6)),
    ]  # fmt: skip


def test_what_is_not_known_is_within_limits() -> None:
    """Unless the limits are strict."""
    agents = registry(agent("a", "nlp"), agent("b", "nlp", avg_latency_ms=5))
    query = al.CapabilityQuery(["nlp"], max_latency_ms=10)

    assert ids(agents.query_sync(query)) == ["b", "a"]
    assert ids(agents.query_sync(query, strict_limits=True)) == ["b"]


def test_ties() -> None:
    """The quicker, the cheaper, then by agent and by name; what is not known comes last."""
    two = al.AgentAdvertisement(
        "x", "", [al.Capability(name, tags=["t"], avg_latency_ms=9) for name in "ba"]
    )
    agents = registry(
        agent("d", "t"),
        agent("c", "t", cost_per_call_usd=1),
        agent("b", "t", avg_latency_ms=9, cost_per_call_usd=0.5),
        agent("a", "t", avg_latency_ms=8),
        two,
    )
    found = agents.query_sync(al.CapabilityQuery(["t"]))

    assert [(m.agent_id, m.capability.name) for m in found] == [
        ("a", "a does"), ("b", "b does"), ("x", "a"), ("x", "b"), ("c", "c does"), ("d", "d does"),
    ]  # fmt: skip


def test_tags_are_compared_without_case_and_blanks() -> None:
    """And a tag that is blank is none."""
    agents = registry(agent("a", " NLP ", "Straße", "nlp", ""))
    (found,) = agents.query_sync(al.CapabilityQuery(["nlp"], ["STRASSE", " "]))

    assert (found.score, found.of_tags) == (1.0, 2)


def test_no_tags() -> None:
    """Everything fits as well as its agent is."""
    agents = registry(agent("a"), agent("b", "t", health="degraded"), agent("c", health="unknown"))
    found = agents.query_sync(al.CapabilityQuery())

    assert [(m.agent_id, m.score) for m in found] == [("a", 1.0), ("b", 0.6)]
    assert str(found[1]) == "0.60 = no tags asked × degraded 0.6"


def test_heartbeats() -> None:
    """Who is not heard of for too long is not found, though it is not evicted yet."""
    agents = registry(agent("a", "nlp"), agent("b", "nlp"), ttl=10)
    clock: Any = agents.clock
    clock.advance(6)
    assert agents.heartbeat_sync("b")
    assert not agents.heartbeat_sync("ghost")
    clock.advance(4)

    assert ids(agents.query_sync(NLP)) == ["b"]
    assert [row.stale for row in agents.rows()] == [True, False]
    assert agents.evict_stale_sync() == ["a"]
    assert agents.evict_stale_sync() == []
    assert (len(agents), "a" in agents, "b" in agents) == (1, False, True)


def test_a_clock_that_is_set_back() -> None:
    """It makes nobody old, whichever of its times goes back."""

    class Odd(FakeClock):
        back = 0.0

        def now(self) -> datetime:
            return super().now() - timedelta(seconds=self.back)

        def monotonic(self) -> float:
            return super().monotonic() - self.back

    clock = Odd()
    agents = al.AgentRegistry(10, clock=clock)
    agents.register_sync(agent("a", "nlp"))
    clock.back = 5000.0

    assert agents.evict_stale_sync() == []
    assert ids(agents.query_sync(NLP)) == ["a"]
    assert agents.rows()[0].heartbeat_age_s == 0


def test_times_are_the_registrys() -> None:
    """What an agent says of them does not count; registering again begins anew."""
    agents = registry(agent("a", "nlp"), ttl=10)
    clock: Any = agents.clock
    lies = al.AgentAdvertisement(
        "a", "Ann", [], None, datetime(1999, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    )
    clock.advance(9)
    agents.register_sync(lies)
    clock.advance(9)

    said = agents.get("a")
    assert said is not None
    assert said.registered_at == said.last_heartbeat == clock.now() - timedelta(seconds=9)
    assert (said.agent_name, agents.query_sync(NLP)) == ("Ann", [])
    assert not agents.evict_stale_sync()
    agents.heartbeat_sync("a")
    assert agents.get("a").last_heartbeat == clock.now()  # type: ignore[union-attr]


def test_blame() -> None:
    """It makes a score less, never more, and is no heartbeat."""
    agents = registry(agent("a", "nlp", "text"), ttl=10)
    clock: Any = agents.clock
    clock.advance(9)
    assert agents.blame_sync("a")
    assert not agents.blame_sync("a")
    assert not agents.blame_sync("ghost")
    assert agents.query_sync(NLP)[0].score == pytest.approx(0.4)
    assert agents.blame_sync("a", "unhealthy")
    assert not agents.blame_sync("a", "healthy")
    clock.advance(1)
    assert agents.evict_stale_sync() == ["a"]


def test_deregister() -> None:
    """It is gone, and the second time there is nothing to take out."""
    agents = registry(agent("a", "nlp"))

    assert agents.deregister_sync("a")
    assert not agents.deregister_sync("a")
    assert agents.get("a") is None
    assert agents


def test_news(caplog: pytest.LogCaptureFixture) -> None:
    """A bus hears who came, went, or is not well; a bus that fails changes nothing."""

    class Bus:
        def __init__(self, *, waits: bool = False) -> None:
            self.heard: list[Any] = []
            self._waits = waits

        def send(self, message: Any) -> Any:
            self.heard.append(message)
            return asyncio.sleep(0) if self._waits else len(self.heard)

    for waits in (False, True):
        bus, clock = Bus(waits=waits), FakeClock()
        agents = al.AgentRegistry(10, clock=clock, bus=bus, message=str)
        agents.register_sync(agent("a"))
        agents.heartbeat_sync("a")
        agents.heartbeat_sync("a", "degraded")
        clock.advance(10)
        agents.evict_stale_sync()
        agents.deregister_sync("a")
        assert bus.heard == [
            "registered: a (healthy)", "health: a (degraded)", "evicted: a (degraded)",
        ]  # fmt: skip

    plain = Bus()
    told = al.AgentRegistry(10, clock=clock, bus=plain)
    told.register_sync(agent("a"))
    assert plain.heard == [Announcement("registered", "a", "healthy", clock.now())]

    class Broken:
        def send(self, _: Any) -> None:
            raise RuntimeError("nobody listens")

    broken = al.AgentRegistry(10, bus=Broken())
    with caplog.at_level(logging.WARNING, "agentlab.teams"):
        broken.register_sync(agent("a"))
    assert "a" in broken
    assert "could not be told that registered: a (healthy)" in caplog.text


TAGS = st.lists(st.sampled_from(["a", "A ", "b", "c", "ß", "SS", ""]), max_size=4)
NUMBERS = st.none() | st.sampled_from([0.0, 1.0, 2.5])
CAPABILITIES = st.builds(
    al.Capability, st.sampled_from("xyz"), st.just(""), TAGS, st.none(), st.none(), NUMBERS, NUMBERS
)
AGENTS = st.lists(
    st.tuples(st.lists(CAPABILITIES, max_size=3), st.sampled_from(al.AgentHealth)), max_size=5
)
QUERIES = st.builds(al.CapabilityQuery, TAGS, TAGS, NUMBERS, NUMBERS)


def plainly(
    agents: list[tuple[list[al.Capability], al.AgentHealth]], query: al.CapabilityQuery,
    *, strict: bool, unwell: bool,
) -> list[tuple[float, str, str]]:  # fmt: skip
    """Rank capabilities the plain way."""

    def plain(tags: Any) -> set[str]:
        return {tag.casefold().strip() for tag in tags if tag.strip()}

    factors = {"healthy": 1.0, "degraded": 0.6, "unhealthy": 0.0, "unknown": 0.0}
    found = []
    for i, (capabilities, health) in enumerate(agents):
        for c in capabilities:
            tags, need = plain(c.tags), plain(query.required_tags)
            limits = [
                (c.avg_latency_ms, query.max_latency_ms),
                (c.cost_per_call_usd, query.max_cost_usd),
            ]
            over = any(most is not None and value is not None and value > most
                       for value, most in limits)  # fmt: skip
            unsaid = any(most is not None and value is None for value, most in limits)
            if need - tags or over or (strict and unsaid):
                continue
            wanted = need | plain(query.preferred_tags)
            share = len(tags & wanted) / len(tags | wanted) if wanted else 1.0
            score = share * factors[health.value]
            if score or unwell:
                late = float("inf") if c.avg_latency_ms is None else c.avg_latency_ms
                cost = float("inf") if c.cost_per_call_usd is None else c.cost_per_call_usd
                found.append((-score, late, cost, f"agent {i}", c.name))
    return [(-score, who, name) for score, _, _, who, name in sorted(found)]


@given(AGENTS, QUERIES, st.booleans(), st.booleans())
def test_a_plain_scorer_agrees(
    agents: list[tuple[list[al.Capability], al.AgentHealth]],
    query: al.CapabilityQuery,
    strict: bool,  # noqa: FBT001 - drawn
    unwell: bool,  # noqa: FBT001
) -> None:
    """Who is found, in which order and with which score, is what one gets by hand."""

    async def play() -> CapabilityMatches:
        made = al.AgentRegistry(60, clock=FakeClock())
        for i, (capabilities, health) in reversed([*enumerate(agents)]):
            said = al.AgentAdvertisement(f"agent {i}", "", capabilities, health=health)
            await made.register(said)
        return await made.query(query, strict_limits=strict, include_unhealthy=unwell)

    found = asyncio.run(play())
    wanted = plainly(agents, query, strict=strict, unwell=unwell)

    assert [(m.score, m.agent_id, m.capability.name) for m in found] == wanted
    for m in found:
        share = len(m.shared) / m.of_tags if m.of_tags else 1.0
        assert m.score == share * m.health.factor
    assert CapabilityMatches.from_dict(found.to_dict()) == found


def test_frames() -> None:
    """A row an agent, and a row a match."""
    agents = registry(agent("b", "nlp"), agent("a", "nlp", "text", avg_latency_ms=3))

    assert list(agents.to_frame()["agent_id"]) == ["a", "b"]
    frame = agents.query_sync(NLP).to_frame()
    assert list(frame["agent_id"]) == ["a", "b"]
    assert list(frame["avg_latency_ms"].fillna(-1)) == [3.0, -1.0]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: al.AgentRegistry(-1), "ttl_secs must be >= 0"),
        (lambda: al.AgentRegistry(float("nan")), "ttl_secs must be >= 0"),
        (lambda: al.AgentRegistry(1, bus=3), "a bus has send(message), got 3"),  # type: ignore[arg-type]
        (lambda: registry("a"), "takes an AgentAdvertisement, got 'a'"),  # type: ignore[arg-type]
        (lambda: registry().query_sync("nlp"), "a CapabilityQuery, got 'nlp'"),  # type: ignore[arg-type]
        (lambda: registry().heartbeat_sync("a", "fine"), "health must be one of healthy"),
        (lambda: al.AgentAdvertisement(""), "AgentId must not be empty"),
        (lambda: al.AgentAdvertisement("a", "", al.Capability("c")), "must be several"),  # type: ignore[arg-type]
        (lambda: al.AgentAdvertisement("a", "", ["c"]), "must be a Capability, got 'c'"),  # type: ignore[list-item]
        (lambda: al.Capability(""), "a capability's name must be a name, got ''"),
        (lambda: al.Capability("c", avg_latency_ms=float("inf")), "avg_latency_ms must be >= 0"),
        (lambda: al.Capability("c", tags="nlp"), "tags must be several texts, got 'nlp'"),
        (lambda: al.CapabilityQuery(max_cost_usd=-0.1), "max_cost_usd must be >= 0"),
    ],
)
def test_what_can_never_be_right(wrong: Any, why: str) -> None:
    """It is refused where it is said, with its value."""
    with pytest.raises(InvalidValue, match=re.escape(why)):
        wrong()


def test_news_on_a_bus_of_agents(caplog: pytest.LogCaptureFixture) -> None:
    """Everybody there hears it as a message of the registry; where nobody listens all is well."""
    bus, clock = al.AgentBus(8), FakeClock()
    agents = al.AgentRegistry(60, clock=clock, bus=bus)
    agents.register_sync(al.AgentAdvertisement("ann"))
    assert (bus.total_sent(), caplog.records) == (0, [])

    listener = bus.subscribe("bob")
    agents.heartbeat_sync("ann", "degraded")
    agents.deregister_sync("ann")
    heard = [listener.try_recv(), listener.try_recv(), listener.try_recv()]
    told = [(each.from_, each.content, each.timestamp) for each in heard if each]
    now = clock.now()
    assert told == [
        ("registry", "health: ann (degraded)", now),
        ("registry", "deregistered: ann (degraded)", now),
    ]
    assert caplog.records == []


@pytest.mark.parametrize("odd", [None, 3, [], {}])
def test_ids_that_are_none(odd: Any) -> None:
    """They are refused by name, and nobody of that id is there."""
    agents = al.AgentRegistry(60)
    assert odd not in agents
    for ask in (agents.get, agents.deregister_sync, agents.heartbeat_sync, agents.blame_sync):
        with pytest.raises(InvalidValue, match="agent_id must be a name, got"):
            ask(odd)
