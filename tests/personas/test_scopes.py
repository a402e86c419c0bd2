"""A persona from here to there: what the runs within are told, and who else hears nothing of it."""

from __future__ import annotations

import ast
import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentlab as al
from agentlab.core.drive import begin
from agentlab.core.errors import InvalidValue, PersonaNotFound
from agentlab.core.events import Asked
from agentlab.core.run import Run
from agentlab.personas.scope import PersonaScopeError
from agentlab.strategies.react import Outcome

PACKAGE = Path(al.__file__).parent
DONE = "Thought: t\nAction: FINAL_ANSWER done"
YOURS = "You are terse."


def lab(*replies: str, **settings: Any) -> al.AgentRuntime:
    """Give a runtime whose model knows its lines."""
    given = {"system_prompt": YOURS, **settings}
    return al.AgentRuntime(al.ScriptedModel(*(replies or (DONE,) * 40)), **given)


def systems(session: al.AgentSession) -> list[str]:
    """Give the system text of the first question of each run of a tree."""
    assert session.trace
    first: dict[str, str] = {}
    for entry in session.trace.entries:
        if isinstance(entry.event, Asked):
            first.setdefault(entry.run, entry.event.system or "")
    return list(first.values())


def told(name: str) -> str:
    """Give the system prompt that a built-in persona makes of ours."""
    return al.PersonaRegistry.with_builtins()[name].around(YOURS)


def test_what_a_run_is_told() -> None:
    """Within the block the persona's words, ours, the tone and the constraints, in that order."""
    runtime = lab()
    with runtime.with_persona("coder") as scope:
        within = runtime.run_sync("?")
        assert runtime.persona() is scope.persona()
    after = runtime.run_sync("?")

    assert scope.persona().name == "coder"
    assert systems(within) == [told("coder")]
    assert systems(after) == [YOURS]
    assert "Tone: technical\nConstraint: " in told("coder")
    assert runtime.persona() is None


def test_every_way_to_run() -> None:
    """ReAct, streaming, one's own ``infer``, a child runtime and a strategy that asks plainly."""

    class Plain:
        strategy_name = "plain"

        async def __call__(self, run: Run, goal: str, /) -> Outcome:
            return Outcome((await run.ask(goal)).text)

    runtime, coder = lab(), al.PersonaRegistry.with_builtins()["coder"]
    with runtime.with_persona("coder"):
        sessions = [
            runtime.run_sync("?"),
            runtime.run_sync("?", strategy=al.StreamingReAct()),
            runtime.run_agent_sync("a", "?", lambda _: DONE),
            runtime.run_sync("?", strategy=lab()),
        ]
        plain = runtime.run_sync("?", strategy=Plain())

    assert [systems(each)[-1] for each in sessions] == [told("coder")] * 4
    assert systems(plain) == [coder.around("")]


def test_tools_come_after() -> None:
    """The section on tools ends the system text, as it does without a persona."""
    runtime = lab(tools=[al.calculator])
    with runtime.with_persona("critic"):
        (system,) = systems(runtime.run_sync("?"))

    assert system.startswith(told("critic") + "\n\nTools:\n- calculator")


def test_a_child_with_a_persona_of_its_own() -> None:
    """It keeps that; one without has its parent's."""
    child, runtime = lab(persona="teacher"), lab(persona="coder")
    session = runtime.run_sync("?", strategy=child)
    with child.with_persona("critic"):
        inner = runtime.run_sync("?", strategy=child)

    assert systems(session) == [told("teacher")]
    assert systems(inner) == [told("critic")]
    assert systems(runtime.run_sync("?", strategy=lab())) == [told("coder")]


def test_a_child_of_a_run_may_be_given_one() -> None:
    """A text or a persona, for all that the child is told; what is shared stays as it was."""
    run, _ = begin(agent="a", model=al.ScriptedModel("x"), config=al.AgentConfig(1, "m", YOURS))
    poet = al.Persona("poet", system_prompt="You rhyme.")

    assert run.system_prompt == YOURS
    assert run.child("b", persona=poet).system_prompt == poet.around(YOURS)
    assert run.child("b", persona=poet).child("c").system_prompt == poet.around(YOURS)
    assert run.child("b", persona="Be brief.").system_prompt == f"Be brief.\n\n{YOURS}"


def test_w40_2() -> None:
    """Nested scopes restore in order, also after an exception."""
    runtime, seen = lab(), list[str | None]()

    def note() -> None:
        persona = runtime.persona()
        seen.append(persona.name if persona else None)

    def fail() -> None:
        with runtime.with_persona("critic"):
            with runtime.with_persona("teacher"):
                note()
            note()
            raise KeyError

    with runtime.with_persona("coder"):
        with pytest.raises(KeyError):
            fail()
        note()
    note()

    assert seen == ["teacher", "critic", "coder", None]


def test_out_of_order() -> None:
    """Ending the outer one first is an error that changes nothing; in order both end."""
    runtime = lab()
    outer, inner = runtime.with_persona("coder"), runtime.with_persona("critic")
    with pytest.raises(PersonaScopeError, match="did not begin in this task"):
        outer.__exit__()
    outer.__enter__()
    inner.__enter__()
    with pytest.raises(PersonaScopeError, match="'coder' ends before that of 'critic'"):
        outer.__exit__()
    with pytest.raises(PersonaScopeError, match="'critic' has begun already"):
        inner.__enter__()
    assert runtime.persona() is inner.persona()
    assert "active" in repr(inner)
    inner.__exit__()
    outer.__exit__()
    assert runtime.persona() is None
    assert "not entered" in repr(inner)


