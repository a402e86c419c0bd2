"""Plan, execute, verify: one question for the plan, one or a tool a step, one for the verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from agentlab.core.bounds import at_least_one, count_of
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.config import AgentConfig
from agentlab.core.drive import a_strategy, begin, drive, result_of
from agentlab.core.errors import InternalError, InvalidValue
from agentlab.core.events import Charted, Marked, Node, Phase, Status, Warned
from agentlab.core.ids import AgentId
from agentlab.core.portable import Portable
from agentlab.core.protocols import Strategy, Tool
from agentlab.core.run import Run
from agentlab.core.sync import twin
from agentlab.core.text import cut
from agentlab.models.naming import as_model, name_of
from agentlab.strategies.plan_grammar import MOST_STEPS, plan_grammar, verdict_grammar
from agentlab.strategies.plan_lines import read_plan, read_verdict
from agentlab.strategies.plan_prompts import judging, planning, planning_briefly
from agentlab.strategies.plan_steps import Doer
from agentlab.strategies.plans import (
    Plan,
    PlanRun,
    PlanStep,
    StepStatus,
    VerificationResult,
)
from agentlab.strategies.prompts import profile_for
from agentlab.strategies.react import Outcome, OutOfTimeError, in_time
from agentlab.tools.named import NamedTool
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec

__all__ = [
    "Plan", "PlanExecute", "PlanExecuteAgent", "PlanExecuteConfig", "PlanRun", "PlanStep",
    "StepStatus", "VerificationResult", "Verifier",
]  # fmt: skip

MARKS: dict[str, Status] = {"completed": "done", "failed": "failed", "skipped": "skipped"}
NO_STEPS = (
    "the response holds no plan: {!r:.200} has no line such as"
    " '1. Look it up | tool: search | expected: a page'"
)
MAX_DETAIL = 500
MAX_TOKENS = 400  # of a plan or a verdict that a grammar holds; it always ends well before


@dataclass(frozen=True, slots=True)
class PlanExecuteConfig(Portable):
    """How a plan is made and carried out.

    Parameters
    ----------
    max_steps : int
        How many steps are carried out; those after them are skipped.
    stop_on_failure : bool
        Skip what comes after a step that failed; the verdict is asked for all the same.
    system_prompt : str
        Heads the question for a plan.
    max_context_chars : int
        How long the question for a step may be: the oldest outputs make room.
    max_replans : int
        How often another plan may be made where a step failed. Steps that are done stay.

    Raises
    ------
    InvalidValue
        A value that can never be right.
    """

    max_steps: int = 20
    stop_on_failure: bool = True
    system_prompt: str = "You are a planning agent. Produce clear, actionable plans."
    max_context_chars: int = 16_000
    max_replans: int = 0

    def __post_init__(self) -> None:
        at_least_one("max_steps", self.max_steps)
        at_least_one("max_context_chars", self.max_context_chars)
        count_of("max_replans", self.max_replans)
        if not isinstance(self.system_prompt, str):
            raise InvalidValue(f"system_prompt must be text, got {self.system_prompt!r:.80}")


def config_of(config: PlanExecuteConfig | None) -> PlanExecuteConfig:
    """Give settings, those that go without saying where there are none."""
    if config is not None and not isinstance(config, PlanExecuteConfig):
        raise InvalidValue(f"config must be a PlanExecuteConfig, got {config!r:.80}")
    return config or PlanExecuteConfig()


class Verifier:
    """Judges a plan that is over. To judge otherwise, override what calling it does."""

    def __repr__(self) -> str:
        return "Verifier()"

    async def verify(self, plan: Plan, infer: Any) -> VerificationResult:
        """Ask ``infer``, whatever it is (see :func:`agentlab.as_model`), for a verdict.

        Raises
        ------
        InvalidValue
            ``plan`` is no plan, or ``infer`` does not answer.
        """
        if not isinstance(plan, Plan):
            raise InvalidValue(f"plan must be a Plan, got {plan!r:.80}: run.plan is one")
        model = as_model(infer)
        config = AgentConfig(1, name_of(infer))
        run, _ = begin(agent="verifier", model=model, config=config)
        return await self(run, plan, PlanExecuteConfig().max_context_chars)

    async def __call__(self, run: Run, plan: Plan, room: int) -> VerificationResult:
        """Ask the model of ``run``, in at most ``room`` characters where that can be."""
        held = profile_for(run).limits is not None
        options: dict[str, Any] = {}
        if held:
            options = {"grammar": verdict_grammar(), "max_tokens": MAX_TOKENS}
        asked = run.ask(judging(plan, briefly=held, room=room), system=run.system_prompt, **options)
        return read_verdict((await in_time(run.config.step_timeout_ms, asked)).text)

    verify_sync = twin(verify)


class PlanExecute:
    """The strategy. A run has an answer where the goal was achieved: the last output.

    Where it was not, ``stop_reason`` is ``"error"`` and ``error`` says why; plan and verdict are
    the session's ``result`` either way.

    >>> from agentlab.models.scripted import ScriptedModel
    >>> from agentlab.runtime import AgentRuntime
    >>> lab = AgentRuntime(ScriptedModel("1. Say hello", "Hello!", "ACHIEVED 0.9"))
    >>> lab.run_sync("Greet me", strategy=PlanExecute()).final_answer()
    'Hello!'

    Parameters
    ----------
    config : PlanExecuteConfig
        How.
    step_strategy : Strategy, optional
        Does the steps that have no tool, each as a run of its own below this one; by default
        they are one question each.
    verifier : Verifier, optional
        Judges.

    Raises
    ------
    InvalidValue
        One of these is something else.
    """

    strategy_name = "plan_execute"

    def __init__(
        self,
        config: PlanExecuteConfig | None = None,
        *,
        step_strategy: Strategy | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        if step_strategy is not None:
            a_strategy(step_strategy)
        if verifier is not None and not callable(verifier):
            raise InvalidValue(f"verifier must be a Verifier, got {verifier!r:.80}")
        self.config = config_of(config)
        self.step_strategy = step_strategy
        self.verifier = verifier or Verifier()

    def __repr__(self) -> str:
        return f"PlanExecute({self.config!r})"

    async def __call__(self, run: Run, goal: str, /) -> PlanRun | Outcome:
        """Plan for ``goal``, carry the plan out, and have it judged.

        Raises
        ------
        InternalError
            The response holds no plan.
        """
        try:
            plan = await self._plan(run, Plan(goal, created_at=run.clock.now()))
        except OutOfTimeError as late:
            return Outcome(None, "timeout", str(late))
        plan = await self._carry_out(run, plan)
        while plan.failed_count() and plan.replans < self.config.max_replans:
            if run.allowance.over:
                break  # no other plan could call anything
            try:
                plan = await self._plan(run, plan)
            except (InternalError, OutOfTimeError) as error:
                run.emit(Warned(f"no other plan: {error}"))
                break
            plan = await self._carry_out(run, plan)
        run.emit(Phase("verify"))
        return await self._judged(run, plan)

    async def _judged(self, run: Run, plan: Plan) -> PlanRun:
        try:
            verdict = await self.verifier(run, plan, self.config.max_context_chars)
        except OutOfTimeError as late:
            verdict = VerificationResult(achieved=False, confidence=0.0, issues=[str(late)])
            done = PlanRun(plan, verdict)
            done.timed_out = True
        else:
            done = PlanRun(plan, verdict)
        done.trace = run.trace
        return done

    async def _plan(self, run: Run, before: Plan) -> Plan:
        """Ask for a plan, or for another one, which goes on from what is done."""
        tried = before.steps
        run.emit(Phase("plan", "again" if tried else ""))
        tools = run.tools.specs() if run.tools else ()
        held = profile_for(run).limits is not None
        write = planning_briefly if held else planning
        options: dict[str, Any] = {}
        if held:
            most = min(self.config.max_steps, MOST_STEPS)
            options = {"grammar": plan_grammar(tools, steps=most), "max_tokens": MAX_TOKENS}
        prompt = write(before.goal, tools, tried)
        asked = run.ask(prompt, system=run.in_manner(self.config.system_prompt), **options)
        reply = await in_time(run.config.step_timeout_ms, asked)
        steps = read_plan(reply.text)
        if not steps:
            raise InternalError(NO_STEPS.format(reply.text))
        done = [step for step in tried if step.status.is_completed()]
        made = [*done, *(until_it_repeats(steps) if held else steps)]
        return replace(before, steps=tuple(made), replans=before.replans + bool(tried))

    async def _carry_out(self, run: Run, plan: Plan) -> Plan:
        """Do each step that is not done yet, one after the other."""
        tools = {tool.name: tool for tool in (run.tools.specs() if run.tools else ())}
        chart(run, plan, tools)
        run.emit(Phase("execute"))
        doer = Doer(run, plan.goal, tools, self.config.max_context_chars, self.step_strategy)
        steps, failed = list(plan.steps), False
        for n, step in enumerate(steps):
            if step.status.is_completed():
                continue
            if n >= self.config.max_steps or (failed and self.config.stop_on_failure):
                status = StepStatus.Skipped
                run.emit(Marked(str(n + 1), "skipped", self._why_not(n)))
            else:
                run.emit(Marked(str(n + 1), "running"))
                status = await self._done(run, doer, n, steps)
            failed = failed or status.is_failed()
            steps[n] = replace(step, status=status)
        return replace(plan, steps=tuple(steps))

    def _why_not(self, n: int) -> str:
        most = self.config.max_steps
        return f"only {most} steps are carried out" if n >= most else "a step before it failed"

    async def _done(self, run: Run, doer: Doer, n: int, steps: Sequence[PlanStep]) -> StepStatus:
        try:
            status = await doer.do(n, steps)
        except asyncio.CancelledError:
            run.emit(Marked(str(n + 1), "cancelled"))
            raise
        run.emit(Marked(str(n + 1), MARKS[status.state], cut(status.text, MAX_DETAIL)))
        return status


def until_it_repeats(steps: Sequence[PlanStep]) -> Sequence[PlanStep]:
    """Leave out what a small model adds because it does not stop: calls that were made before."""
    seen = set[tuple[str | None, str, str]]()
    for n, step in enumerate(steps):
        key = (step.tool, step.args, "" if step.tool else step.description)
        if key in seen:
            return steps[:n]
        seen.add(key)
    return steps


def chart(run: Run, plan: Plan, tools: dict[str, Tool]) -> None:
    """Say what is to be done, and what of it is done already."""
    nodes = [
        Node(str(n), step.description, "tool" if step.tool in tools else "question",
             detail=f"{step.tool} {step.args}".rstrip() if step.tool else "")
        for n, step in enumerate(plan.steps, start=1)
    ]  # fmt: skip
    run.emit(Charted("list", tuple(nodes), title=plan.goal))
    for n, step in enumerate(plan.steps, start=1):
        if step.status.is_completed():
            run.emit(Marked(str(n), "done", cut(step.status.text, MAX_DETAIL)))


class PlanExecuteAgent:
    r"""Plan, execute and verify without a runtime.

    >>> replies = iter(["1. Say hello", "Hello!", "ACHIEVED 0.9"])
    >>> agent = PlanExecuteAgent("host", PlanExecuteConfig())
    >>> plan, verification = agent.run_sync("Greet me", lambda _: next(replies))
    >>> plan.outputs(), verification.is_confident_success()
    (['Hello!'], True)

    Parameters
    ----------
    agent_id : str
        Whose runs they are.
    config : PlanExecuteConfig
        How.
    clock : Clock
        What everything but deadlines reads.
    """

    def __init__(
        self,
        agent_id: str,
        config: PlanExecuteConfig | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.agent_id = AgentId(agent_id)
        self.config = config_of(config)
        self._clock = clock

    def __repr__(self) -> str:
        return f"PlanExecuteAgent({str(self.agent_id)!r}, {self.config!r})"

    async def run(
        self,
        goal: str,
        infer: Any,
        tools: Iterable[ToolSpec | NamedTool | Callable[..., Any]] = (),
    ) -> PlanRun:
        """Plan for ``goal`` with whatever ``infer`` is (see :func:`agentlab.as_model`).

        Raises
        ------
        InternalError
            The response holds no plan.
        AgentLabError
            What else went wrong; the session as far as it got is its ``session``.
        """
        run, session = begin(
            clock=self._clock,
            agent=str(self.agent_id),
            model=as_model(infer),
            config=AgentConfig(self.config.max_steps, name_of(infer)),
            tools=ToolRegistry(tools, clock=self._clock),
        )
        return result_of(await drive(run, session, PlanExecute(self.config), goal), PlanRun)

    run_sync = twin(run)
