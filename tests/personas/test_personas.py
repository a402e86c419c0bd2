"""Personas: what they are made of, what they make of a prompt, and finding them by name."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import InvalidValue, PersonaNotFound
from agentlab.personas.persona import MARKER

PIECES = st.sampled_from(
    ["[System]:", "[user ]:", "[ CONSTRAINT\n] :", "[", "]", ":", "\\", "System", "user", "\n", "é"]
)
HOSTILE = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)


def test_w40_1() -> None:
    """A built-in is applied by its name, an unknown one gives None, and others can be added."""
    personas = al.PersonaRegistry.with_builtins()
    told = personas.apply_named("coder", "implement binary search")

    assert told is not None
    assert told.startswith("[System]: ")
    assert told.endswith("[User]: implement binary search")
    assert told.count("\n[Constraint]: ") == len(personas["coder"].constraints) >= 2
    assert personas.apply_named("ghost", "boo") is None

    legal = al.PersonaBuilder().name("legal").tone(al.PersonaTone.Formal).build()
    personas.register(legal)
    assert personas.contains("legal")
    assert personas.get("legal") is legal
    assert personas.apply(legal, "Sue?") == "[User]: Sue?"


def test_the_built_in_ones() -> None:
    """They are five, each with its own words, tone and two or three constraints."""
    personas = al.PersonaRegistry.with_builtins()

    assert personas.list() == ["assistant", "coder", "critic", "researcher", "teacher"]
    assert {each.name: each.tone.value for each in personas} == {
        "assistant": "casual", "researcher": "formal", "coder": "technical", "critic": "concise",
        "teacher": "casual",
    }  # fmt: skip
    assert all(each.system_prompt and 2 <= len(each.constraints) <= 3 for each in personas)
    assert len({each.system_prompt for each in personas}) == 5


def test_tones() -> None:
    """There are five; formal is what a persona is that says nothing."""
    assert [*al.PersonaTone] == ["formal", "casual", "technical", "creative", "concise"]
    assert al.Persona("p").tone is al.PersonaTone.Formal
    assert al.PersonaBuilder().build().tone is al.PersonaTone.Formal


def test_the_builder() -> None:
    """It chains, and a persona without a name is called unnamed."""
    built = (
        al.PersonaBuilder()
        .name("poet")
        .role("writer")
        .tone("creative")
        .system_prompt("You rhyme.")
        .constraint("Four lines.")
        .constraints(["No prose."])
        .build()
    )

    tone = al.PersonaTone.Creative
    assert built == al.Persona("poet", "writer", tone, "You rhyme.", ["Four lines.", "No prose."])
    assert al.PersonaBuilder().name("").build().name == "unnamed"
    assert repr(al.PersonaBuilder()) == "<PersonaBuilder of <Persona 'unnamed', formal>>"


def test_the_same_name_replaces() -> None:
    """The one registered last is the one there is."""
    personas = al.PersonaRegistry([al.Persona("p", "old"), al.Persona("p", "new")])

    assert len(personas) == 1
    assert personas["p"].role == "new"
    assert not al.PersonaRegistry().list()
    assert al.PersonaRegistry()


def test_a_name_nobody_has() -> None:
    """The error is a KeyError, says what may be meant, and is of the kind not_found."""
    personas = al.PersonaRegistry.with_builtins()
    with pytest.raises(PersonaNotFound, match=re.escape("(did you mean 'teacher'?)")) as caught:
        _ = personas["techer"]

    assert isinstance(caught.value, KeyError)
    assert caught.value.kind == "not_found"
    assert personas.suggestions("techer") == " (did you mean 'teacher'?)"


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nobody_fakes_a_line(prompt: str, system: str, constraint: str) -> None:
    """However a text is written, only we write marks: each is one of a line of ours."""
    told = al.Persona("p", "", al.PersonaTone.Formal, system, [constraint]).apply(prompt)
    marks = [mark for mark, text in zip("SCU", (system, constraint, prompt), strict=True) if text]

    assert [found[1][1].upper() for found in MARKER.finditer(told)] == marks


def test_around() -> None:
    """Own words, those of the settings, tone, constraints; what is not there leaves no gap."""
    persona = al.Persona("p", "", al.PersonaTone.Concise, "Be kind.", ["No lies.", "No haste."])

    assert persona.around("You are an agent.") == (
        "Be kind.\n\nYou are an agent.\n\n"
        "Tone: concise\nConstraint: No lies.\nConstraint: No haste."
    )
    assert al.Persona("p").around("") == "Tone: formal"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: al.Persona(""), "a persona's name must be a name, got ''"),
        (lambda: al.Persona(3), "must be a name, got 3"),  # type: ignore[arg-type]
        (lambda: al.Persona("p", "", "angry"), "tone must be one of"),  # type: ignore[arg-type]
        (lambda: al.Persona("p", constraints="one"), "several texts, got 'one'"),
        (lambda: al.Persona("p", constraints=[1]), "each of constraints"),  # type: ignore[list-item]
        (lambda: al.PersonaBuilder().tone("angry"), "got 'angry'"),
        (lambda: al.PersonaRegistry(["coder"]), "got 'coder'"),  # type: ignore[list-item]
        (lambda: al.PersonaRegistry()[3], "found by its name, got 3"),  # type: ignore[index]
        (lambda: al.Persona("p").apply(3), "prompt must be text, got 3"),  # type: ignore[arg-type]
    ],
)
def test_what_can_never_be_right(wrong: Any, why: str) -> None:
    """It is refused where it is said, with its value."""
    with pytest.raises(InvalidValue, match=re.escape(why)):
        wrong()


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("personas", "Persona PersonaBuilder PersonaRegistry PersonaScope PersonaTone"),
        ("skills", "Skill SkillLoader SkillMatch SkillMatcher SkillPipeline SkillRegistry"),
        ("teams.discovery", "AgentAdvertisement AgentHealth AgentRegistry Capability"),
        ("teams.discovery", "CapabilityMatch CapabilityQuery"),
    ],
)  # fmt: skip
def test_where_they_are(module: str, names: str) -> None:
    """The module that the reference's names map to has the very things the front door has."""
    there = import_module(f"agentlab.{module}")

    assert all(getattr(there, name) is getattr(al, name) for name in names.split())
    assert set(names.split()) <= set(there.__all__)


def test_plain_forms() -> None:
    """A persona goes through JSON and comes back equal; a frame has a row a persona."""
    personas = al.PersonaRegistry.with_builtins()

    assert all(al.Persona.from_dict(each.to_dict()) == each for each in personas)
    frame = personas.to_frame()
    assert list(frame["name"]) == personas.list()
    assert list(frame.columns) == ["name", "role", "tone", "system_prompt", "constraints"]
