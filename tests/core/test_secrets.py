"""Keys are never seen."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core import lines
from agentlab.core.errors import InvalidValue
from agentlab.core.secrets import Secret, scrub

CANARY = "canary-7f3a9b1c5d2e"


def test_a_secret_prints_stars() -> None:
    """However it is printed; only ``reveal`` gives it."""
    key = Secret(CANARY)
    shown = [str(key), repr(key), f"{key}", f"{key!r:>20}", json.dumps(str(key)), "%s" % key]  # noqa: UP031 - one more way

    assert all(CANARY not in text and "***" in text for text in shown)
    assert key.reveal() == CANARY
    assert key == Secret(CANARY) != Secret("another-key-9")


def test_a_secret_stays_in_the_process() -> None:
    """It is neither pickled nor empty."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(Secret(CANARY))
    with pytest.raises(InvalidValue):
        Secret("")


def test_a_traceback_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    """Nor does a log that was given the object."""
    key = Secret(CANARY)
    try:
        raise ValueError(key)  # noqa: TRY301 - raised to be looked at
    except ValueError:
        text = traceback.format_exc()
    with caplog.at_level(logging.INFO):
        logging.getLogger("agentlab").info("key %s", key)

    assert CANARY not in text + caplog.text


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-" + "a1B2" * 6,
        "sk-proj-" + "a1B2" * 6,
        "ghp_abcdefghijklmnopqrstuvwxyz012345",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijklmnopqrstuvwx",
    ],
)
def test_what_looks_like_a_key_is_scrubbed(key: str) -> None:
    """Also where nobody said it is one."""
    assert scrub(f"my key is {key}, ok?") == "my key is ***, ok?"


def test_keys_of_the_environment_are_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they look like."""
    monkeypatch.setenv("SOMEONES_API_KEY", "just some words")

    assert scrub("I said just some words.") == "I said ***."


@pytest.mark.parametrize("text", ["", "risk-free", "ask-me", "Bearer of news", "sk-short", "é" * 9])
def test_words_are_left_alone(text: str) -> None:
    """Most text has no key in it."""
    assert scrub(text) == text


@given(st.text(alphabet='ab"\\\n1{}', max_size=20), st.text(alphabet="xyz", max_size=5))
def test_a_record_stays_json(before: str, after: str) -> None:
    """A key may be anywhere in any text of it, and may itself need escapes."""
    secret = Secret('we"ird\\key-' + CANARY).reveal()
    record = lines.record({"a": [before + secret + after, 12345678], before + secret: 1})

    assert CANARY.encode() not in record
    assert json.loads(record)["a"] == [before + "***" + after, 12345678]


def test_the_environment_is_looked_at_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is set, changed or taken away counts at once; what looks odd in JSON too."""
    assert scrub("opensesame-1") == "opensesame-1"
    monkeypatch.setenv("CAVE_API_KEY", "opensesame-1")
    assert scrub("opensesame-1") == "***"
    monkeypatch.setenv("CAVE_API_KEY", 'open"sesame\\2')
    assert scrub("opensesame-1") == "opensesame-1"
    assert lines.record({"a": 'open"sesame\\2'}) == b'{"a":"***"}'
    monkeypatch.delenv("CAVE_API_KEY")
    assert scrub('open"sesame\\2') == 'open"sesame\\2'
