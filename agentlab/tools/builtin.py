"""The tools that are always there: ``calculator``, ``echo`` and ``timestamp``."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from msgspec import Meta

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue, ToolError
from agentlab.core.sync import twin
from agentlab.tools.arithmetic import as_number, evaluate, show
from agentlab.tools.spec import ToolSpec, tool
from agentlab.tools.textual import as_tool_spec

# What a small model should be held to; what is longer is worked out all the same.
SIMPLE_SUM = Meta(extra_json_schema={"pattern": "^[0-9+*/(). -]{1,40}$"})


class EchoTool(Displayable):
    """Says what it hears."""

    name = "echo"
    description = "Give back the text it is given."

    def __repr__(self) -> str:
        return "EchoTool()"

    async def call(self, text: str, /) -> str:
        """Give ``text`` unchanged."""
        return text

    call_sync = twin(call)

    def as_tool_spec(self) -> ToolSpec:
        """Give it as a tool with the argument ``input``."""
        return as_tool_spec(self)


class CalculatorTool(Displayable):
    """Works out sums.

    >>> CalculatorTool().call_sync("7 / 2")
    '3.5'

    Parameters
    ----------
    extended : bool
        Read unary ``+``, ``%``, ``**`` (exponents to 1000) and scientific notation too.
    """

    name = "calculator"
    description = "Work out a sum of numbers with + - * / and brackets."

    def __init__(self, *, extended: bool = False) -> None:
        self.extended = extended

    def __repr__(self) -> str:
        return f"CalculatorTool({'extended=True' if self.extended else ''})"

    async def call(self, text: str, /) -> str:
        """Give the value of ``text``.

        Raises
        ------
        ToolError.ExecutionFailed
            It has none.
        """
        return show(worked_out(text, extended=self.extended))

    call_sync = twin(call)

    def as_tool_spec(self) -> ToolSpec:
        """Give it as a tool with the argument ``input``."""
        return as_tool_spec(self)


class TimestampTool(Displayable):
    """Tells the time, whatever it is asked.

    Parameters
    ----------
    clock : Clock
        Where it reads it.
    """

    name = "timestamp"
    description = "Tell the time now, in UTC, as YYYY-MM-DDTHH:MM:SSZ."

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock

    def __repr__(self) -> str:
        return "TimestampTool()"

    async def call(self, text: str = "", /) -> str:  # noqa: ARG002 - the time is the same
        """Give the time."""
        now = self._clock.now().astimezone(UTC).replace(tzinfo=None)
        return f"{now.isoformat(timespec='seconds')}Z"

    call_sync = twin(call)

    def as_tool_spec(self) -> ToolSpec:
        """Give it as a tool with the argument ``input``."""
        return as_tool_spec(self)


@tool(inline=True)
def calculator(expression: Annotated[str, SIMPLE_SUM]) -> int | float:
    """Work out a sum of numbers with + - * / and brackets.

    Parameters
    ----------
    expression : str
        The sum, such as (2 + 3) * 4.
    """
    return as_number(worked_out(expression, extended=False))


def worked_out(text: str, *, extended: bool) -> float:
    """Give the value of a sum, or fail the way tools do."""
    try:
        return evaluate(text, extended=extended)
    except InvalidValue as error:
        raise ToolError.ExecutionFailed("calculator", str(error)) from None
