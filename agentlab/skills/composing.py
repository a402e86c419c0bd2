"""Several skills in a row: which, in which order, and what does them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentlab.core.bounds import callback, each_of, texts
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.portable import Portable
from agentlab.core.sync import twin
from agentlab.core.text import one_line, suggestion
from agentlab.resilience.pipeline import Handler, Pipeline, StageTrace
from agentlab.skills.matching import SkillMatcher
from agentlab.skills.registry import Skill, SkillRegistry, skills_in

if TYPE_CHECKING:
    from typing import Unpack

    from agentlab.resilience.pipeline import Policies

log = logging.getLogger("agentlab.skills")

EMPTY = "Empty pipeline (no matching skills found)"
ORDERS = ("text", "score")


class SkillStageRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A stage: a skill, and what does it if that was said."""

    name: str
    description: str
    version: str
    handler: str | None = None


class SkillPipeline(Displayable, Tabular):
    """Skills in a row, which run once each has something that does it.

    >>> pipeline = SkillPipeline([Skill("shout"), Skill("wrap")])
    >>> pipeline
    <SkillPipeline shout → wrap, 2 of 2 not bound>
    >>> pipeline.bind("shout", str.upper).bind("wrap", "<{}>".format).run_sync("hi")
    '<HI>'

    Parameters
    ----------
    skills : iterable of Skill
        The stages, in order.
    handlers : mapping, optional
        What does them, by name.
    clock : Clock
        What times the stages.
    """

    def __init__(
        self,
        skills: Iterable[Skill] = (),
        *,
        handlers: Mapping[str, Handler] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._skills = each_of("skills", skills, Skill)
        self._clock = clock
        self._bound: dict[str, tuple[Handler, Any]] = {}
        if handlers is not None and not isinstance(handlers, Mapping):
            raise InvalidValue(f"handlers must be functions by name of skill, got {handlers!r:.80}")
        for name, handler in (handlers or {}).items():
            self.bind(name, handler)

    def __repr__(self) -> str:
        missing = self.unbound()
        told = f", {len(missing)} of {len(self)} not bound" if missing else ""
        return one_line(f"<SkillPipeline {' → '.join(self.stage_names()) or 'empty'}{told}>")

    def __len__(self) -> int:
        return len(self._skills)

    def __bool__(self) -> bool:
        return True

    @property
    def description(self) -> str:
        """What it does, in one line."""
        return f"Pipeline: {' → '.join(self.stage_names())}" if self._skills else EMPTY

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Its skills, in order."""
        return self._skills

    def stage_names(self) -> list[str]:
        """Name the stages, in order."""
        return [skill.name for skill in self._skills]

    def unbound(self) -> list[str]:
        """Name the stages that nothing does yet."""
        return [name for name in self.stage_names() if name not in self._bound]

    def rows(self) -> list[SkillStageRow]:
        """Give a row a stage."""
        return [
            SkillStageRow(each.name, each.description, each.version, self._doer(each.name))
            for each in self._skills
        ]

    def bind(self, name: str, handler: Handler, **policies: Unpack[Policies]) -> SkillPipeline:
        """Say what does a stage: a function of text that gives text, async or plain.

        Parameters
        ----------
        name : str
            The skill.
        handler : callable
            What does it.
        **policies
            What guards it, as in :class:`agentlab.Stage`: ``retry``, ``breaker``, ``dedup``.

        Raises
        ------
        InvalidValue
            There is no such stage.
        """
        names = self.stage_names()
        if name not in names:
            hint = suggestion(name, names) if isinstance(name, str) else ""
            raise InvalidValue(f"there is no stage {name!r:.80}{hint} in {self.description!r:.200}")
        callback("what does a skill", handler)
        self._bound[name] = (handler, policies)
        return self

    def pipeline(self) -> Pipeline:
        """Give it as a pipeline of stages.

        Raises
        ------
        NotConfigured
            Nothing does one of them yet.
        """
        missing = self.unbound()
        if missing:
            raise NotConfigured(
                f"skill {missing[0]}", f"pipeline.bind({missing[0]!r}, function) says what does it"
            )
        made = Pipeline(clock=self._clock)
        for name in self.stage_names():
            handler, policies = self._bound[name]
            made.add_stage(name, handler, **policies)
        return made

    async def run(self, input: str) -> str:  # noqa: A002 - the reference's word
        """Send a text through all stages; without stages it comes out as it went in.

        Raises
        ------
        NotConfigured
            Nothing does one of the stages yet; none was run.
        OrchestrationError
            A stage failed; see :meth:`agentlab.Pipeline.run`.
        """
        return await self.pipeline().run(input)

    async def run_traced(self, input: str) -> tuple[str, list[StageTrace]]:  # noqa: A002
        """Do the same, and tell what each stage did."""
        return await self.pipeline().run_traced(input)

    run_sync = twin(run)
    run_traced_sync = twin(run_traced)

    def _doer(self, name: str) -> str | None:
        if name not in self._bound:
            return None
        handler, _ = self._bound[name]
        return str(getattr(handler, "__name__", type(handler).__name__))


class SkillComposer:
    """Makes pipelines of skills, from names or from a task.

    >>> skills = SkillRegistry([Skill("summarise"), Skill("translate")])
    >>> SkillComposer(skills).compose(["translate", "summarise"]).description
    'Pipeline: translate → summarise'

    Parameters
    ----------
    registry : SkillRegistry
        The skills.
    matcher : SkillMatcher, optional
        What finds those that fit a task; by default one over ``registry``.
    """

    def __init__(self, registry: SkillRegistry, *, matcher: SkillMatcher | None = None) -> None:
        self.registry = skills_in(registry)
        self.matcher = SkillMatcher(registry) if matcher is None else matcher

    def __repr__(self) -> str:
        return f"SkillComposer({self.registry!r})"

    def compose(self, names: Iterable[str]) -> SkillPipeline:
        """Put skills in a row; a name that is not known is left out, with a warning."""
        found = []
        for name in texts("names", names):
            skill = self.registry.get(name)
            if skill is None:
                hint = self.registry.suggestions(name)
                log.warning("skill %r not found%s: it is left out", name, hint)
            else:
                found.append(skill)
        return self._made(found)

    def compose_for_task(
        self, text: str, limit: int = 0, *, order: Literal["text", "score"] = "text"
    ) -> SkillPipeline:
        """Put the skills in a row that fit a task best.

        Parameters
        ----------
        text : str
            The task.
        limit : int
            How many at most; 0 means all.
        order : {"text", "score"}
            As the task first names what they do, or the one that fits best first.
        """
        if order not in ORDERS:
            raise InvalidValue(f"order must be one of {ORDERS}, got {order!r:.80}")
        found = self.matcher.match_skills(text, limit)
        if order == "text":  # sorting is stable, so that of equals the better comes first
            found.sort(key=lambda each: (each.first is None, each.first or 0))
        return self._made(each.skill for each in found)

    def _made(self, skills: Iterable[Skill]) -> SkillPipeline:
        stages = list(skills)
        handlers = {each.name: self.registry.handler(each.name) for each in stages}
        known = {name: handler for name, handler in handlers.items() if handler is not None}
        return SkillPipeline(stages, handlers=known)
