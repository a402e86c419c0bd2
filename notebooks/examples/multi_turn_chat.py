"""A chat of several turns: what was said in earlier ones is recalled in later ones.

After each turn the user's words become a memory, so that each turn recalls more than the last.
"""

from __future__ import annotations

import agentlab as al

TURNS = (
    ("My name is Ada, and I count limpets.", "Pleased to meet you, Ada."),
    ("I have a survey on Friday.", "Then the limpets are busy on Friday."),
    ("I am afraid of seals.", "I shall warn you of seals."),
    ("What do you know of me?", "You are Ada, you count limpets on Friday, and fear seals."),
)


def main() -> None:
    """Talk, remember, and see that the later turns know what the earlier ones told."""
    memory = al.EpisodicStore()
    model = al.ScriptedModel(*(f"Thought: t\nAction: FINAL_ANSWER {said}" for _, said in TURNS))
    config = al.AgentConfig(3, "scripted", max_memory_recalls=10)
    lab = al.AgentRuntime(model, memory=memory, config=config)

    hits = []
    for question, _ in TURNS:
        session = lab.run_sync(question, agent="chat")
        hits.append(session.memory_hits)
        print(f"user   {question}\nagent  {session.final_answer()}  ({hits[-1]} memories)")
        memory.add_episode("chat", question, importance=0.8)
    assert hits == [0, 1, 2, 3]

    last = next(iter(session.trace.model_calls()))
    for question, _ in TURNS[:-1]:
        assert f"- {question}\n" in last.prompt
    print(f"\n{last.prompt[last.prompt.index('Relevant memories') :]}")


if __name__ == "__main__":
    main()
