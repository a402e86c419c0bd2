"""What the tests of the live view of a run have in common: cells, and waiting for the card."""

from __future__ import annotations

from tests.browser.lab import COUNTS as CELLS
from tests.browser.lab import FAILED, KERNEL, LIMIT_MS, Tab

SETUP = """
import asyncio, time
import agentlab as al
from agentlab import AgentRuntime, ScriptedModel

@al.tool
def population(city: str) -> int:
    "People living in a city."
    return {"Lyon": 522000, "Nice": 353000}[city]

def script(rate=40):
    return ScriptedModel(
        'Thought: I should look up the population of Lyon.\\nAction: population {"city": "Lyon"}',
        'Thought: Now the other one.\\nAction: population {"city": "Nise"}',
        'Thought: No such city; I meant Nice.\\nAction: population {"city": "Nice"}',
        'Thought: I have both numbers, so I should add them, 522000 and 353000, which is the sum of'
        ' what the two of them have.\\nAction: FINAL_ANSWER 875000', tokens_per_s=rate)

def runtime(rate=40):
    return AgentRuntime(script(rate), tools=[population])

async def forever(context):
    words = 0
    while True:
        yield f"word{words} "
        words += 1
        await asyncio.sleep(.02)

ASK = "How many people live in Lyon and Nice together?"
"""
TAIL = "document.querySelector('.agl-tail .agl-pre')?.textContent"
CARD = ".jp-RenderedHTML .agl-card"
VIEW_MIME = "application/vnd.jupyter.widget-view+json"


def over(tab: Tab) -> None:
    """Wait until all cells have run, or one has failed."""
    done = f"{CELLS}.every(count => count > window.before) || {FAILED}"
    tab.page.wait_for_function(f"() => {KERNEL}.status === 'idle' && ({done})", timeout=LIMIT_MS)


def static(tab: Tab) -> None:
    """Check that nothing but cards is left."""
    tab.page.wait_for_selector(CARD, timeout=20_000)
    over(tab)
    shown = [set(o["data"]) for o in tab.outputs() if o["output_type"] == "display_data"]

    assert shown
    assert shown == [{"text/html", "text/plain"}] * len(shown)
    assert tab.page.locator(".agl-tail").count() == 0


def measured(what: str) -> None:
    """Say what was measured, to whoever runs the tests with ``-s``."""
    print(f"\n{what}")  # noqa: T201 - a figure is for people
