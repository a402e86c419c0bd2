"""Whatever is handed to a public door that takes another thing: an error of ours, or a value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import agentlab as al
from agentlab.core.approval import Approvals
from agentlab.core.review import verdict_of
from agentlab.skills.loader import SkillLoader
from agentlab.tools.isolated import Isolated, Limits
from agentlab.tools.permissions import ToolManifest, ToolPermission
from agentlab.tools.sandbox import Sandbox, SandboxConfig

ODD: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", "\ud800", "x\x00y", "x" * 9999,
    b"x", [], [1], [[1]], {}, {"a": [1]}, {1}, (None,), object(), int, lambda: 1,
]  # fmt: skip


def skills() -> al.SkillRegistry:
    """Make some skills."""
    return al.SkillRegistry([al.Skill("a", capabilities=["a"]), al.Skill("b")])


def personas() -> al.PersonaRegistry:
    """Make the usual personas."""
    return al.PersonaRegistry.with_builtins()


def lab(**how: Any) -> al.AgentRuntime:
    """Make a runtime."""
    return al.AgentRuntime(al.ScriptedModel("Thought: t\nAction: FINAL_ANSWER 1"), **how)


def fields(
    kind: Callable[..., Any], names: Iterable[str], **given: Any
) -> dict[str, Callable[[Any], object]]:
    """Give a door a field."""

    def door(name: str) -> Callable[[Any], object]:
        return lambda x: kind(**{**given, name: x})

    return {f"{kind.__name__}.{name}": door(name) for name in names}


DOORS: dict[str, Callable[[Any], object]] = {
    "Sandbox": Sandbox,
    "Sandbox.grant": lambda x: Sandbox().grant(x),
    "Sandbox.grant_all": lambda x: Sandbox().grant_all(x),
    "Sandbox.revoke": lambda x: Sandbox().revoke(x),
    "Sandbox.scoped": lambda x: Sandbox().scoped(x).__enter__(),
    "Sandbox.register_tool": lambda x: Sandbox().register_tool(x),
    "Sandbox.check": lambda x: Sandbox().check(x),
    "Sandbox.enter": lambda x: Sandbox().enter("t", x),
    "SandboxConfig": SandboxConfig,
    "ToolManifest": ToolManifest,
    "ToolManifest.required": lambda x: ToolManifest("t", x),
    "ToolManifest.description": lambda x: ToolManifest("t", (), x),
    "ToolPermission": ToolPermission,
    "ToolPermission.Custom": ToolPermission.Custom,
    "tool(permissions=)": lambda x: al.tool(permissions=x)(lambda a: a),
    "tool(isolated=)": lambda x: al.tool(isolated=x)(lambda a: a),
    "Isolated": Isolated,
    "Isolated.limits": lambda x: Isolated(lambda a: a, x),
    **fields(Limits, Limits.__dataclass_fields__),
    **fields(al.Persona, al.Persona.__struct_fields__, name="a"),
    "PersonaRegistry": al.PersonaRegistry,
    "PersonaRegistry.register": lambda x: personas().register(x),
    "PersonaRegistry.get": lambda x: personas().get(x),
    "PersonaRegistry[]": lambda x: personas()[x],
    "PersonaRegistry.contains": lambda x: personas().contains(x),
    "PersonaRegistry.suggestions": lambda x: personas().suggestions(x),
    "PersonaRegistry.apply": lambda x: personas().apply(x, "p"),
    "PersonaRegistry.apply_named": lambda x: personas().apply_named(x, "p"),
    "with_persona": lambda x: lab().with_persona(x),
    "try_persona": lambda x: lab().try_persona(x),
    "AgentRuntime(persona=)": lambda x: lab(persona=x),
    "AgentRuntime(sandbox=)": lambda x: lab(sandbox=x),
    **fields(al.Skill, al.Skill.__struct_fields__, name="a"),
    "SkillRegistry": al.SkillRegistry,
    "SkillRegistry[]": lambda x: skills()[x],
    "SkillRegistry.get": lambda x: skills().get(x),
    "SkillRegistry.deregister": lambda x: skills().deregister(x),
    "SkillRegistry.bind": lambda x: skills().bind(x, str),
    "SkillRegistry.handler": lambda x: skills().handler(x),
    "SkillMatcher": al.SkillMatcher,
    "SkillMatcher.match_skills": lambda x: al.SkillMatcher(skills()).match_skills(x),
    "SkillComposer": al.SkillComposer,
    "SkillComposer.compose": lambda x: al.SkillComposer(skills()).compose(x),
    "SkillComposer.compose_for_task": lambda x: al.SkillComposer(skills()).compose_for_task(x),
    "SkillPipeline": al.SkillPipeline,
    "SkillPipeline.handlers": lambda x: al.SkillPipeline([al.Skill("a")], handlers=x),
    "SkillPipeline.bind": lambda x: al.SkillPipeline([al.Skill("a")]).bind(x, str),
    "SkillLoader": lambda x: SkillLoader(x).load_into(skills()),
    "approve=": lambda x: lab().run_sync("?", approve=x),
    "answer": lambda x: Approvals(asks=True).answer(x, decision=True),
    "answer's decision": verdict_of,
    "Edit": lambda x: verdict_of(al.Edit(x)),
    "Refuse": lambda x: verdict_of(al.Refuse(x)),
}


@pytest.mark.parametrize("door", DOORS)
def test_each_door(door: str, caplog: pytest.LogCaptureFixture) -> None:
    """Takes it, or says so in a sentence; and what it makes of it can be shown."""
    caplog.set_level(logging.CRITICAL, "agentlab")
    for odd in ODD:
        try:
            made = DOORS[door](odd)
        except al.AgentLabError as error:
            made = error
        assert str(made) + repr(made)
