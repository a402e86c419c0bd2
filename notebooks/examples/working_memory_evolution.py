"""What an agent has in mind from step to step: of a full working memory the least used goes.

Tools read and write it. To read an entry is to use it, so what is asked for again stays; what is
left is told to the next run.
"""

from __future__ import annotations

import agentlab as al

SCRIPT = (
    'note {"name": "aim", "text": "survey pool seven"}',
    'note {"name": "tide", "text": "low at 06:42"}',
    'note {"name": "wind", "text": "north, light"}',
    'remind {"name": "aim"}',
    'note {"name": "count", "text": "75 blennies"}',
    'remind {"name": "tide"}',
    "FINAL_ANSWER 75 blennies",
)


class Mind:
    """Three things at most, the tools to reach them, and how it was at each step."""

    def __init__(self) -> None:
        self.pad = al.WorkingMemory(capacity=3)
        self.past: list[list[str]] = []

    def note(self, name: str, text: str) -> str:
        """Keep something in mind."""
        self.pad.set(name, text)
        return f"{name} is noted"

    def remind(self, name: str) -> str:
        """Say what was kept under a name."""
        return self.pad.get(name) or "forgotten"

    def think(self, _: str) -> str:
        """Say the next line of the script, and keep what was in mind just then."""
        self.past.append(self.pad.keys())
        return f"Thought: Next.\nAction: {SCRIPT[len(self.past) - 1]}"


def main() -> None:
    """Take notes, one more than there is room for, and see which one made room."""
    mind = Mind()
    lab = al.AgentRuntime(tools=[mind.note, mind.remind], working_memory=mind.pad)
    session = lab.run_agent_sync("surveyor", "Survey the pool.", mind.think)

    for keys, step in zip(mind.past, session.steps, strict=True):
        print(f"{' < '.join(keys) or '(empty)':20}{step.action}")
    assert mind.past[3] == ["aim", "tide", "wind"]
    assert mind.past[4] == ["tide", "wind", "aim"], "aim was used, so tide is the next to go"
    assert mind.past[5] == ["wind", "aim", "count"]
    assert session.steps[5].observation == '{"data":"forgotten","ok":true}'

    again = lab.run_agent_sync("surveyor", "And now?", lambda _: "Action: FINAL_ANSWER home")
    prompt = next(iter(again.trace.model_calls())).prompt
    print(f"\n{prompt[prompt.index('And now?') :]}")
    assert prompt.endswith("  wind: north, light\n  aim: survey pool seven\n  count: 75 blennies\n")


if __name__ == "__main__":
    main()
