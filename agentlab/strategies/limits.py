"""What a loop may not do over and over: the same call in a row.

Pure rules: a strategy asks them before it calls, and does what they say.
"""

from __future__ import annotations

from typing import Any

from agentlab.core.config import AgentConfig
from agentlab.core.errors import ActionBlocked
from agentlab.core.protocols import Observation
from agentlab.core.text import canonical, compact


class RepeatedCall(ActionBlocked):
    """The same call, once more."""

    form = (
        "{0} was asked for {1} times in a row with the same arguments, and not called again: call"
        " something else, use other arguments, or give your final answer"
    )


class Limits:
    """Watches the tool calls of one loop, and says which of them it may not make.

    The same call is that of the same tool with the same arguments, as JSON, and with no other
    call in between. One that failed for a reason that may pass (``transient``) may be tried
    again, though not for ever.

    >>> limits = Limits(AgentConfig(9, "m", repeat_warn=2))
    >>> limits.check("look", {"at": 1}) is None
    True
    >>> type(limits.check("look", {"at": 1})).__name__
    'RepeatedCall'

    Parameters
    ----------
    config : AgentConfig
        ``repeat_warn`` and ``repeat_stop``.

    Attributes
    ----------
    over : tuple of str, optional
        Why the run must end now: the stop reason, and a sentence.
    """

    def __init__(self, config: AgentConfig) -> None:
        self._warn, self._stop = config.repeat_warn, config.repeat_stop
        self._last: tuple[str, str] | None = None
        self._same = 0
        self._passing = False
        self.over: tuple[str, str] | None = None

    def check(self, tool: str, args: Any) -> ActionBlocked | None:
        """Give why a call may not be made, in words for the model, or nothing."""
        call = tool, written(args)
        self._same = self._same + 1 if call == self._last else 1
        self._last = call
        stops = self._stop is not None and self._same >= self._stop
        warns = self._warn is not None and self._same >= self._warn and not self._passing
        if stops or warns:
            why = f"{tool} was asked for {self._same} times in a row with the same arguments"
            self.over = ("repeated_action", why) if stops else None
            return RepeatedCall(tool, self._same)
        return None

    def heard(self, seen: Observation) -> None:
        """Note what came of it."""
        self._passing = seen.error_kind == "transient"


def written(args: Any) -> str:
    """``args`` so that equal ones are equal texts; what is no JSON, as Python writes it."""
    try:
        return compact(canonical(args))
    except (TypeError, ValueError, RecursionError):
        return repr(args)
