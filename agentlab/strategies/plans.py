"""A plan, its steps, how each stands, and the verdict on all of it. Values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable

if TYPE_CHECKING:
    from typing import Self

    from agentlab.core.trace import Trace

State: TypeAlias = Literal["pending", "running", "completed", "failed", "skipped"]
EXPECTED = "step completed"
CONFIDENT = 0.5  # and more


class StepStatus(Displayable, Portable, msgspec.Struct, frozen=True):
    """How a step stands; ``text`` is its output, or why it failed.

    >>> StepStatus.Completed("42").output(), StepStatus.Pending.is_failed()
    ('42', False)
    """

    Pending: ClassVar[StepStatus]
    Running: ClassVar[StepStatus]
    Skipped: ClassVar[StepStatus]

    state: State = "pending"
    text: str = ""

    @classmethod
    def Completed(cls, output: str) -> StepStatus:  # noqa: N802 - reads as a case of it
        """Give the status of a step that is done, with what came out of it."""
        return cls("completed", output)

    @classmethod
    def Failed(cls, error: str) -> StepStatus:  # noqa: N802 - as above
        """Give the status of a step that could not be done, with why."""
        return cls("failed", error)

    def is_completed(self) -> bool:
        """Tell whether it is done."""
        return self.state == "completed"

    def is_failed(self) -> bool:
        """Tell whether it could not be done."""
        return self.state == "failed"

    def output(self) -> str | None:
        """Give what came out of it, if it is done."""
        return self.text if self.is_completed() else None

    def error(self) -> str | None:
        """Give why it failed, if it did."""
        return self.text if self.is_failed() else None


StepStatus.Pending = StepStatus("pending")
StepStatus.Running = StepStatus("running")
StepStatus.Skipped = StepStatus("skipped")


class PlanStep(Displayable, Portable, msgspec.Struct, frozen=True):
    """One step: what to do, with which tool if with any, what is expected of it, how it stands.

    ``args`` is the JSON that the plan wrote for the tool; ``<1>`` in it is the output of step 1.
    """

    description: str
    tool: str | None = None
    expected_outcome: str = EXPECTED
    status: StepStatus = StepStatus.Pending
    args: str = ""


class StepRow(Displayable, msgspec.Struct, frozen=True):
    """A step of a plan, in a row."""

    step: int
    description: str
    tool: str | None
    args: str
    expected_outcome: str
    status: State
    output: str | None
    error: str | None


class Plan(Displayable, Tabular, Portable, msgspec.Struct, frozen=True):
    """What is to be done for a goal, in this order; ``replans`` is how often it was made anew."""

    goal: str
    steps: tuple[PlanStep, ...] = ()
    created_at: datetime | None = None
    replans: int = 0

    def __repr__(self) -> str:
        done, count = self.completed_count(), self.step_count()
        return f"<Plan {self.goal!r:.60} {done} of {count} steps completed>"

    def step_count(self) -> int:
        """Count the steps."""
        return len(self.steps)

    def completed_count(self) -> int:
        """Count the steps that are done."""
        return sum(step.status.is_completed() for step in self.steps)

    def failed_count(self) -> int:
        """Count the steps that failed."""
        return sum(step.status.is_failed() for step in self.steps)

    def all_succeeded(self) -> bool:
        """Tell whether every step is done; a plan without steps did not succeed."""
        return bool(self.steps) and self.completed_count() == self.step_count()

    def outputs(self) -> list[str]:
        """List what came out of the steps that are done, in their order."""
        return [step.status.text for step in self.steps if step.status.is_completed()]

    def rows(self) -> list[StepRow]:
        """Give a row a step."""
        return [
            StepRow(
                n, step.description, step.tool, step.args, step.expected_outcome,
                step.status.state, step.status.output(), step.status.error(),
            )
            for n, step in enumerate(self.steps, start=1)
        ]  # fmt: skip


class VerificationResult(Displayable, Portable, msgspec.Struct, frozen=True):
    """What was found when the plan was over: whether the goal was achieved, and how sure that is.

    Attributes
    ----------
    achieved : bool
        Whether it was.
    confidence : float
        From 0 to 1.
    issues : list of str
        What was found besides.
    raw_response : str
        What the model said.
    """

    achieved: bool
    confidence: float
    issues: list[str] = []
    raw_response: str = ""

    def __repr__(self) -> str:
        word = "achieved" if self.achieved else "not achieved"
        return f"<VerificationResult {word} {self.confidence:.2f}, {len(self.issues)} issues>"

    def is_confident_success(self) -> bool:
        """Tell whether it was achieved, and that is surer than not."""
        return self.achieved and self.confidence > CONFIDENT


class _Pair(NamedTuple):
    plan: Plan
    verification: VerificationResult


class PlanRun(_Pair, Displayable, Tabular):
    """A plan that was carried out, and the verdict: a pair that also has the trace.

    Attributes
    ----------
    plan : Plan
        With the status of each step.
    verification : VerificationResult
        The verdict.
    trace : Trace or None
        All that was said, where it was run and not read from somewhere.
    stop_reason : str
        ``final_answer`` where there is an answer; else ``error``, or ``timeout`` where there was
        no time for a verdict.
    error : str or None
        Why there is no answer.
    """

    trace: Trace | None = None
    timed_out: bool = False

    def __repr__(self) -> str:
        return f"PlanRun({self.plan!r}, {self.verification!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "trace": None}  # a trace stays with the loop it is on

    @property
    def answer(self) -> str | None:
        """The last output, if the goal was achieved."""
        outputs = self.plan.outputs()
        return outputs[-1] if self.verification.achieved and outputs else None

    @property
    def stop_reason(self) -> str:
        """How it ended."""
        if self.timed_out:
            return "timeout"
        return "error" if self.answer is None else "final_answer"

    @property
    def error(self) -> str | None:
        """Why there is no answer."""
        if self.answer is not None:
            return None
        failed = (step.status.error() for step in self.plan.steps)
        why = next(filter(None, failed), "") or "; ".join(self.verification.issues)
        what = "no step gave anything" if self.verification.achieved else "goal not achieved"
        return f"{what}: {why}" if why else what

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON, without the trace."""
        return {"plan": self.plan.to_dict(), "verification": self.verification.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        InvalidValue
            It is not the data of one.
        """
        try:
            plan, verification = data["plan"], data["verification"]
        except (KeyError, TypeError):
            raise InvalidValue(f"not the data of a PlanRun: {data!r:.80}") from None
        return cls(Plan.from_dict(plan), VerificationResult.from_dict(verification))