def test_two_runtimes() -> None:
    """The scope of one says nothing to the other, and need not end before the other's."""
    one, other = lab(), lab()
    first, second = one.with_persona("coder"), other.with_persona("critic")
    first.__enter__()
    second.__enter__()
    assert (one.persona(), other.persona()) == (first.persona(), second.persona())
    first.__exit__()
    assert (one.persona(), other.persona()) == (None, second.persona())
    second.__exit__()


def test_names() -> None:
    """An unknown one raises at once and says what may be meant; ``try_persona`` gives None."""
    runtime = lab()
    with pytest.raises(PersonaNotFound, match=r"'codr' not found \(did you mean 'coder'\?\)"):
        runtime.with_persona("codr")
    assert runtime.try_persona("ghost") is None
    scope = runtime.try_persona("coder")
    assert scope is not None
    with scope:
        assert systems(runtime.run_sync("?")) == [told("coder")]
    with pytest.raises(InvalidValue, match="got None"):
        runtime.with_persona(None)  # type: ignore[arg-type]


def test_always() -> None:
    """``persona=`` applies to every run; a scope takes its place, and gives it back."""
    poet = al.Persona("poet", system_prompt="You rhyme.")
    runtime = lab(persona=poet)

    assert systems(runtime.run_sync("?")) == [poet.around(YOURS)]
    with runtime.with_persona("coder"):
        assert systems(runtime.run_sync("?")) == [told("coder")]
    assert runtime.persona() is poet
    assert systems(lab(persona="critic").run_sync("?")) == [told("critic")]
    with pytest.raises(PersonaNotFound):
        lab(persona="ghost")


def test_a_registry_of_ones_own() -> None:
    """The builder and the keyword take it; what is registered later is found; runtimes compare."""
    personas = al.PersonaRegistry()
    runtime = lab(persona_registry=personas)
    config = al.AgentConfig(3, "m")
    built = al.AgentRuntime.builder().with_persona_registry(personas).with_agent_config(config)

    assert built.build().persona_registry() is runtime.persona_registry() is personas
    assert built.build() == al.AgentRuntime(config=config, persona_registry=personas)
    assert built.build() != al.AgentRuntime(config=config)
    assert runtime.try_persona("coder") is None
    personas.register(al.Persona("coder", system_prompt="Ours."))
    with runtime.with_persona("coder"):
        assert systems(runtime.run_sync("?"))[0].startswith("Ours.")
    with pytest.raises(InvalidValue, match="persona_registry must be a PersonaRegistry, got"):
        lab(persona_registry={})


def test_a_handle_keeps_its_persona() -> None:
    """It was started within the block and ends after it; so do children that begin later."""
    go: list[asyncio.Event] = []

    async def infer(_: str) -> str:
        await go[0].wait()
        return DONE

    async def play(*, background: bool) -> al.AgentSession:
        go[:] = [asyncio.Event()]
        if background:
            go[0].set()
        runtime = al.AgentRuntime(infer, system_prompt=YOURS)
        with runtime.with_persona("coder"):
            handle = runtime.start("?", strategy=runtime, background=background)
        assert runtime.persona() is None
        go[0].set()
        return await handle

    for background in (False, True):
        session = asyncio.run(play(background=background))
        assert systems(session) == [told("coder")]


def test_many_tasks() -> None:
    """Whatever happens at once, each run's first question carries its own persona and no other."""
    names, chance = al.PersonaRegistry.with_builtins().list(), random.Random(4)  # noqa: S311
    runtime = al.AgentRuntime(system_prompt=YOURS)

    async def infer(_: str) -> str:
        await asyncio.sleep(chance.random() / 200)
        return DONE

    async def play(depth: int) -> list[tuple[str, str]]:
        found, name = [], chance.choice([*names, ""])
        if not name:
            session = await runtime.run_agent("a", "?", infer)
            return [(systems(session)[0], YOURS if depth == 0 else "")]
        with runtime.with_persona(name):
            await asyncio.sleep(chance.random() / 200)
            session = await runtime.run_agent("a", "?", infer)
            found.append((systems(session)[0], told(name)))
            if depth < 3:
                inner = asyncio.gather(*(play(depth + 1) for _ in range(2)))
                within = [pair for pairs in await inner for pair in pairs]
                found += [(got, wanted or told(name)) for got, wanted in within]
            session = await runtime.run_agent("a", "?", infer)
            found.append((systems(session)[0], told(name)))
        return found

    async def all_of_them() -> list[tuple[str, str]]:
        done = await asyncio.gather(*(play(0) for _ in range(40)))
        return [pair for pairs in done for pair in pairs]

    pairs = asyncio.run(all_of_them())
    assert len(pairs) > 100
    assert len({wanted for _, wanted in pairs}) == 6
    assert [got for got, _ in pairs] == [wanted for _, wanted in pairs]
    assert runtime.persona() is None


def attributes(path: Path) -> Iterator[str]:
    """Give each dotted name a module reads."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


@pytest.mark.parametrize("folder", ["strategies", "teams"])
def test_one_place_composes(folder: str) -> None:
    """No strategy reads the settings' system prompt past the run, which has the persona in it."""
    for path in (PACKAGE / folder).glob("*.py"):
        assert "run.config.system_prompt" not in set(attributes(path)), path
