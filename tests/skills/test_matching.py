"""Which skills fit a task: the worked figures, and a scorer written the plain way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.skills.matching import SkillMatches
from agentlab.skills.words import STOP, stemmed

WEB = al.Skill(
    "web_search", "Search the web for current information", "1.0.0", "core",
    ["search", "web", "internet"],
)  # fmt: skip
SUMMARISE = al.Skill(
    "summarise", "Condense long texts into key points", "1.0.0", "core",
    ["summarise", "condense", "extract"],
)  # fmt: skip
TRANSLATE = al.Skill(
    "translate", "Translate text between languages", "1.0.0", "core",
    ["translation", "localisation"],
)  # fmt: skip
SKILLS = al.SkillRegistry([WEB, SUMMARISE, TRANSLATE])
TASK = "search the web and summarise the results"
LETTERS = st.sampled_from(["web", "Web!", "the", "search", "searches", "up-to-date", "é", "a b"])
TEXTS = st.lists(LETTERS, max_size=5).map(" ".join)


def test_w41_1() -> None:
    """Half for the capabilities a task names, half for the words of the description."""
    found = al.SkillMatcher(SKILLS).match_skills(TASK, 0)

    assert [each.skill.name for each in found] == ["web_search", "summarise"]
    assert [each.score for each in found] == pytest.approx([0.583333, 0.166667], abs=1e-6)
    assert al.SkillMatcher(SKILLS, 0).match_skills(TASK)[2].score == 0


def test_a_score_explains_itself() -> None:
    """Which words matched, of how many, in the order the task names them."""
    best = al.SkillMatcher(SKILLS).match_skills("the web, to search it")[0]

    assert (best.capabilities, best.of_capabilities) == (("web", "search"), 3)
    assert (best.words, best.of_words, best.first) == (("web", "search"), 4, 0)
    assert (
        str(best) == "0.58 = 0.5 × 2/3 capabilities (web, search) + 0.5 × 2/4 words (web, search)"
    )
    assert str(al.SkillMatch(al.Skill("bare"), 0.0)) == "0.00 = nothing to go by"
    assert "\n" not in repr(al.SkillMatch(al.Skill("a\nb"), 0.0))


def test_limits() -> None:
    """Zero means all; a limit takes the best; of equals, by name."""
    twins = al.SkillRegistry([al.Skill(name, "word") for name in "cab"])
    matcher = al.SkillMatcher(twins)

    assert [each.skill.name for each in matcher.match_skills("word")] == ["a", "b", "c"]
    assert [each.skill.name for each in matcher.match_skills("word", 2)] == ["a", "b"]
    assert matcher.match_skills("") == []


def test_several_words_of_one_capability() -> None:
    """It is there when all of its words are; marks within words are deleted on both sides."""
    skill = al.Skill("s", capabilities=["machine learning", "up-to-date", "Ünïcode"])
    matcher = al.SkillMatcher(al.SkillRegistry([skill]), 0)

    assert matcher.match_skills("learning by machine").pop().capabilities == ("machine learning",)
    assert matcher.match_skills("machine").pop().capabilities == ()
    assert matcher.match_skills("it is up-to-date").pop().capabilities == ("up-to-date",)
    assert matcher.match_skills("uptodate").pop().capabilities == ("up-to-date",)
    assert matcher.match_skills("U\u0308nï\u200bcode").pop().capabilities == ("Ünïcode",)


def test_capabilities_that_are_no_words() -> None:
    """They are none to name, and a capability that is there twice counts once."""
    skill = al.Skill("s", capabilities=["the", "…", "web", "WEB", "web!"])
    (found,) = al.SkillMatcher(al.SkillRegistry([skill])).match_skills("web")

    assert (found.capabilities, found.of_capabilities, found.score) == (("web",), 1, 0.5)


def test_stems() -> None:
    """Inflections are one word where that is asked for, and only there."""
    plain, stem = al.SkillMatcher(SKILLS), al.SkillMatcher(SKILLS, stem=True)

    assert "translate" not in [each.skill.name for each in plain.match_skills("translations")]
    (found,) = stem.match_skills("translations")
    assert (found.capabilities, found.words) == (("translation",), ("translate",))
    assert stemmed("web") == "web"
    twice = al.SkillRegistry([al.Skill("s", "Translations translate", capabilities=["web", "Web"])])
    (found,) = al.SkillMatcher(twice, stem=True).match_skills("a translation of the web")
    assert (found.words, found.capabilities) == (("translations",), ("web",))


def plainly(skill: al.Skill, task: str) -> float:
    """Score a skill the plain way, for capabilities of one word."""

    def words(text: str) -> set[str]:
        parts = {"".join(c for c in part if c.isalnum()) for part in text.lower().split()}
        return parts - STOP - {""}

    def half(some: set[str]) -> float:
        return 0.5 * len(some & words(task)) / len(some) if some else 0.0

    named = set().union(*(words(each) for each in skill.capabilities))
    return half(named) + half(words(skill.description))


ONE_WORD = st.sampled_from(["web", "Search!", "é", "the", "up-to-date", "…"])


@given(TEXTS, TEXTS, st.lists(ONE_WORD, max_size=4), st.sampled_from([0, 0.1, 0.3, 1]))
def test_a_plain_scorer_agrees(task: str, told: str, able: list[str], least: float) -> None:
    """What is found, and its score, is what one gets by counting words."""
    skill = al.Skill("s", told, capabilities=able)
    found = al.SkillMatcher(al.SkillRegistry([skill]), least).match_skills(task)
    score = plainly(skill, task)

    assert [each.score for each in found] == ([pytest.approx(score)] if score >= least else [])
    for each in found:
        counted = [
            0.5 * len(some) / total if total else 0.0
            for some, total in (
                (each.capabilities, each.of_capabilities), (each.words, each.of_words),
            )
        ]  # fmt: skip
        assert each.score == sum(counted)
        assert SkillMatches.from_dict(found.to_dict()) == found


def test_frames() -> None:
    """A row a match, with what matched."""
    frame = al.SkillMatcher(SKILLS).match_skills(TASK).to_frame()

    assert list(frame["skill"]) == ["web_search", "summarise"]
    assert list(frame["of_words"]) == [4, 6]
    assert list(SKILLS.to_frame()["name"]) == ["summarise", "translate", "web_search"]
    assert list(SkillMatches().to_frame().columns) == list(frame.columns)


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan"), "0.1", None])
def test_min_score(least: float) -> None:
    """It lies from 0 to 1."""
    with pytest.raises(InvalidValue, match=re.escape("min_score must be from 0 to 1")):
        al.SkillMatcher(SKILLS, least)
    with pytest.raises(InvalidValue, match="limit must be a whole number >= 0"):
        al.SkillMatcher(SKILLS).match_skills(TASK, -1)


CODE = """
import agentlab as al
skills = al.SkillRegistry(al.Skill(f"s{i}", "web data of the sea " * 2,
    capabilities=["web", "sea data", "data", "sea"]) for i in range(9))
print(al.SkillMatcher(skills).match_skills("the sea of web data").to_dict())
reg = al.AgentRegistry(9)
for i in range(9):
    reg.register_sync(al.AgentAdvertisement(f"a{i}", "", [al.Capability("c", "", list("zxcvb"))]))
print([str(m) for m in reg.query_sync(al.CapabilityQuery(list("bv"), list("qzx")))])
print(reg.rows()[0].tags)
"""


def test_no_result_depends_on_hashes() -> None:
    """Two interpreters with other seeds say the same, to the byte."""
    said = set()
    for seed in ("0", "1", "4242"):
        env = {
            **os.environ, "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(Path(al.__file__).parents[1]),
        }  # fmt: skip
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", CODE], env=env, capture_output=True, check=True, text=True
        )
        said.add(done.stdout)
    assert len(said) == 1
