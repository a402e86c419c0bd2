"""The settings of a run."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue


def test_w2_1() -> None:
    """Exactly the documented defaults; a ``with_`` method leaves the first one as it was."""
    config = AgentConfig(5, "m")
    assert (config.max_iterations, config.model) == (5, "m")
    assert config.system_prompt == "You are a helpful AI agent."
    assert (config.max_memory_recalls, config.max_memory_tokens) == (3, None)
    assert (config.stop_sequences, config.loop_timeout_ms) == ((), None)
    assert (config.max_context_chars, config.step_timeout_ms) == (None, None)
    assert (config.strict, config.on_parse_error) == (False, "observe")
    assert (config.max_observation_chars, config.inject_tool_docs) == (20_000, True)
    assert (config.temperature, config.seed, config.max_tokens) == (None, None, None)
    assert config.profile is None

    changed = config.with_system_prompt("x")
    assert (changed.system_prompt, config.system_prompt) == ("x", "You are a helpful AI agent.")
    with pytest.raises(FrozenInstanceError):
        config.model = "n"  # type: ignore[misc]


def test_with_methods() -> None:
    """One for each setting the reference names."""
    config = (
        AgentConfig(5, "m")
        .with_max_memory_recalls(1)
        .with_max_memory_tokens(100)
        .with_stop_sequences(["\nUser:"])
        .with_loop_timeout_ms(500)
    )
    assert config == AgentConfig(
        5,
        "m",
        max_memory_recalls=1,
        max_memory_tokens=100,
        stop_sequences=("\nUser:",),
        loop_timeout_ms=500,
    )


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"max_iterations": 0}, "max_iterations must be >= 1, got 0"),
        ({"max_iterations": True}, "max_iterations must be >= 1, got True"),
        ({"max_iterations": 2.5}, "max_iterations must be >= 1, got 2.5"),
        ({"model": ""}, "model must be a name, got ''"),
        ({"max_memory_recalls": -1}, "max_memory_recalls must be >= 0, got -1"),
        ({"loop_timeout_ms": 0}, "loop_timeout_ms must be >= 1, got 0"),
        ({"max_context_chars": -5}, "max_context_chars must be >= 1, got -5"),
        ({"temperature": float("nan")}, "temperature must be a number, got nan"),
        ({"temperature": -0.5}, "temperature must be >= 0, got -0.5"),
        ({"on_parse_error": "ignore"}, "got 'ignore'"),
        ({"temperature": "hot"}, "temperature must be a number, got 'hot'"),
        ({"temperature": True}, "temperature must be a number, got True"),
        ({"seed": "x"}, "seed must be a whole number, got 'x'"),
        ({"seed": 1.5}, "seed must be a whole number, got 1.5"),
        ({"system_prompt": None}, "system_prompt must be text, got None"),
        ({"profile": 5}, "profile must be text, got 5"),
        ({"stop_sequences": "\nUser:"}, "stop_sequences must be several texts"),
        ({"stop_sequences": None}, "stop_sequences must be several texts, got None"),
        ({"stop_sequences": ["x", 1]}, "each of stop_sequences must be text, got 1"),
        ({"stop_sequences": ["x", ""]}, "none of stop_sequences may be empty"),
    ],
)
def test_what_can_never_be_right(settings: dict[str, Any], text: str) -> None:
    """Is refused, by name and value, and by nothing but our own error."""
    with pytest.raises(InvalidValue) as caught:
        AgentConfig(**{"max_iterations": 5, "model": "m", **settings})
    assert text in str(caught.value)


def test_there_and_back() -> None:
    """Through plain JSON, and what an older file does not name has its default."""
    config = AgentConfig(5, "m", stop_sequences=("a",), seed=7, temperature=0.5)

    assert AgentConfig.from_dict(config.to_dict()) == config
    assert AgentConfig.from_dict({"max_iterations": 5, "model": "m"}) == AgentConfig(5, "m")
    assert config.options() == {"seed": 7, "temperature": 0.5}


def test_what_is_no_configuration() -> None:
    """Is refused by our own error, as whatever else can never be right."""
    for data in ({}, {"max_iterations": 1, "model": "m", "odd": 1}):
        with pytest.raises(InvalidValue, match="not the data of an AgentConfig"):
            AgentConfig.from_dict(data)


def test_texts_can_be_written_down() -> None:
    """A lone surrogate, which no file could hold, is replaced."""
    config = AgentConfig(1, "m\ud800", system_prompt="\ud800", stop_sequences=("\ud800",))
    assert (config.model, config.system_prompt) == ("m\ufffd", "\ufffd")
    assert config.stop_sequences == ("\ufffd",)
