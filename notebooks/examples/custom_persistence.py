"""A backend of your own: any class with save, load and delete keeps every run.

Here it is a dictionary; in your laboratory it may be a bucket, a table or a cache. The session is
written when it starts, after each step, and when it is over.
"""

from __future__ import annotations

import agentlab as al


class Shelf:
    """Keeps bytes by key: all that `store=` asks for."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def save(self, key: str, value: bytes) -> None:
        """Put it there, or replace what was there."""
        self.kept[key] = value

    async def load(self, key: str) -> bytes | None:
        """Give it, or nothing."""
        return self.kept.get(key)

    async def delete(self, key: str) -> None:
        """Take it away, if it is there."""
        self.kept.pop(key, None)


@al.tool
def double(n: int) -> int:
    """Twice as much."""
    return 2 * n


def main() -> None:
    """Run an agent, look at what the shelf was given, and read the session back."""
    model = al.ScriptedModel(
        'Thought: I will use the tool.\nAction: double {"n": 21}',
        "Thought: That is it.\nAction: FINAL_ANSWER 42",
    )
    shelf = Shelf()
    lab = al.AgentRuntime(model, tools=[double], store=shelf)
    session = lab.run_sync("Double 21.")

    me = session.session_id
    for key, value in shelf.kept.items():
        print(f"{key.replace(me, '…'):22}{len(value):6} bytes")
    assert set(shelf.kept) == {
        f"session:{me}",
        f"session:{me}:step:1",
        f"session:{me}:step:2",
        f"loop:{me}:step:1",
    }

    again = lab.load_session_sync(me)
    assert again == session
    print(f"read back: {again!r}, answer {again.final_answer()}")


if __name__ == "__main__":
    main()
