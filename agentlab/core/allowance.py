"""How many tool calls a run may make, by whichever strategy."""

from __future__ import annotations

from agentlab.core.errors import ActionBlocked


class TooManyCalls(ActionBlocked):
    """More calls than a run may make."""

    form = "{0} was not called: a run may make at most {1}"


class Allowance:
    """Counts the tool calls of one run; what goes on side by side as a part of it has the same.

    >>> allowance = Allowance()
    >>> allowance.take("look", 1) is None
    True
    >>> str(allowance.take("look", 1))
    'look was not called: a run may make at most 1 tool call'

    Attributes
    ----------
    made : int
        How many were made, those among them that a reviewer refused.
    over : str
        Why there are no more, once one was wanted that may not be made.
    """

    def __init__(self) -> None:
        self.made = 0
        self.over = ""

    def __repr__(self) -> str:
        return f"<Allowance {self.made} made{', over' if self.over else ''}>"

    def take(self, tool: str, most: int | None) -> TooManyCalls | None:
        """Count a call, of at most so many; or give why it may not be made."""
        if most is not None and self.made >= most:
            many = TooManyCalls(tool, f"{most} tool call{'s' * (most != 1)}")
            self.over = str(many)
            return many
        self.made += 1
        return None
