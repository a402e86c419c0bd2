"""Skills by name: what they are made of, and which version is the newer."""

from __future__ import annotations

import re
from typing import Any

import pytest

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.skills.registry import SkillNotFound


def test_a_skill() -> None:
    """Only a name is needed; it goes through JSON and comes back equal."""
    skill = al.Skill("web_search", "Search the web", "1.2", "core", ["search", "web"])

    assert al.Skill("s") == al.Skill("s", "", "0.1.0", "", ())
    assert al.Skill.from_dict(skill.to_dict()) == skill
    assert skill.capabilities == ("search", "web")


def test_by_name() -> None:
    """The same name replaces; they are listed by name, and counted; one is found, or None."""
    skills = al.SkillRegistry([al.Skill("b"), al.Skill("a"), al.Skill("b", "new")])

    assert [each.name for each in skills.all()] == [each.name for each in skills] == ["a", "b"]
    assert len(skills) == 2
    assert "a" in skills
    assert skills["b"] == skills.get("b") == al.Skill("b", "new")
    assert skills.get("c") is None
    assert skills.deregister("a")
    assert not skills.deregister("a")
    assert len(skills) == 1
    assert al.SkillRegistry()


@pytest.mark.parametrize(
    ("old", "new", "newer"),
    [
        ("1.9", "1.10", True), ("1.10", "1.9", False), ("1.0", "1.0", False),
        ("1.0.0-beta.2", "1.0.0", True), ("1.0.0", "1.0.0-beta.2", False),
        ("1.0.0-alpha", "1.0.0-beta", True), ("v1.0", "1.0.1", True), ("2", "10", True),
        ("nonsense", "0.0.1", True), ("1.0", "1.0.post1", True),
    ],
)  # fmt: skip
def test_if_newer(old: str, new: str, newer: bool) -> None:  # noqa: FBT001 - a column of a table
    """Versions are compared as versions; what is none is older than any."""
    skills = al.SkillRegistry([al.Skill("s", version=old)])

    assert skills.register(al.Skill("s", version=new), if_newer=True) is newer
    assert skills["s"].version == (new if newer else old)
    assert skills.register(al.Skill("s", version="0"))
    assert skills.register(al.Skill("t", version=new), if_newer=True)


@pytest.mark.parametrize("version", ["latest", "", "1." + "9" * 5000])
def test_what_is_no_version_cannot_be_newer(version: str) -> None:
    """It is refused, and nothing is changed."""
    skills = al.SkillRegistry([al.Skill("s")])
    with pytest.raises(InvalidValue, match="if_newer needs a version such as"):
        skills.register(al.Skill("s", version=version), if_newer=True)
    assert skills["s"].version == "0.1.0"


def test_bind() -> None:
    """What does a skill is known by its name, until it is taken out."""
    skills = al.SkillRegistry([al.Skill("shout")]).bind("shout", str.upper)

    assert skills.handler("shout") is str.upper
    with pytest.raises(SkillNotFound, match=re.escape("'shuot' not found (did you mean 'shout'?)")):
        skills.bind("shuot", str.upper)
    skills.deregister("shout")
    assert skills.handler("shout") is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: al.Skill(""), "a skill's name must be a name, got ''"),
        (lambda: al.Skill("s", 3), "description must be text, got 3"),  # type: ignore[arg-type]
        (lambda: al.Skill("s", capabilities="web"), "several texts, got 'web'"),
        (lambda: al.SkillRegistry(["s"]), "must be a Skill, got 's'"),  # type: ignore[list-item]
        (lambda: al.SkillRegistry([al.Skill("s")]).bind("s", "x"), "must be a function, got 'x'"),  # type: ignore[arg-type]
    ],
)
def test_what_can_never_be_right(wrong: Any, why: str) -> None:
    """It is refused where it is said, with its value."""
    with pytest.raises(InvalidValue, match=re.escape(why)):
        wrong()
