"""pandas frames: a row a thing, a column a field, made column by column with their types said.

Text is of pandas' own type for it (``str`` from pandas 3 on, ``object`` before), a moment is
``datetime64[us, UTC]``; where there is nothing yet, the columns and their types are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import singledispatch
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from agentlab.core.approval import PendingCall, PendingCalls
from agentlab.core.errors import InvalidValue
from agentlab.core.events import ReActStep
from agentlab.core.session import AgentSession
from agentlab.core.spans import Span, Spans
from agentlab.core.text import clean
from agentlab.core.trace import Trace
from agentlab.display.gists import gist_of, kind_of
from agentlab.graph.base import Graph
from agentlab.graph.measures import EntityRow
from agentlab.memory.compressed import Compression, TurnCompression, TurnCompressionRun, TurnRow
from agentlab.memory.consolidation import ClusterRow, Consolidation
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.explained import Explanation, Explanations
from agentlab.memory.forgetting import LtmMerges, LtmRow, MergeRow
from agentlab.memory.ltm import LtmStore
from agentlab.memory.nearest import VectorMemory, VectorRow
from agentlab.memory.semantic import SemanticEntry, SemanticStore
from agentlab.memory.vector import SemanticMemory, TextRow
from agentlab.memory.working import WorkingMemory, WorkingRow
from agentlab.observe.agent_metrics import AgentMetricsRegistry, AgentMetricsSnapshot
from agentlab.observe.exposition import SampleRow
from agentlab.observe.histogram import BucketRow
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.observe.series import Histogram, Series
from agentlab.observe.snapshot import MetricRow, MetricsSnapshot
from agentlab.personas.persona import Persona
from agentlab.personas.registry import PersonaRegistry
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit import BreakerRow
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.ledger import DeduplicatorEntry
from agentlab.resilience.pipeline import Pipeline, StageRow
from agentlab.resilience.retry import RetryDelay, RetryPolicy
from agentlab.resilience.shared_breaker import SharedCircuitBreaker
from agentlab.resilience.slots import BackpressureRow
from agentlab.skills.composing import SkillPipeline, SkillStageRow
from agentlab.skills.matching import MatchRow, SkillMatches
from agentlab.skills.registry import Skill, SkillRegistry
from agentlab.store.base import Shelf, StoreRow
from agentlab.store.checkpoint import CheckpointManager, CheckpointRow
from agentlab.strategies.execution import ExecutionPlan, PlannedRow
from agentlab.strategies.plans import Plan, PlanRun, StepRow
from agentlab.strategies.streaming_session import HeardToken, HeardTokens, StreamingSession
from agentlab.strategies.workflow.definition import Workflow, WorkflowRow
from agentlab.strategies.workflow.result import TaskRun, WorkflowResult
from agentlab.teams.bus import AgentBus
from agentlab.teams.capability import CapabilityMatches, CapabilityMatchRow
from agentlab.teams.census import AgentRow
from agentlab.teams.debate_config import ArgumentRow, DebateSession
from agentlab.teams.discovery import AgentRegistry
from agentlab.teams.dispatch import DispatchAttempt, DispatchResult
from agentlab.teams.messages import BusRow
from agentlab.teams.swarm_config import SubTaskResult, SwarmResult
from agentlab.teams.team_result import TeamResult, TeamRow
from agentlab.teams.tournament import Match, Tournament
from agentlab.tools.audit import AuditEntry, AuditLog, SandboxRow
from agentlab.tools.limits import Fence, FenceReport
from agentlab.tools.named import NamedToolRegistry
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.sandbox import Sandbox
from agentlab.tools.tally import ToolRow

if TYPE_CHECKING:
    import pandas as pd

    Column = pd.Series[Any]

WORDS, MOMENT = "words", "datetime64[us, UTC]"
DTYPES: dict[Any, str] = {
    str: WORDS,
    int: "int64",
    float: "float64",
    bool: "bool",
    datetime: MOMENT,
}


@singledispatch
def frame(obj: object) -> pd.DataFrame:
    """Give ``obj`` as a frame. Teach it a type with ``@frame.register(Type)``.

    Raises
    ------
    InvalidValue
        There is no frame of such a thing.
    """
    raise InvalidValue(
        f"there is no frame of {obj!r:.80}: of what a cell shows as a table there is, and of a"
        " list of records of one kind"
    )


ROWS: dict[type, tuple[Callable[[Any], Sequence[Any]], type[msgspec.Struct]]] = {
    AgentSession: (lambda it: it.steps, ReActStep),
    StreamingSession: (lambda it: it.rows(), HeardToken),
    HeardTokens: (lambda it: it, HeardToken),
    Workflow: (lambda it: it.rows(), WorkflowRow),
    WorkflowResult: (lambda it: it.tasks, TaskRun),
    Spans: (lambda it: it, Span),
    PendingCalls: (lambda it: it, PendingCall),
    ToolRegistry: (lambda it: it.stats(), ToolRow),
    NamedToolRegistry: (lambda it: it.stats(), ToolRow),
    Sandbox: (lambda it: it.rows(), SandboxRow),
    AuditLog: (lambda it: it, AuditEntry),
    FenceReport: (lambda it: it.fences, Fence),
    CircuitBreaker: (lambda it: [it.stats()], BreakerRow),
    SharedCircuitBreaker: (lambda it: [it.stats()], BreakerRow),
    BackpressureGuard: (lambda it: [it.stats()], BackpressureRow),
    RetryPolicy: (lambda it: it.schedule(), RetryDelay),
    Deduplicator: (lambda it: it.entries(), DeduplicatorEntry),
    Pipeline: (lambda it: it.rows(), StageRow),
    RuntimeMetrics: (lambda it: it.rows(), MetricRow),
    MetricsSnapshot: (lambda it: it.rows(), MetricRow),
    AgentMetricsRegistry: (lambda it: it.rows(), AgentMetricsSnapshot),
    MetricsRegistry: (lambda it: it.rows(), SampleRow),
    Series: (lambda it: it.rows(), SampleRow),
    Histogram: (lambda it: it.bucket_rows(), BucketRow),
    Graph: (lambda it: it.rows(), EntityRow),
    Shelf: (lambda it: it.rows_sync(), StoreRow),
    CheckpointManager: (lambda it: it.rows(), CheckpointRow),
    LtmStore: (lambda it: it.rows(), LtmRow),
    LtmMerges: (lambda it: it, MergeRow),
    Consolidation: (lambda it: it.clusters, ClusterRow),
    Compression: (lambda it: it.turns, TurnRow),
    TurnCompression: (lambda it: it.turns, TurnRow),
    TurnCompressionRun: (lambda it: it.turns, TurnRow),
    PersonaRegistry: (lambda it: it.personas(), Persona),
    SkillRegistry: (lambda it: it.all(), Skill),
    SkillMatches: (lambda it: it.rows(), MatchRow),
    SkillPipeline: (lambda it: it.rows(), SkillStageRow),
    AgentRegistry: (lambda it: it.rows(), AgentRow),
    CapabilityMatches: (lambda it: it.rows(), CapabilityMatchRow),
    DispatchResult: (lambda it: it.rows(), DispatchAttempt),
    AgentBus: (lambda it: it.rows(), BusRow),
    TeamResult: (lambda it: it.rows(), TeamRow),
    SwarmResult: (lambda it: it.subtask_results, SubTaskResult),
    DebateSession: (lambda it: it.rows(), ArgumentRow),
    Tournament: (lambda it: it.matches, Match),
    WorkingMemory: (lambda it: it.rows(), WorkingRow),
    SemanticStore: (lambda it: it.rows(), SemanticEntry),
    VectorMemory: (lambda it: it.rows(len(it)), VectorRow),
    SemanticMemory: (lambda it: it.rows(len(it)), TextRow),
    Explanations: (lambda it: it, Explanation),
    Plan: (lambda it: it.rows(), StepRow),
    PlanRun: (lambda it: it.plan.rows(), StepRow),
    ExecutionPlan: (lambda it: it.rows(), PlannedRow),
}
"""What has a row for each of its parts: how these are read, and which record says the columns."""


def rows_of(obj: Any) -> pd.DataFrame:
    """Give a row a part of ``obj``, as ``ROWS`` says."""
    read, kind = next(ROWS[each] for each in type(obj).__mro__ if each in ROWS)
    return table(read(obj), kind)


for _kind in ROWS:
    frame.register(_kind, rows_of)


@frame.register(Trace)
def _(trace: Trace) -> pd.DataFrame:
    entries = list(trace.entries)  # a run may be writing
    return framed(
        run=column([e.run for e in entries], WORDS),
        parent=column([e.parent for e in entries], WORDS),
        seq=column([e.seq for e in entries], "int64"),
        at=column([e.at for e in entries], MOMENT),
        offset=column([e.offset for e in entries], "float64"),
        kind=column([kind_of(e.event) for e in entries], WORDS),
        event=column([gist_of(e.event) for e in entries], WORDS),
    )


@frame.register(EpisodicStore)
def _(store: EpisodicStore) -> pd.DataFrame:
    import pandas as pd

    told = store.columns()
    agents: Any = pd.Index(column(told.pop("agents"), WORDS))
    whose = told.pop("agent")
    moments = told.pop("timestamp").view("datetime64[us]")
    return framed(
        agent=pd.Series(pd.Categorical.from_codes(whose, agents)),
        content=column(told["content"], WORDS),
        importance=pd.Series(told["importance"]),
        importance_now=pd.Series(told["importance_now"]),
        age_hours=pd.Series(told["age_hours"]),
        recall_count=pd.Series(told["recall_count"]),
        tags=column(told["tags"], "object"),
        timestamp=pd.Series(moments).dt.tz_localize("UTC"),
        id=column(told["id"], WORDS),
    )


@frame.register(list)
@frame.register(tuple)
def _(records: Sequence[Any]) -> pd.DataFrame:
    kinds = {type(record) for record in records} or {ReActStep}
    kind = kinds.pop()
    if kinds or not issubclass(kind, msgspec.Struct):
        raise InvalidValue(f"a frame is of records of one kind, got {records!r:.80}")
    return table(records, kind)


def table(records: Sequence[Any], kind: type[msgspec.Struct]) -> pd.DataFrame:
    """Give a row a record; the columns are the fields of ``kind``, in its order."""
    hints = get_type_hints(kind)
    return framed(
        **{
            name: column([getattr(record, name) for record in records], dtype_of(hints[name]))
            for name in kind.__struct_fields__
        }
    )


def dtype_of(hint: Any) -> str:
    """Name the type of a column whose values are annotated so; ``object`` for what is anything.

    >>> [dtype_of(hint) for hint in (str | None, int, int | None, dict[str, int])]
    ['words', 'int64', 'float64', 'object']
    """
    parts = [part for part in get_args(hint) if part is not NoneType]
    optional = len(parts) < len(get_args(hint))
    only = parts[0] if optional and len(parts) == 1 else hint
    if get_origin(only) is Literal:
        only = type(get_args(only)[0])
    dtype = DTYPES.get(only, "object")
    if optional and dtype == "int64":
        return "float64"
    return "object" if optional and dtype == "bool" else dtype


def framed(**columns: Column) -> pd.DataFrame:
    """Put columns beside each other, as they are."""
    import pandas as pd

    return pd.DataFrame(columns, copy=False)


def column(values: list[Any], dtype: str) -> Column:
    """Make one column. What is missing is missing as pandas says it."""
    import pandas as pd

    if dtype != WORDS:
        return pd.Series(values, dtype=dtype)
    text = object if int(pd.__version__.split(".")[0]) < 3 else "str"  # noqa: PLR2004
    try:
        return pd.Series(values, dtype=text)
    except UnicodeEncodeError:  # Arrow takes no lone surrogates; those of a trace are clean
        return pd.Series([v if v is None else clean(v) for v in values], dtype=text)
