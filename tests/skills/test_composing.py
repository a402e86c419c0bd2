"""Skills in a row: which, in which order, and what happens when it runs."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

import agentlab as al
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured, OrchestrationError
from tests.skills.test_matching import SKILLS, SUMMARISE, TRANSLATE

BOTH = "translate and summarise a document"


def test_w41_2() -> None:
    """Names become stages in their order."""
    pipeline = al.SkillComposer(SKILLS).compose(["web_search", "summarise"])

    assert pipeline.description == "Pipeline: web_search → summarise"
    assert pipeline.stage_names() == ["web_search", "summarise"]


def test_w41_3() -> None:
    """A task's words give the order, and the score only where that is asked for."""
    composer = al.SkillComposer(SKILLS)
    found = composer.matcher.match_skills(BOTH, 2)

    assert [each.skill.name for each in found] == ["summarise", "translate"]
    assert [each.score for each in found] == pytest.approx([0.166667, 0.125], abs=1e-6)
    stages = composer.compose_for_task(BOTH, 2).stage_names()
    assert stages == ["translate", "summarise"]
    stages = composer.compose_for_task(BOTH, 2, order="score").stage_names()
    assert stages == ["summarise", "translate"]
    assert composer.compose_for_task(BOTH, 1).stage_names() == ["summarise"]


def test_names_nobody_has(caplog: pytest.LogCaptureFixture) -> None:
    """They are left out, with a warning that says what may be meant."""
    with caplog.at_level(logging.WARNING, "agentlab.skills"):
        pipeline = al.SkillComposer(SKILLS).compose(["summarize", "translate"])

    assert pipeline.stage_names() == ["translate"]
    assert "skill 'summarize' not found (did you mean 'summarise'?)" in caplog.text


def test_nothing_fits() -> None:
    """The pipeline is empty, and says so."""
    pipeline = al.SkillComposer(SKILLS).compose_for_task("bake a cake")

    assert pipeline.description == "Empty pipeline (no matching skills found)"
    assert not pipeline.stage_names()
    assert pipeline.run_sync("as it was") == "as it was"


def test_run() -> None:
    """Each stage gets what the one before it gave, async or plain."""

    async def shorten(text: str) -> str:
        await asyncio.sleep(0)
        return text[:5]

    pipeline = al.SkillPipeline([TRANSLATE, SUMMARISE])
    pipeline.bind("summarise", shorten).bind("translate", str.upper)

    assert pipeline.run_sync("guten tag") == "GUTEN"
    output, traces = pipeline.run_traced_sync("guten tag")
    assert (output, [each.name for each in traces]) == ("GUTEN", ["translate", "summarise"])
    assert not pipeline.unbound()


def test_what_nothing_does() -> None:
    """It is said before anything runs, with how to say it."""
    ran: list[str] = []

    def translate(text: str) -> str:
        ran.append(text)
        return text

    pipeline = al.SkillComposer(SKILLS).compose(["translate", "summarise"])
    pipeline.bind("translate", translate)
    with pytest.raises(NotConfigured, match=re.escape("pipeline.bind('summarise', function)")):
        pipeline.run_sync("hallo")

    assert not ran
    assert pipeline.unbound() == ["summarise"]
    with pytest.raises(InvalidValue, match=re.escape("(did you mean 'translate'?)")):
        pipeline.bind("trnslate", str.upper)
    with pytest.raises(InvalidValue, match="must be a function"):
        pipeline.bind("translate", "upper")  # type: ignore[arg-type]


def test_what_the_registry_binds() -> None:
    """Every pipeline composed from then on has it, and may have another."""
    skills = al.SkillRegistry([al.Skill("shout", "Shout it")]).bind("shout", str.upper)
    pipeline = al.SkillComposer(skills).compose_for_task("shout it")

    assert pipeline.run_sync("hi") == "HI"
    assert pipeline.bind("shout", str.title).run_sync("hi") == "Hi"
    assert al.SkillComposer(skills).compose(["shout"]).run_sync("hi") == "HI"


def test_policies() -> None:
    """A stage may be tried again, as in any pipeline; what fails for good names its stage."""
    tries: list[str] = []

    def flaky(text: str) -> str:
        tries.append(text)
        if len(tries) < 3:
            raise ConnectionError("down")
        return text

    retry = al.RetryPolicy.constant(3, 1, clock=FakeClock())
    pipeline = al.SkillPipeline([TRANSLATE]).bind("translate", flaky, retry=retry)
    assert pipeline.run_sync("hi") == "hi"
    assert len(tries) == 3

    def broken(_: str) -> str:
        raise ValueError("no such language")

    with pytest.raises(OrchestrationError, match="stage 'translate': ValueError: no such language"):
        pipeline.bind("translate", broken).run_sync("hi")


def test_arguments() -> None:
    """One name is not several, and there are two orders."""
    with pytest.raises(InvalidValue, match="several texts, got 'translate'"):
        al.SkillComposer(SKILLS).compose("translate")
    with pytest.raises(InvalidValue, match="order must be one of"):
        al.SkillComposer(SKILLS).compose_for_task("x", order="name")  # type: ignore[arg-type]


def test_frame() -> None:
    """A row a stage, with what does it."""
    frame = al.SkillPipeline([TRANSLATE], handlers={"translate": str.upper}).to_frame()

    assert frame.to_dict("records") == [
        {"name": "translate", "description": TRANSLATE.description, "version": "1.0.0",
         "handler": "upper"},
    ]  # fmt: skip
