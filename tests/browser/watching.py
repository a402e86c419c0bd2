"""What the tests of live views have in common: cells, and waiting for the card."""

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
HEARD = """
import math, random
from agentlab import Chunk, StreamingSession
from agentlab.strategies.streaming_session import HeardToken, HeardTokens, StreamingStep

REPLIES = (
    'Thought: I should look up the population of Lyon first.\\nAction: population {"city": "Lyon"}',
    'Thought: And that of Nice.\\n\\nAction: population {"city": "Nice"}',
    "Thought: They make 875000 together.\\nAction: FINAL_ANSWER 875000",
)
WORDS = (" the", " a", " Paris", "\\n", "tab\\t", " 17", '"')

def chunks(text, odds):
    pieces = [each for each in __import__("re").findall(r"\\s?[\\w]+|\\s|[^\\w\\s]", text)]
    for piece in pieces:
        p = odds.choice([0.999, 0.98, 0.95, 0.7, 0.4, 0.15, 0.02])
        others = odds.sample(WORDS, 3)
        top = {piece: math.log(p)} | {
            other: math.log((1 - p) * share)
            for other, share in zip(others, (0.5, 0.3, 0.1)) if other != piece}
        yield Chunk(piece, math.log(p), top)

def teller(pause=0):
    odds, replies = random.Random(7), iter(REPLIES)
    async def tell(context):
        for chunk in chunks(next(replies), odds):
            yield chunk
            await asyncio.sleep(pause)
    return tell

class Model:
    def __init__(self, pause=0):
        self.tell = teller(pause)
    def stream(self, request):
        return self.tell(request)

def asking(pause=0):
    return AgentRuntime(Model(pause), tools=[population])

def many(count, steps=10):
    odds = random.Random(3)
    each = -(-count // steps)
    tokens = HeardTokens(
        HeardToken(i // each, i % each, odds.choice([" word", " and", ".\\n", " of", " it"]),
                   math.log(odds.choice([.99, .9, .6, .3, .1])), {" word": -1.0, " else": -2.0})
        for i in range(count))
    session = al.AgentSession(agent_id="long")
    return StreamingSession(session, [StreamingStep("t", "a")] * steps, tokens)
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
