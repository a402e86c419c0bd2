"""Tokens shaded by how likely they were, one of them looked at: the Python half."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlab.core.secrets import scrub
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.explorer import Explorer
from agentlab.widgets.hearing import Hearing
from agentlab.widgets.live import STATIC, LiveView, RunWatcher
from agentlab.widgets.messages import Chosen

if TYPE_CHECKING:
    from agentlab.strategies.streaming_session import (
        HeardToken,
        HeardTokens,
        StreamingSession,
    )

BELOW = 50  # percent: less likely than not
NAME = 40  # letters a page may call itself by


class Reading(LiveView):
    """Shows tokens, and keeps which of them is selected, for every page that shows it."""

    _esm = STATIC / "token_view.js"

    def __init__(self, hearing: Hearing, *args: Any, **traits: Any) -> None:
        self._hearing = hearing
        self._chosen = Chosen(at=-1, below=BELOW, step=-1, by="")
        super().__init__(*args, **traits)

    @property
    def selected(self) -> HeardToken | None:
        """The token that is selected in the page; None until there is one."""
        at = self._chosen["at"]
        return self._hearing.heard.tokens[at] if at >= 0 else None

    def changes(self) -> dict[str, Any]:
        """Give the tokens that the page does not have yet, and what is selected."""
        cells = self._hearing.news()
        if self._hearing.more():
            self.touch()
        return {**cells, "chosen": self._chosen}

    def asked(self, message: dict[str, Any]) -> None:
        """Select a token, a step or what is doubtful, if that is what was asked."""
        match message:
            case {"type": "choose", "at": int(at), "below": int(below), "step": int(step)}:
                tokens = len(self._hearing.heard.tokens)
                self._chosen = Chosen(
                    at=at if 0 <= at < tokens else -1,
                    below=min(max(below, 1), 99),
                    step=step if 0 <= step < self._hearing.steps else -1,
                    by=str(message.get("by", ""))[:NAME],
                )
                self.touch()
            case _:
                super().asked(message)


class TokenView(Reading, Explorer):
    """Explores tokens: how likely each was, and what the model might have said instead.

    Parameters
    ----------
    subject : StreamingSession or HeardTokens
        What was heard.
    coalescer : Coalescer
        With whom it speaks.

    Attributes
    ----------
    selected : HeardToken or None
        The token that is selected in the page.
    """

    def __init__(
        self, subject: StreamingSession | HeardTokens, coalescer: Coalescer = LIVE
    ) -> None:
        super().__init__(Hearing(subject), subject, coalescer)


class TokenWatch(RunWatcher, Reading):
    """Watches the tokens of one run, as they come."""

    def __init__(self, *args: Any, **traits: Any) -> None:
        super().__init__(*args, hearing=Hearing(), **traits)

    def __repr__(self) -> str:
        return scrub(repr(self._hearing.heard).replace("StreamingSession", "TokenWatch", 1))

    def changes(self) -> dict[str, Any]:
        """Listen to what came since the last time, and say what is different."""
        for entry in self.entries():
            self._hearing.take(entry)
        return super().changes()
