"""What Prometheus is told, read back by its own parser."""

from __future__ import annotations

import logging
import math
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agentlab.core import events
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry
from agentlab.core.protocols import Usage
from agentlab.models.scripted import ScriptedModel
from agentlab.observe.families import MAX_SERIES
from agentlab.observe.prometheus import (
    CONTENT_TYPE,
    Counter,
    Gauge,
    Histogram,
    MetricsRegistry,
    SampleRow,
)
from agentlab.runtime import AgentRuntime
from agentlab.tools.spec import tool

STANDARD = [
    ("agent_errors_total", "counter"),
    ("agent_inference_latency_ms", "histogram"),
    ("agent_inferences_total", "counter"),
    ("agent_memory_entries", "gauge"),
    ("agent_tool_calls_total", "counter"),
]


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Let the official parser read every sample; each is there once."""
    samples = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(dict(samples)) == len(samples)
    return dict(samples)


def test_w31_1() -> None:
    """A counter of one's own, beside the five that are always there."""
    registry = MetricsRegistry()
    calls = registry.counter("my_calls_total", "Custom call counter")
    calls.inc()
    lines = registry.prometheus_text().splitlines()

    assert "# HELP my_calls_total Custom call counter" in lines
    assert "# TYPE my_calls_total counter" in lines
    assert "my_calls_total 1" in lines
    assert [line.removeprefix("# TYPE ") for line in lines if line.startswith("# TYPE")] == [
        *(f"{name} {kind}" for name, kind in STANDARD), "my_calls_total counter",
    ]  # fmt: skip
    assert registry.prometheus_text().endswith("\n")
    calls.inc_by(4)
    assert calls.get() == registry.counter("my_calls_total").get() == 5


def test_w31_2() -> None:
    """Buckets are cumulative; the last is all there is."""
    registry = MetricsRegistry()
    latency = registry.histogram("latency_ms", "How long", buckets=[5, 50])
    latency.observe(3)
    latency.observe(30)
    text = registry.prometheus_text()

    assert text[text.index("# HELP latency_ms") :] == (
        "# HELP latency_ms How long\n"
        "# TYPE latency_ms histogram\n"
        'latency_ms_bucket{le="5"} 1\n'
        'latency_ms_bucket{le="50"} 2\n'
        'latency_ms_bucket{le="+Inf"} 2\n'
        "latency_ms_sum 33\n"
        "latency_ms_count 2\n"
    )
    assert (latency.sum(), latency.count(), latency.percentile(1)) == (33, 2, 50)
    assert latency.buckets() == {"5": 1, "50": 2, "+Inf": 2}
    latency.observe(5)
    assert latency.buckets()["5"] == 2


def test_a_gauge_goes_up_and_down() -> None:
    """Also below nothing."""
    gauge = MetricsRegistry().gauge("queue", "Waiting")
    gauge.set(5)
    gauge.inc()
    gauge.dec()
    gauge.dec()
    assert gauge.get() == 4
    gauge.set(-2.5)
    assert (gauge.get(), repr(gauge)) == (-2.5, "<Gauge queue -2.5>")


def test_the_runtime_feeds_the_five() -> None:
    """Questions, what they took, tool calls and errors of a run."""

    @tool(inline=True)
    def broken() -> int:
        """Fail."""
        raise OSError("full")

    registry = MetricsRegistry()
    script = ("Thought: t\nAction: broken {}", "Thought: t\nAction: FINAL_ANSWER 1")
    AgentRuntime(ScriptedModel(*script), tools=[broken], sinks=[registry]).run_sync("go")
    told = read(registry.prometheus_text())

    assert told["agent_inferences_total", frozenset()] == 2
    assert told["agent_inference_latency_ms_count", frozenset()] == 2
    assert told["agent_tool_calls_total", frozenset()] == 1
    assert told["agent_errors_total", frozenset()] == 1
    assert told["agent_memory_entries", frozenset()] == 0
    bounds = [dict(labels)["le"] for name, labels in told if name.endswith("_bucket")]
    assert bounds == [
        "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "30000",
        "+Inf",
    ]  # fmt: skip


