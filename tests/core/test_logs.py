"""The log hears of runs, if anybody wants to."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.logs import configure, listen
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.strategies.loop import ReActLoop
from agentlab.tools.spec import tool

SCRIPT = (
    'Thought: t\nAction: double {"n": 21}',
    "Thought: t\nAction: FINAL_ANSWER sk-" + "a1b2" * 6,
)


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def test_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Each record says which run, agent, step and tool it is about; keys are not in it."""
    with caplog.at_level(logging.DEBUG, "agentlab"):
        AgentRuntime(ScriptedModel(*SCRIPT), tools=[double]).run_sync("?", agent="ann")
    said = [vars(record) for record in caplog.records if record.name == "agentlab.run"]

    assert {record["agent"] for record in said} == {"ann"}
    assert len({record["run"] for record in said}) == 1
    assert [r["step"] for r in said if r["tool"] == "double"] == [0, 0]
    assert "double ok" in caplog.text
    assert "ended (final_answer): ***" in caplog.text


def test_silent_unless_asked() -> None:
    """No sink, no handler, nothing on stderr."""
    assert listen() == []


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [("info", True), ("run=info", True), ("agentlab.run=debug", True), ("models=debug", False)],
)
def test_the_variable(wanted: str, *, heard: bool) -> None:
    """A level for all, or a level by part."""
    code = (
        "import agentlab as al\n"
        "al.AgentRuntime(al.ScriptedModel('Action: FINAL_ANSWER 42')).run_sync('?')"
    )
    ran = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env={"AGENTLAB_LOG": wanted},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("INFO agentlab.run: agent: ended (final_answer): 42" in ran.stderr) is heard


def test_a_level_that_is_none() -> None:
    """Is refused with the value."""
    with pytest.raises(InvalidValue, match=r"AGENTLAB_LOG must be a level .* got .loud."):
        configure("loud")


def test_a_loop_without_a_runtime_logs_too(caplog: pytest.LogCaptureFixture) -> None:
    """It is the same trace."""
    with caplog.at_level(logging.INFO, "agentlab"):
        ReActLoop(AgentConfig(2, "m")).run_sync("?", ScriptedModel("Action: FINAL_ANSWER 42"))

    assert "ended (final_answer): 42" in caplog.text
