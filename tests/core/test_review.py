"""What a reviewer may say, and what two of them come to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import ActionHook, Approve, Edit, Observation, Refuse, Verdict
from agentlab.core.review import both, review, verdict_of

ARGS = {"city": "Lyon"}


def said(hook: ActionHook | None) -> Verdict:
    """Ask a hook."""
    return asyncio.run(review(hook, "population", ARGS))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (True, Approve()),
        (False, Refuse()),
        (np.True_, Approve()),
        (np.False_, Refuse()),
        (Approve(), Approve()),
        (Refuse(" no "), Refuse("no")),
        (Edit(("a", 1)), Edit(["a", 1])),
    ],
)
def test_what_counts(answer: Any, verdict: Verdict) -> None:
    """Yes and no, of numpy too, and the three words; arguments become plain JSON."""
    assert verdict_of(answer) == verdict


@pytest.mark.parametrize("answer", [None, 1, "yes", {}, Approve, Refuse])
def test_anything_else_is_an_error(answer: Any) -> None:
    """That says what may be said, for who forgot to answer has not said yes."""
    with pytest.raises(InvalidValue, match=r"Refuse\(reason\), got"):
        verdict_of(answer)


def test_an_edit_that_is_no_json() -> None:
    """Is an error of its reviewer's."""
    with pytest.raises(InvalidValue, match="nan is not a JSON number"):
        verdict_of(Edit({"n": float("nan")}))


async def slow(_name: str, _args: Any) -> bool:
    """Take a while to say yes."""
    await asyncio.sleep(0)
    return True


def told(verdict: Any, heard: list[Any]) -> Callable[[str, Any], Any]:
    """Make a reviewer that says ``verdict`` and keeps what it saw."""

    def hook(_: str, args: Any) -> Any:
        heard.append(args)
        return verdict

    return hook


NICE, PARIS = Edit({"city": "Nice"}), Edit({"city": "Paris"})


@pytest.mark.parametrize(
    ("one", "other", "comes_to", "seen"),
    [
        (True, True, Approve(), [ARGS, ARGS]),
        (NICE, True, NICE, [ARGS, NICE.args]),
        (True, NICE, NICE, [ARGS, ARGS]),
        (NICE, PARIS, PARIS, [ARGS, NICE.args]),
        (NICE, Refuse("x"), Refuse("x"), [ARGS, NICE.args]),
        (Refuse("x"), True, Refuse("x"), [ARGS]),
        (False, NICE, Refuse(), [ARGS]),
    ],
)
def test_two_reviewers(one: Any, other: Any, comes_to: Verdict, seen: list[Any]) -> None:
    """Both must agree; the second sees what the first makes of it, and nothing after a no."""
    heard: list[Any] = []
    assert said(both(told(one, heard), told(other, heard))) == comes_to
    assert heard == seen


def test_a_reviewer_that_changes_what_it_was_shown() -> None:
    """Has changed its copy: neither the call nor what the next reviewer sees."""
    heard: list[Any] = []

    def hook(_: str, args: Any) -> bool:
        args.clear()
        return True

    assert said(both(hook, told(True, heard))) == Approve()  # noqa: FBT003
    assert heard == [ARGS] == [{"city": "Lyon"}]


def test_one_or_none() -> None:
    """One alone is asked as it is; where nobody reviews, all is approved."""
    assert both(None, None) is None
    assert both(slow, None) is both(None, slow) is slow
    assert said(slow) == said(None) == Approve()


def test_the_model_reads_of_an_edit_first() -> None:
    """So that a long result does not cut it off; an error says it too."""
    seen = Observation(ok=True, data="x" * 50, edit=NICE)
    changed = r'"the reviewer changed the arguments to {\"city\":\"Nice\"}"'

    assert seen.text.startswith(f'{{"changed":{changed},"data":"xxx')
    failed = Observation(ok=False, error="no", error_kind="permanent", edit=NICE)
    assert failed.text == f'{{"changed":{changed},"error":"no","kind":"permanent","ok":false}}'
    own = Observation(ok=False, data={"ok": False, "why": 1}, edit=NICE)
    assert own.text == f'{{"changed":{changed},"ok":false,"why":1}}'
    assert len(Observation(ok=True, edit=Edit("x" * 10_000)).text) < 700
