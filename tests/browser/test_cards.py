"""Notebooks in a real JupyterLab and a real browser: what people see, and what they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.lab import DARK, LIGHT, Lab, Tab, write

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
STYLES, OVERFLOW, CONTRAST = (
    (HERE / f"{name}.js").read_text() for name in ("styles", "overflow", "contrast")
)
HOSTILE = (HERE / "hostile.txt").read_text().splitlines()
FRAME = "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})"


def styles_of_a_frame(tab: Tab) -> Any:
    """Read how the last pandas frame on the page looks."""
    tab.page.wait_for_selector("table.dataframe")
    return tab.page.evaluate(STYLES)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    "name", ["01_quickstart", "02_looking_at_a_session", "14_resilience", "16_metrics"]
)
def test_notebooks(labs: Callable[[str], Lab], tab: Tab, name: str, theme: str) -> None:
    """All cells run, nothing is asked of the network, and a pandas frame below looks as ever."""
    lab = labs(theme)
    tab.open(lab, "bare.ipynb", FRAME)
    tab.run_all()
    tab.idle()
    bare = styles_of_a_frame(tab)

    book = nbformat.read(lab.root / f"{name}.ipynb", as_version=4)
    book.cells.append(nbformat.v4.new_code_cell(FRAME))
    nbformat.write(book, lab.root / f"{name}_and_frame.ipynb")
    tab.open(lab, f"{name}_and_frame.ipynb")
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector(".agl-card")
    tab.shot(f"{name}-{theme.rpartition(' ')[2].lower()}")

    assert styles_of_a_frame(tab) == bare
    assert tab.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", ["02_looking_at_a_session", "14_resilience", "16_metrics"])
def test_a_narrow_notebook(lab: Lab, browser: Any, name: str) -> None:
    """At 400 pixels nothing leaves its card."""
    tab = Tab(browser, width=520, height=1000)
    tab.open(lab, f"{name}.ipynb")
    tab.do("application:toggle-left-area")
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector(".agl-card")
    tab.shot(f"narrow-{name}")

    assert tab.page.evaluate("document.querySelector('.agl-card').clientWidth") <= 420
    assert tab.page.evaluate(OVERFLOW) == []
    tab.fine()
    tab.page.context.close()


SESSION = """
import agentlab as al
lab = al.AgentRuntime(al.ScriptedModel("Thought: hm\\nAction: FINAL_ANSWER forty-two"))
lab.run_sync("How many?")
"""
METRICS = """
import agentlab as al
metrics = al.RuntimeMetrics()
metrics.record_tool_call("find", 20)
metrics.record_step_latency(30)
metrics
"""
BREAKER = """
import agentlab as al
breaker = al.CircuitBreaker("library", threshold=1)
breaker.record_failure()
breaker
"""


GRAPH = """
import agentlab as al
graph = al.KnowledgeGraph(name="people")
for name in ("Ada", "Bob"):
    graph.add_entity(al.Entity(name, name, {"born": 1815}))
graph.add_relation(al.Relation("Ada", "Bob", "writes_to"))
graph
"""
TOKENS = """
import agentlab as al
class Unsure:
    async def infer_stream(self, prompt):
        yield al.InferenceToken.of("Thought: hm\\n", -0.3)
        yield al.InferenceToken.of("Action: FINAL_ANSWER", -0.01)
        yield al.InferenceToken.of(" forty-two", -3)
al.StreamingSession.of(al.AgentRuntime(Unsure()).run_sync("How many?"))
"""


def untrusted(lab: Lab, tab: Tab, code: str) -> None:
    """Open what a cell shows as somebody else's notebook."""
    tab.open(lab, "trusted.ipynb", code)
    tab.run_all()
    tab.idle()
    html = next(o["data"]["text/html"] for o in tab.outputs() if "data" in o)
    cell = nbformat.v4.new_code_cell(
        "0",
        execution_count=1,
        outputs=[nbformat.v4.new_output("display_data", data={"text/html": html})],
    )
    write(lab.root / "untrusted.ipynb", cell)
    tab.open(lab, "untrusted.ipynb")
    tab.page.wait_for_selector(".jp-RenderedHTML .agl-card")
    tab.shot("untrusted")


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        (SESSION, ["agent", "answered", "How many?", "forty-two"]),
        (METRICS, ["1 tool call", "find", "mean 30 ms", "the columns as a table"]),
        (BREAKER, ["library", "open", "calls are refused at once", "1 failure", "half open"]),
        (GRAPH, ["people", "2 entities", "what is known", "born 1815", "graph.all_relations()"]),
    ],
    ids=["session", "metrics", "breaker", "graph"],
)
def test_an_untrusted_notebook(lab: Lab, tab: Tab, code: str, parts: list[str]) -> None:
    """Where the style and pictures are taken out, the same text is there, in order, and unfolds."""
    untrusted(lab, tab, code)

    assert tab.page.locator(".jp-RenderedHTML :is(style, svg)").count() == 0
    tab.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    text = tab.page.inner_text(".jp-RenderedHTML")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_tokens(labs: Callable[[str], Lab], tab: Tab) -> None:
    """Shaded where they may be, underlined and told in words where the style is taken out."""
    lab = labs(DARK)
    tab.open(lab, "tokens.ipynb", TOKENS)
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector(".agl-tok.p0")
    tab.shot("tokens-dark")
    grounds = "els => els.map(e => getComputedStyle(e).backgroundColor)"

    assert len(set(tab.page.locator(".agl-tok").evaluate_all(grounds))) == 3
    assert tab.page.evaluate(CONTRAST) == []

    untrusted(lab, tab, TOKENS)
    assert tab.page.locator(".jp-RenderedHTML u").all_inner_texts() == [" forty-two"]
    text = tab.page.inner_text(".jp-RenderedHTML")
    places = [text.index(part) for part in ("3 tokens", "thought", "action", "5.0%", "74%")]
    assert places == sorted(places)


