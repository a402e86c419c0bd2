"""Two agents share one store of memories, and neither sees what is the other's."""

from __future__ import annotations

import asyncio

import agentlab as al

KNOWN = {
    "botanist": ("The orchid flowers in May.", "The moss on the north wall is rare."),
    "geologist": ("The cliff is of red sandstone.", "There was a landslip in 1953."),
}


async def work() -> list[al.AgentSession]:
    """Let both run at once, each with its own question."""
    memory = al.EpisodicStore(per_agent_capacity=100)
    for agent, facts in KNOWN.items():
        for fact in facts:
            memory.add_episode(agent, fact, importance=0.9)
    model = al.FunctionModel(lambda _: "Thought: I know.\nAction: FINAL_ANSWER See my notes.")
    lab = al.AgentRuntime(model, memory=memory)

    sessions = await asyncio.gather(
        *(lab.run("What do you know of the cliff path?", agent=agent) for agent in KNOWN)
    )
    memory.add_episode("botanist", "Somebody picked the orchid.", importance=1.0)
    assert memory.count_for("botanist") == 3
    assert memory.count_for("geologist") == 2
    print(memory)
    return sessions


def main() -> None:
    """Run both, and compare what each recalled."""
    for session in asyncio.run(work()):
        recalled = {hit.text for hit in session.recalled}
        assert recalled == set(KNOWN[session.agent_id])
        print(f"{session.agent_id}: {session.memory_hits} memories")
        for text in sorted(recalled):
            print(f"    {text}")


if __name__ == "__main__":
    main()
