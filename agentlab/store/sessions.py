"""Sessions in a store: written as they go, read back however far they got.

What is written for a run ``R`` (JSON in UTF-8, keys as ``***``):

``session:R``
    The session with ``status``, ``strategy`` and ``settings``: ``running`` from the start on,
    overwritten at the end. There, ``calls`` are those since the last step.
``session:R:step:1``, ``session:R:step:2``, …
    A step, how far the run was by then, and ``calls``: what each question and tool call since
    the step before came to, of whatever run of the tree. ``below`` names the steps of runs below
    that were written since, so that all of a tree can be found without listing keys.
``session:R/agent#1:step:1``, …
    The same of a run below. It has no other keys; as a session it is part of the root's.
``loop:R:step:1``, …
    A list of steps, for each step of the root that called a tool.

With ``snapshot_steps="full"`` a step key holds the whole session up to there and a loop key all
steps so far: n steps take room for n² of them.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.session import AgentSession
from agentlab.store.persistence import as_backend

FORMAT = 1
SO_FAR = ("tokens_in", "tokens_out", "tokens_estimated", "graph_lookups")
SAID = ("warnings", "checkpoint_errors")


class Call(msgspec.Struct, frozen=True):
    """What the call with this number of a run came to.

    ``request`` tells calls apart: for ``ask`` see :class:`~agentlab.store.prompts.Digests`, for
    ``act`` it is the digest of ``[tool, args]``. ``result`` is text and usage, or what the tool's
    observation says.
    """

    run: str
    number: int
    kind: Literal["ask", "act"]
    request: str
    result: dict[str, Any]


async def load_session(store: Any, session_id: str) -> AgentSession:
    """Read a session, however far it got.

    Of one that is running, or was when its process ended, the steps that had ended are there, and
    not the runs below it.

    Raises
    ------
    PersistenceError
        There is none, it is not one, or it is from the future.
    """
    backend = as_backend(store)
    data = await _read(backend, f"session:{session_id}")
    if data.get("status", "running") != "running":
        return _session(data)
    number = 1
    while told := await _read(backend, f"session:{session_id}:step:{number}"):
        number += 1
        data = _further(data, told)
    if not data:
        raise PersistenceError(f"no session {session_id!r} in {store!r}")
    return _session({"session_id": session_id, **data})


async def load_calls(store: Any, session_id: str) -> list[Call]:
    """Give what every question and tool call of a session's tree came to, as far as it is saved.

    Raises
    ------
    PersistenceError
        There is no such session, it is not one, or it is from the future.
    """
    backend = as_backend(store)
    found, number, calls = list[dict[str, Any]](), 1, list[Call]()
    told = await _read(backend, f"session:{session_id}")
    while told:
        found += [told, *[await _read(backend, key) for key in told.get("below", ())]]
        told = await _read(backend, f"session:{session_id}:step:{number}")
        number += 1
    if not found:
        raise PersistenceError(f"no session {session_id!r} in {store!r}")
    try:
        for each in found:
            calls += msgspec.convert(each.get("calls", ()), list[Call])
    except msgspec.ValidationError as error:
        raise PersistenceError(
            f"the calls of session {session_id!r} cannot be read: {error}"
        ) from None
    return sorted(calls, key=lambda call: (call.run, call.number))


async def _read(backend: Any, key: str) -> dict[str, Any]:
    data = await backend.load(key)
    if data is None:
        return {}
    try:
        found = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise PersistenceError(f"what is at {key!r} is not of a session: {error}") from None
    version = found.get("format", FORMAT)
    if not isinstance(version, int) or version > FORMAT:
        raise PersistenceError(
            f"{key!r} has format {version!r}, newer than {FORMAT}: update agentlab"
        )
    return found


def _further(data: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Give the session one step further on."""
    if "step" not in told:
        return told  # a whole one
    longer = {
        "steps": [*data.get("steps", ()), told["step"]],
        **{name: [*data.get(name, ()), *told.get(name, ())] for name in SAID},
    }
    kept = ("agent_id", "recalled", *SO_FAR)
    return {**data, **{name: told[name] for name in kept if name in told}, **longer}


def _session(data: dict[str, Any]) -> AgentSession:
    try:
        return AgentSession.from_dict(data)
    except InvalidValue as error:
        raise PersistenceError(f"{data.get('session_id')!r:.80} is {error}") from None
