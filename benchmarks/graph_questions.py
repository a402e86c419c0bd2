"""Questions about rivers that the embedded model answers by asking the graph: how many are right.

    python benchmarks/graph_questions.py [--model NAME] [--draws 2]

Each draw asks of twelve rivers what they flow into, of eight of them which countries they flow
through, and of six how long they are. Right means that the answer is that of the graph, to the
letter, but for a full stop. The wording of tool and examples was tried on the first draw only.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Iterator

from agentlab.core.config import AgentConfig
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.models.local import LocalModel
from agentlab.runtime import AgentRuntime

SEEDS = (5, 99, 7, 11)
KINDS = (
    ("What does the {} flow into?", "flows into", 12),
    ("Which countries does the {} flow through?", "flows through", 8),
    ("How long is the {}?", "length km", 6),
)


def questions(graph: KnowledgeGraph, seed: int) -> Iterator[tuple[str, str]]:
    """Give questions with the answers of the graph."""
    look_up = graph.query_tool(simple=True)
    names = [each.id for each in graph.all_entities() if each.properties["type"] == "river"]
    some = random.Random(seed).sample(names, max(count for *_, count in KINDS))  # noqa: S311
    for asked, what, count in KINDS:
        for name in some[:count]:
            yield asked.format(name), look_up(name, what)


async def main() -> None:
    """Ask, and print what is wrong, and how many are right."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--draws", type=int, default=2, choices=range(1, len(SEEDS) + 1))
    given = parser.parse_args()
    graph, model = rivers(), LocalModel(given.model)
    lab = AgentRuntime(
        model,
        tools=[graph.query_tool(simple=True)],
        graph=graph,
        config=AgentConfig(4, "local", temperature=0.0),
    )
    await model.load()
    for seed in SEEDS[: given.draws]:
        began, right, asked = time.perf_counter(), 0, 0
        for question, wanted in questions(graph, seed):
            session = await lab.run(question)
            good = (session.answer or "").rstrip(".") == wanted
            asked, right = asked + 1, right + good
            if not good:
                print(f"  WRONG  {question}  -> {session.answer}, not {wanted}")
        seconds = (time.perf_counter() - began) / asked
        print(f"draw {seed}: {right} of {asked} right, {seconds:.1f} s a question")


if __name__ == "__main__":
    asyncio.run(main())
