"""One step of a plan: a tool is called, or a question asked, and told as a turn of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec.structs import replace

from agentlab.core.drive import driven
from agentlab.core.errors import AgentLoopError, ErrorKind, InvalidValue, explain, kind_of
from agentlab.core.events import ReActStep
from agentlab.core.protocols import Observation, Strategy, Tool
from agentlab.core.run import Run
from agentlab.core.text import compact, cut
from agentlab.strategies.literals import decode
from agentlab.strategies.placeholders import bind
from agentlab.strategies.plan_prompts import doing
from agentlab.strategies.plans import PlanStep, StepStatus
from agentlab.strategies.react import OutOfTimeError, in_time


class Came(NamedTuple):
    """What came of a step: a text, and the kind of error where it is one."""

    text: str
    kind: ErrorKind | None = None
    observation: str | None = None

    @property
    def status(self) -> StepStatus:
        """Say how the step stands now."""
        return (
            StepStatus.Completed(self.text) if self.kind is None else StepStatus.Failed(self.text)
        )


@dataclass(frozen=True, slots=True)
class Doer:
    """Does the steps of a plan.

    Parameters
    ----------
    run : Run
        What it goes through.
    goal : str
        Of the plan.
    tools : mapping
        Those there are, by name.
    room : int
        How long a question may be.
    strategy : Strategy, optional
        Does the steps without a tool.
    """

    run: Run
    goal: str
    tools: Mapping[str, Tool]
    room: int
    strategy: Strategy | None = None

    async def do(self, n: int, steps: Sequence[PlanStep]) -> StepStatus:
        """Do the step at ``n``, tell of it, and say how it stands now."""
        step, run = steps[n], self.run
        at, began = run.clock.now(), run.clock.monotonic()
        tool = self.tools.get(step.tool or "")
        if tool is None:
            args, came = None, await self._asked(n, steps)
        else:
            args, came = await self._called(tool, n, steps)
        ms = round((run.clock.monotonic() - began) * 1000)
        told = self._told(step, args, came)
        await run.end_step(replace(told, index=n, step_duration_ms=ms, started_at=at))
        return came.status

    async def _called(self, tool: Tool, n: int, steps: Sequence[PlanStep]) -> tuple[Any, Came]:
        try:
            args = self._arguments(tool, n, steps)
        except InvalidValue as error:
            said = f"invalid JSON args for tool '{tool.name}': {error}"
            return steps[n].args, Came(said, "permanent", Observation.failed(
                AgentLoopError(said)).text)  # fmt: skip
        return args, came_of(await self.run.act(tool.name, args))

    def _arguments(self, tool: Tool, n: int, steps: Sequence[PlanStep]) -> Any:
        """Give the arguments that the plan wrote, with outputs in their places, or the usual."""
        step = steps[n]
        if step.args:
            outputs = {str(k): output for k, output in outputs_of(steps[:n])}
            return decode(bind(step.args, outputs, outputs=True))
        usual = {
            "goal": self.goal,
            "step": step.description,
            "previous": [output for _, output in outputs_of(steps[:n])],
        }
        declared = tool.schema.get("properties")
        return usual if declared is None else {k: v for k, v in usual.items() if k in declared}

    async def _asked(self, n: int, steps: Sequence[PlanStep]) -> Came:
        prompt = doing(self.goal, steps[n], outputs_of(steps[:n]), self.room)
        run = self.run
        try:
            if self.strategy is not None:
                return await self._worked(prompt)
            asked = run.ask(prompt, system=run.system_prompt)
            reply = await in_time(run.config.step_timeout_ms, asked)
        except OutOfTimeError as late:
            seen = Observation(ok=False, error=str(late), error_kind="transient")
            return Came(str(late), "transient", seen.text)
        except Exception as error:  # noqa: BLE001 - whatever a model does, a step of a plan failed
            return Came(explain(error), kind_of(error), Observation.failed(error).text)
        return Came(reply.text.strip())

    async def _worked(self, prompt: str) -> Came:
        """Let the strategy do it, as a run of its own."""
        run, strategy = self.run, self.strategy
        assert strategy is not None  # noqa: S101 - for the type checker
        session = await driven(run.child(run.agent), strategy, prompt)
        if session.answer is not None:
            return Came(session.answer)
        return Came(session.error or session.stop_reason, "permanent")

    def _told(self, step: PlanStep, args: Any, came: Came) -> ReActStep:
        """Make a turn of a step: of one without a tool the description is the action."""
        limit = self.run.config.max_observation_chars
        seen = cut(came.text if came.observation is None else came.observation, limit)
        if step.tool not in self.tools:
            return ReActStep("", step.description, seen, error_kind=came.kind)
        action = f"{step.tool} {compact(args)}"
        return ReActStep(
            step.description, action, seen, tool=step.tool, args=args, error_kind=came.kind
        )


def outputs_of(steps: Sequence[PlanStep]) -> list[tuple[int, str]]:
    """Give what came out of the steps that are done, each with its number, from 1."""
    return [
        (n, step.status.text) for n, step in enumerate(steps, start=1) if step.status.is_completed()
    ]


def came_of(seen: Observation) -> Came:
    """Read what a tool gave: its data as a text, or why it failed."""
    if seen.ok:
        text = seen.data if isinstance(seen.data, str) else compact(seen.data)
        return Came(text, None, seen.text)
    said = seen.error
    if said is None:  # the tool itself says so
        told = seen.data.get("error") if isinstance(seen.data, Mapping) else None
        said = told if isinstance(told, str) and told else compact(seen.data)
    return Came(said, seen.error_kind or "permanent", seen.text)
