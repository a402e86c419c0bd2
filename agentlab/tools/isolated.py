"""Isolated tools: the handler runs in a fresh process, with limits and without keys.

It limits accidents and casual harm: loops that never end, memory, processes, output, files
written elsewhere, the network. It is **not** a wall against somebody determined: the handler
shares the system's kernel, and may read what its user may read. For code of strangers take a
container or a virtual machine, and run all of agentlab in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentlab.core.doors import Displayable
from agentlab.core.sync import twin
from agentlab.tools.isolation import isolation_of
from agentlab.tools.limits import Fence, FenceReport, IsolationError, Limits
from agentlab.tools.textual import as_spec

if TYPE_CHECKING:
    from agentlab.tools.named import NamedTool
    from agentlab.tools.spec import ToolSpec

__all__ = ["Fence", "FenceReport", "Isolated", "IsolationError", "Limits"]


class Isolated(Displayable):
    """A tool whose handler runs in a fresh process.

    ``@tool(isolated=True)`` and ``@tool(isolated=Limits(...))`` say the same where the tool is
    made. The handler is copied there: what it changes outside its folder and its result is lost.

    >>> from agentlab.tools.spec import ToolSpec
    >>> double = Isolated(ToolSpec("double", "Twice as much.", lambda args: args["n"] * 2))
    >>> double.call_sync({"n": 21}), double.last_report.stopped
    (42, '')

    Parameters
    ----------
    spec : tool or function
        What to isolate.
    limits : Limits, optional
        How far it may go.
    """

    def __init__(
        self, spec: ToolSpec | NamedTool | Callable[..., Any], limits: Limits | None = None
    ) -> None:
        self.spec = replace(as_spec(spec), isolated=isolation_of(limits or True))

    def __repr__(self) -> str:
        return f"<Isolated {self.spec.name}({self.spec.arguments()})>"

    @property
    def name(self) -> str:
        """The tool's."""
        return self.spec.name

    @property
    def description(self) -> str:
        """The tool's."""
        return self.spec.description

    @property
    def schema(self) -> dict[str, Any]:
        """The tool's."""
        return self.spec.schema

    @property
    def last_report(self) -> FenceReport | None:
        """How the call that ended last went."""
        return self.spec.last_report

    def as_tool_spec(self) -> ToolSpec:
        """Give the tool itself."""
        return self.spec

    async def call(self, args: Any, /) -> Any:
        """Check the arguments, ask the guard, and give what the handler gives, as plain JSON."""
        return await self.spec.call(args)

    call_sync = twin(call)