def test_the_same_name_is_the_same_metric() -> None:
    """Of a kind and with labels; a histogram asked for without buckets is the one there is."""
    registry = MetricsRegistry()
    one = registry.histogram("h", "first", [1, 2])

    assert registry.histogram("h", "second") is one
    assert registry.histogram("h", buckets=(1.0, 2.0, math.inf)) is one
    assert registry.counter("c", labels={"a": 1, "b": "x"}) is registry.counter(
        "c", labels={"b": "x", "a": "1"}
    )
    assert registry.counter("c", labels={"a": 2, "b": "x"}).get() == 0
    assert "# HELP h first\n" in registry.prometheus_text()
    default = registry.histogram("d")
    assert registry.histogram("d", buckets=[*map(float, default.buckets())]) is default


@pytest.mark.parametrize(
    ("kind", "name", "options", "why"),
    [
        ("gauge", "c_total", {}, "'c_total' is a counter and cannot be a gauge"),
        ("counter", "c_total", {"labels": {"x": 1}}, r"'c_total' has the labels \[\], got \['x'\]"),
        ("counter", "l_total", {}, r"'l_total' has the labels \['tool'\], got \[\]"),
        ("histogram", "h", {"buckets": [1, 3]}, r"'h' has other buckets than \[1, 3\]"),
        ("counter", "h_sum", {}, "samples named 'h_sum', as metric 'h' has"),
        ("histogram", "c", {}, "samples named 'c_count', as metric 'c_count' has"),
        ("counter", "2nd", {}, "a metric's name must match .*, got '2nd'"),
        ("counter", "a-b", {}, "got 'a-b'"),
        ("counter", "a\n", {}, r"got 'a\\n'"),
        ("counter", "", {}, "got ''"),
        ("counter", "ü", {}, "got 'ü'"),
        ("counter", None, {}, "got None"),
        ("counter", "x", {"labels": {"__a": 1}}, "got '__a'"),
        ("counter", "x", {"labels": {"a:b": 1}}, "got 'a:b'"),
        ("counter", "x", {"labels": {"": 1}}, "got ''"),
        ("counter", "x", {"labels": {3: 1}}, "got 3"),
        ("histogram", "x", {"labels": {"le": 1}}, "a label 'le' of its own"),
        ("histogram", "x", {"buckets": []}, "at least one finite bucket bound"),
        ("histogram", "x", {"buckets": [math.inf]}, "at least one finite bucket bound"),
        ("histogram", "x", {"buckets": [2, 1]}, r"must ascend, each once, got \[2, 1\]"),
        ("histogram", "x", {"buckets": [1, 1]}, "must ascend"),
        ("histogram", "x", {"buckets": [math.nan]}, "a bucket bound must be a finite number"),
        ("histogram", "x", {"buckets": [math.inf, math.inf]}, "got inf"),
    ],
)
def test_what_cannot_be_is_refused(kind: str, name: str, options: dict[str, Any], why: str) -> None:
    """By what was given, and nothing is made of it."""
    registry = MetricsRegistry()
    registry.counter("c_total")
    registry.counter("c_count")
    registry.counter("l_total", labels={"tool": "a"})
    registry.histogram("h", buckets=[1, 2])
    before = registry.prometheus_text()

    with pytest.raises(InvalidValue, match=why):
        getattr(registry, kind)(name, **options)
    with pytest.raises(ValueError, match=why):
        getattr(registry, kind)(name, **options)
    assert registry.prometheus_text() == before


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "1", None, 1j])
def test_what_is_no_number_is_refused(value: Any) -> None:
    """Whatever is counted or seen is finite: nothing else can be added up."""
    registry = MetricsRegistry()
    for move in (registry.errors.inc_by, registry.memory_entries.set, registry.counter("c").inc_by,
                 registry.inference_latency.observe):  # fmt: skip
        with pytest.raises(InvalidValue, match="must be a finite number"):
            move(value)
    assert {*read(registry.prometheus_text()).values()} == {0}


