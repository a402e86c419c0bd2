"""An agent that asks a graph: who is joined to whom, and by which way one gets there quickest.

The graph brings one tool, ``graph_query``; a function of one's own is another. A name that is
misspelt is answered with the one that was meant, and the agent goes on.
"""

from __future__ import annotations

import agentlab as al

FERRIES = (
    ("Skerry", "Holm", 40.0),
    ("Holm", "Ness", 35.0),
    ("Skerry", "Ness", 120.0),
    ("Ness", "Vay", 25.0),
)
SCRIPT = (
    'graph_query {"ask": "path", "about": "Skery", "to": "Vay"}',
    'graph_query {"ask": "path", "about": "Skerry", "to": "Vay"}',
    'quickest {"start": "Skerry", "goal": "Vay"}',
    "FINAL_ANSWER by Holm and Ness, in 100 minutes",
)


def ferries() -> al.GraphStore:
    """Give four islands, and the minutes that each ferry takes."""
    graph = al.GraphStore(name="ferries")
    for name in ("Skerry", "Holm", "Ness", "Vay"):
        graph.add_entity(al.Entity(name, "island"))
    for start, goal, minutes in FERRIES:
        graph.add_relationship(al.Relationship(start, goal, "ferry_to", minutes))
        graph.add_relationship(al.Relationship(goal, start, "ferry_to", minutes))
    return graph


def main() -> None:
    """Ask for the way with the fewest ferries, and for the quickest, which is another."""
    graph = ferries()

    def quickest(start: str, goal: str) -> str:
        """Find the way that takes the fewest minutes."""
        found = graph.shortest_path_weighted(start, goal)
        if found is None:
            return f"no ferry leads from {start} to {goal}"
        path, minutes = found
        return f"{', '.join(path)}: {minutes:g} minutes"

    lines = [f"Thought: Next.\nAction: {line}" for line in SCRIPT]
    lab = al.AgentRuntime(
        al.ScriptedModel(*lines), tools=[graph.query_tool(), quickest], graph=graph
    )
    session = lab.run_sync("How do I get from Skerry to Vay?", agent="pilot")

    for step in session:
        print(f"{step.action}\n    {step.observation}")
    assert session.graph_lookups == graph.entity_count() == 4
    misspelt, path, quick, _ = session.steps
    assert misspelt.error_kind == "not_found"
    assert "did you mean 'Skerry'?" in misspelt.observation
    assert "it is 2 steps: Skerry ferry to Ness. Ness ferry to Vay." in path.observation
    assert "Skerry, Holm, Ness, Vay: 100 minutes" in quick.observation


if __name__ == "__main__":
    main()