SETUP = """
import json
import agentlab as al
from IPython.display import display
from tests.display.things import everything

def bad(x: str) -> str:
    raise ValueError(x)

def show(*payloads):
    calls = [f"Thought: {x}\\nAction: bad {json.dumps({'x': x})}" for x in payloads]
    evil = "".join(payloads)
    script = al.ScriptedModel(*calls, evil, f"Action: FINAL_ANSWER {evil}")
    tools = [al.tool(name=f"bad{i}", description=x)(bad) for i, x in enumerate(payloads)]
    lab = al.AgentRuntime(script, tools=[*tools, al.tool(name="bad")(bad)], max_iterations=99)
    session = lab.run_sync(evil, agent=evil)
    error = al.AgentLabError(evil)
    error.session = session
    for each in (session, session.steps[0], session.trace, lab.tools, lab.tool_registry(), error):
        display(each)
    for each in everything(evil).values():
        display(each)
"""


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 16))
def test_hostile_text(lab: Lab, tab: Tab, start: int) -> None:
    """No payload in any text of any card runs, or asks for anything."""
    cells = [f"show(*{HOSTILE[i : i + 8]!r})" for i in (start, start + 8)]
    tab.open(lab, "hostile.ipynb", SETUP, *cells)
    tab.run_all()
    tab.idle()
    tab.page.wait_for_timeout(1000)

    assert tab.page.locator(".agl-card").count() >= 30 * len(cells)
    assert tab.page.evaluate("window.__xss") is None
    inside = tab.page.locator(".agl :is(script, img, iframe, link, a, template, math, object)")
    assert inside.count() == 0


def test_dollars_are_money(lab: Lab, tab: Tab) -> None:
    """JupyterLab sets no formula between two of them, in the line of a card or anywhere else."""
    code = SESSION.replace("forty-two", "$5_a and $6^b").replace("How many?", "$x$ or \\\\(y\\\\)?")
    tab.open(lab, "dollars.ipynb", code, "from IPython.display import HTML\nHTML('$5_a and $6')")
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector("mjx-container")  # the second cell's: they are set here

    assert tab.page.locator(".agl mjx-container").count() == 0
    assert "$5_a and $6^b" in tab.page.inner_text(".agl")
    assert "$x$ or \\(y\\)?" in tab.page.inner_text(".agl")


THINGS = """
import agentlab as al

store, manager = al.InMemoryPersistenceBackend(), al.CheckpointManager(interval_steps=1)
lab = al.AgentRuntime(
    al.ScriptedModel('Action: calculator {"expression": "6*7"}', "Action: FINAL_ANSWER 42"),
    tools=[al.calculator], store=store,
)
session = await lab.run("Six times seven?")
metrics, agents = lab.metrics(), lab.agent_metrics()
snapshot, registry = metrics.snapshot(), lab.metrics_registry()
histogram, counter = registry.inference_latency, registry.tool_calls
await manager.maybe_checkpoint("walker", 1)

breaker, guard = al.CircuitBreaker("library", threshold=1), al.BackpressureGuard(2)
breaker.record_failure()
guard.try_acquire()
policy, dedup = al.RetryPolicy.exponential(3, 100), al.Deduplicator(60)
dedup.check_and_register("key")
pipeline = al.Pipeline().add_stage("up", str.upper, retry=policy, breaker=breaker, dedup=dedup)
"""
SHOWN = """
for each in (
    session, metrics, snapshot, agents, registry, histogram, counter, store, manager,
    breaker, guard, policy, dedup, pipeline,
):
    display(each)
"""


def test_paths_can_be_typed(lab: Lab, tab: Tab) -> None:
    """Whatever a title names can be had by that name in the next cell."""
    tab.open(lab, "shown.ipynb", THINGS, SHOWN)
    tab.run_all()
    tab.idle()
    tab.page.wait_for_function("document.querySelectorAll('.agl-card').length >= 14")
    titles = tab.page.evaluate(
        "[...new Set([...document.querySelectorAll('.agl [title]')].map(x => x.title))]"
    )

    assert {title.removeprefix("(").removeprefix("await ").split(".")[0] for title in titles} == {
        "session", "metrics", "snapshot", "agents", "registry", "histogram", "counter",
        "store", "manager", "breaker", "guard", "policy", "dedup", "pipeline",
    }  # fmt: skip
    tab.open(lab, "typed.ipynb", THINGS, *titles)
    tab.run_all()
    tab.idle()