def test_a_counter_never_falls() -> None:
    """Not by anything."""
    counter = MetricsRegistry().counter("c")
    with pytest.raises(InvalidValue, match=r"what 'c' grows by must be .* at least 0, got -1"):
        counter.inc_by(-1)
    counter.inc_by(0)
    counter.inc_by(0.5)
    assert counter.get() == 0.5


def test_labels_have_an_end(caplog: pytest.LogCaptureFixture) -> None:
    """Beyond a thousand the rest is one series, which is said once."""
    registry = MetricsRegistry()
    with caplog.at_level(logging.WARNING, "agentlab.metrics"):
        for n in range(MAX_SERIES + 20):
            registry.counter("c", labels={"tool": n, "agent": "a"}).inc()
        registry.counter("c", labels={"tool": 3, "agent": "a"}).inc()
    told = read(registry.prometheus_text())
    mine = {labels: value for (name, labels), value in told.items() if name.startswith("c_")}

    assert len(mine) == MAX_SERIES + 1
    assert mine[frozenset({("tool", "__other__"), ("agent", "__other__")})] == 20
    assert mine[frozenset({("tool", "3"), ("agent", "a")})] == 2
    assert [record.getMessage() for record in caplog.records] == [
        "metric 'c' has more than 1000 sets of labels: the rest is counted as '__other__'"
    ]


TEXT = st.text(max_size=8) | st.sampled_from(['a"b\\', "\\n", "x\n# TYPE y counter", "}", "\ud800"])
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-(2**60), 2**60)
NAMES = st.from_regex(r"\A[a-zA-Z_:][a-zA-Z0-9_:]{0,6}\Z")
LABELS = st.from_regex(r"\A[a-zA-Z][a-zA-Z0-9_]{0,4}\Z").filter(lambda name: name != "le")


@st.composite
def registries(draw: st.DrawFn) -> MetricsRegistry:
    """Make a registry of metrics of every kind, with whatever may be in them."""
    registry = MetricsRegistry()
    for n, name in enumerate(draw(st.lists(NAMES, max_size=4))):
        about, keys = draw(TEXT), draw(st.lists(LABELS, max_size=2, unique=True))
        kind = draw(st.sampled_from(["counter", "gauge", "histogram"]))
        bounds = draw(st.none() | st.lists(FINITE, min_size=1, max_size=3, unique=True).map(sorted))
        for _ in range(draw(st.integers(1, 3))):
            labels = {key: draw(TEXT) for key in keys}
            made: Any = getattr(registry, kind)(
                f"{name}{n}x",
                about,
                labels=labels,
                **({"buckets": bounds} if kind == "histogram" else {}),
            )
            for value in draw(st.lists(FINITE, max_size=3)):
                if kind == "counter":
                    made.inc_by(abs(value))
                else:
                    (made.set if kind == "gauge" else made.observe)(value)
    return registry


@given(registries())
def test_its_own_parser_reads_it(registry: MetricsRegistry) -> None:
    """Every name, help, label and number comes back equal, and in the order of names."""
    text = registry.prometheus_text()
    rows = registry.rows()
    families = list(text_string_to_metric_families(text))
    own = [(row.name, row.labels, row.value) for row in rows]
    told = [
        (
            sample.name if row.kind != "counter" or row.name.endswith("_total")
            else sample.name.removesuffix("_total"),
            sample.labels,
            sample.value,
        )
        for row, sample in zip(
            rows, (sample for family in families for sample in family.samples), strict=True
        )
    ]  # fmt: skip

    assert told == own
    helps = {family.help.strip() for family in registry._families.values()}  # noqa: SLF001 - as kept
    assert {family.documentation.strip() for family in families} == helps
    names = [line.split(" ")[2] for line in text.split("\n") if line.startswith("# TYPE")]
    assert names == sorted(names) == sorted({*names})
    text.encode()


