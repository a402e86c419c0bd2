"""Text tools by name: text in, text out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from agentlab.core.bounds import positive
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import (
    InvalidValue,
    SandboxDenied,
    ToolError,
    ToolTimeout,
    explain,
    kind_of,
)
from agentlab.core.gate import Gates, every, gates_in, outcome_of, passed, passing
from agentlab.core.guards import Outcome, a_guard, settle
from agentlab.core.portable import Portable
from agentlab.core.protocols import Guard, Observation
from agentlab.core.registry import Registry
from agentlab.core.sync import twin
from agentlab.core.workers import Orphans
from agentlab.tools.builtin import CalculatorTool, EchoTool, TimestampTool
from agentlab.tools.dispatch import observed, perform, within
from agentlab.tools.permissions import ToolPermission, permissions
from agentlab.tools.spec import NAME, ToolSpec
from agentlab.tools.tally import Tally, ToolRow
from agentlab.tools.textual import TextTool, as_spec, as_tool_spec, is_named, spoken

if TYPE_CHECKING:
    import builtins

T = TypeVar("T")


class NamedTool(Protocol):
    """Text in, text out."""

    @property
    def name(self) -> str:
        """What it is called by."""

    @property
    def description(self) -> str:
        """What it does, in a sentence."""

    async def call(self, text: str, /) -> str:
        """Give what it makes of ``text``, or raise."""


class ToolInfo(msgspec.Struct, Portable, Displayable, frozen=True):
    """A named tool, and what came of it so far."""

    name: str
    description: str
    call_count: int = 0
    error_count: int = 0
    avg_latency_ms: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Counted:
    """A tool and its tally, which ends with it."""

    tool: NamedTool
    tally: Tally = field(default_factory=Tally)

    def spec(self) -> ToolSpec:
        """Give the tool as one that takes JSON."""
        return self.tool.spec if isinstance(self.tool, TextTool) else as_tool_spec(self.tool)

    def permissions(self) -> frozenset[ToolPermission]:
        """Give what the tool declares to need."""
        if isinstance(self.tool, TextTool):
            return self.tool.spec.permissions
        return permissions(getattr(self.tool, "permissions", ()))


class NamedToolRegistry(Displayable, Tabular):
    """Text tools by name. Tools that take JSON are adapted, with all that guards them.

    >>> tools = NamedToolRegistry.with_builtins()
    >>> tools.call_sync("calculator", "(2 + 3) * 4")
    '20'

    Parameters
    ----------
    tools : iterable of tools and functions
        What it holds to begin with.
    clock : Clock
        What measures how long they take.
    sandbox : Guard, optional
        Asked before each call, with what the tool declares to need.
    """

    def __init__(
        self,
        tools: Iterable[NamedTool | ToolSpec | Callable[..., Any]] = (),
        *,
        clock: Clock = SYSTEM_CLOCK,
        sandbox: Guard | None = None,
    ) -> None:
        self.sandbox = None if sandbox is None else a_guard(sandbox)
        self._tools: Registry[Counted] = Registry(ToolError.NotFound)
        self._clock = clock
        self._timeout_s: float | None = None
        self._orphans = Orphans()
        for each in tools:
            self.register(each)

    def __repr__(self) -> str:
        return f"<NamedToolRegistry {', '.join(sorted(self._tools)) or 'empty'}>"

    @classmethod
    def with_builtins(cls, *, clock: Clock = SYSTEM_CLOCK) -> NamedToolRegistry:
        """Make one that holds ``calculator``, ``echo`` and ``timestamp``."""
        return cls([CalculatorTool(), EchoTool(), TimestampTool(clock)], clock=clock)

    @property
    def orphaned_calls(self) -> int:
        """How many blocking calls still run though they timed out or were stopped."""
        return self._orphans.count

    def register(self, tool: NamedTool | ToolSpec | Callable[..., Any]) -> None:
        """Add a tool; the same name replaces."""
        named = tool if is_named(tool) else TextTool(as_spec(tool))
        if not isinstance(named.name, str) or not named.name:
            raise InvalidValue(f"a tool cannot be named {named.name!r}")
        self._tools.register(named.name, Counted(named))

    def with_timeout(self, seconds: float | None) -> NamedToolRegistry:
        """Let no call take longer in real time, and give this registry."""
        self._timeout_s = None if seconds is None else positive("seconds", seconds, "no limit")
        return self

    def with_sandbox(self, sandbox: Guard) -> NamedToolRegistry:
        """Ask ``sandbox`` too before each call, and give this registry."""
        self.sandbox = every(self.sandbox, a_guard(sandbox))
        return self

    def get(self, name: str) -> NamedTool | None:
        """Give a tool, or None."""
        found = self._tools.get(name)
        return found.tool if found else None

    def has_tool(self, name: str) -> bool:
        """Tell whether there is a tool of that name."""
        return name in self._tools

    def needs(self, name: str) -> Sequence[str]:
        """Give the labels of what a tool declares to need, sorted.

        Raises
        ------
        ToolError
            ``NotFound``.
        """
        return sorted(self._tools[name].permissions())

    def specs(self) -> Sequence[ToolSpec]:
        """List the tools as ones that take JSON, by name, but for names no model could write."""
        return [each.spec() for each in self._sorted() if NAME.fullmatch(each.tool.name)]

    def stats(self) -> builtins.list[ToolRow]:
        """Give a row a tool, by name: what it takes, its calls, errors and mean milliseconds."""
        return [
            ToolRow(
                each.tool.name,
                each.tool.description,
                arguments_of(each.tool),
                *each.tally.read(),
                tuple(map(str, sorted(each.permissions()))),
            )
            for each in self._sorted()
        ]

    async def list(self) -> builtins.list[ToolInfo]:
        """List the tools and their statistics, by name."""
        return [
            ToolInfo(each.tool.name, each.tool.description, *each.tally.read())
            for each in self._sorted()
        ]

    async def call(self, name: str, text: str, /) -> str:
        """Give what the tool makes of ``text``.

        A tool that takes JSON gets a JSON object as it is, and other text in its one field.

        Raises
        ------
        ToolError
            ``NotFound``; ``Timeout`` after the registry's seconds or the tool's own; for
            whatever else goes wrong ``ExecutionFailed``, which comes from the error itself.
        SandboxDenied
            The tool needs what was not granted.
        """
        counted = self._tools[name]
        work = partial(spoken, counted.tool, text, self._orphans)
        return await self._count(counted, self._gated(counted, work))

    async def observe(self, name: str, args: Any, /) -> Observation:
        """Call one with JSON arguments; whatever goes wrong is an observation."""
        return await observed(self._act(name, args), self._clock)

    call_sync = twin(call)
    list_sync = twin(list)  # noqa: A003 - the method
    observe_sync = twin(observe)

    async def _act(self, name: str, args: Any) -> Any:
        counted = self._tools[name]

        async def work() -> Any:
            return await perform(counted.spec(), args, None, self._orphans)

        return await self._count(counted, self._gated(counted, work))

    async def _gated(self, counted: Counted, work: Callable[[], Awaitable[T]]) -> T:
        """Do it if the sandbox lets it, unless the run that calls asked it for this very call."""
        name = counted.tool.name
        gates = [gate for gate in gates_in(self.sandbox) if not passed(gate, self, name)]
        permits = await Gates(gates).enter(name, sorted(counted.permissions()))
        how: Outcome = "cancel"
        try:
            with passing(None):
                done = await work()
            how = "success"
        except Exception as error:
            how = outcome_of(Observation.failed(error))
            raise
        finally:
            await settle(permits, how, name)
        return done

    async def _count(self, counted: Counted, work: Awaitable[T]) -> T:
        began, failed = self._clock.monotonic(), False
        try:
            return await within(self._timeout_s, work, ToolError.Timeout)
        except Exception as error:
            failed = True
            if isinstance(error, ToolError | SandboxDenied):
                raise
            raise as_tool_error(counted.tool.name, error) from error
        finally:
            counted.tally.add((self._clock.monotonic() - began) * 1000, failed=failed)

    def _sorted(self) -> builtins.list[Counted]:
        return [found for name in sorted(self._tools) if (found := self._tools.get(name))]


def arguments_of(tool: NamedTool) -> str:
    """Say in one line what a tool takes."""
    return tool.spec.arguments() if isinstance(tool, TextTool) else "input: string"


def as_tool_error(name: str, error: Exception) -> ToolError:
    """Give an error as one of the cases of ``ToolError``, with the kind it had."""
    if isinstance(error, ToolTimeout):
        return ToolError.Timeout()
    failed = ToolError.ExecutionFailed(name, explain(error))
    failed.kind = kind_of(error)
    return failed