def test_series_are_in_the_order_of_their_labels() -> None:
    """Whichever came first."""
    registry = MetricsRegistry()
    for tool_name in ("b", "c", "a"):
        registry.gauge("g", labels={"tool": tool_name}).inc()
    told = [row.labels["tool"] for row in registry.rows() if row.name == "g"]

    assert told == ["a", "b", "c"]


def test_all_series() -> None:
    """In the order of the text, each the very one that counts."""
    registry = MetricsRegistry()
    second = registry.counter("a_total", labels={"tool": "y"})
    first = registry.counter("a_total", labels={"tool": "x"})
    listed = registry.series()

    assert listed[0] is first
    assert listed[1] is second
    assert [row for each in listed for row in each.rows()] == registry.rows()
    assert len(listed) == 7


def test_buckets_by_themselves() -> None:
    """And up to each: the last is all there is, as exposed."""
    took = Histogram("took_ms", buckets=[5, 50])
    for ms in (3, 30, 40, 400):
        took.observe(ms)

    assert [(row.le, row.count, row.cumulative) for row in took.bucket_rows()] == [
        ("5", 1, 1), ("50", 2, 3), ("+Inf", 1, 4),
    ]  # fmt: skip
    assert {row.le: row.cumulative for row in took.bucket_rows()} == took.buckets()


def test_a_clock_that_goes_back() -> None:
    """Is not worth an answer of less than no time."""
    registry = MetricsRegistry()
    at = datetime(2030, 1, 1, tzinfo=UTC)
    registry(Entry("r", None, 0, at, 5.0, events.Asked(1, None, None, 0, 0, "")))
    registry(Entry("r", None, 1, at, 4.0, events.Answered(1, "t", Usage(1, 1))))

    assert (registry.inference_latency.count(), registry.inference_latency.sum()) == (1, 0)


def test_sums_too_large_for_a_number() -> None:
    """Are infinite, as the format says it."""
    histogram = Histogram("h", buckets=[1])
    for _ in range(2):
        histogram.observe(1.7e308)
    assert histogram.rows()[2] == SampleRow("h_sum", "histogram", {}, math.inf)
    registry = MetricsRegistry()
    for _ in range(2):
        registry.errors.inc_by(1.7e308)
    assert "agent_errors_total +Inf\n" in registry.prometheus_text()


def test_from_many_threads() -> None:
    """Nothing is lost, and the text is whole while others count and make metrics."""
    registry = MetricsRegistry()

    def count(n: int) -> None:
        for i in range(500):
            registry.counter("c").inc()
            registry.histogram("h", labels={"n": n * 1000 + i % 50}).observe(i)

    threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        told = read(registry.prometheus_text())
        for (name, labels), value in told.items():
            if name == "h_count":
                assert told["h_bucket", labels | {("le", "+Inf")}] == value
    for thread in threads:
        thread.join()

    assert registry.counter("c").get() == 2000
    rows = [row for row in registry.rows() if row.name == "h_count"]
    assert sum(row.value for row in rows) == 2000


def test_what_they_look_like() -> None:
    """One line each; rows as in the text."""
    registry = MetricsRegistry()
    counter = registry.counter("c", labels={"tool": 'a"b'})
    counter.inc()

    assert repr(registry) == "<MetricsRegistry 6 metrics, 6 series>"
    assert repr(counter) == '<Counter c{tool="a\\"b"} 1>'
    assert repr(Gauge("g")) == "<Gauge g 0>"
    assert repr(Histogram("h")) == "<Histogram h 0 observations, sum 0>"
    assert SampleRow("c", "counter", {"tool": 'a"b'}, 1) in registry.rows()
    assert isinstance(counter, Counter)
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"
