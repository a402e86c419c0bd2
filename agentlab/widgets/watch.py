"""From a live view to a static card, whatever happens in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Generator
from contextvars import Context
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentlab.core.errors import InvalidValue
from agentlab.core.session import AgentSession
from agentlab.core.sync import LAST_WORDS_S
from agentlab.display import mimebundle, page
from agentlab.display.parts import Chip, card, note
from agentlab.handle import RunHandle
from agentlab.strategies.streaming_session import StreamingSession
from agentlab.widgets.notebook import attended, in_notebook

if TYPE_CHECKING:
    from agentlab.widgets.run_view import RunView
    from agentlab.widgets.token_view import TokenWatch

UNATTENDED = (
    "This notebook was executed by itself, and the run was not over when its cell was:"
    " `session = await al.watch(handle)` waits for it."
)
VIEWS = {
    "": ("run_view", "RunView"),
    "debate": ("debate_view", "DebateView"),
    "team": ("team_view", "TeamView"),
    "swarm": ("swarm_view", "SwarmView"),
}  # by what a strategy says of itself: module and class
GRACE_S = 0.15  # a run that is over sooner is shown by its card at once
LEAST_S = 0.6  # a view that a page is still loading must not be taken away from it
_watching: set[asyncio.Task[AgentSession]] = set()  # a loop holds its tasks only weakly


def watch(handle: RunHandle, *, tokens: bool = False) -> Watching:
    """Show a run while it goes on, leave its card where it was, and give the session.

    It must be awaited: ``session = await al.watch(lab.start("…"))``. Several at once go into
    ``asyncio.gather``. Stopped, a run gives the session so far; errors (with ``.session``), and
    cancellation, which stops the run, come through once the card is drawn. Outside a notebook
    this only waits.

    Parameters
    ----------
    handle : RunHandle
        What is watched.
    tokens : bool
        Show each token as it comes, shaded by how likely it was, with what the model might have
        said instead; and leave the card of ``al.StreamingSession.of(session)``.

    Raises
    ------
    InvalidValue
        ``handle`` is not what ``start`` gives.
    """
    if not isinstance(handle, RunHandle):
        raise InvalidValue(f"watch takes what runtime.start(…) gives, got {handle!r}")
    return Watching(_watch(handle, tokens=tokens))


class Watching(Coroutine[Any, Any, AgentSession]):
    """What :func:`watch` gives: a coroutine that says what to do with it."""

    def __init__(self, work: Coroutine[Any, Any, AgentSession]) -> None:
        self._work = work

    def __repr__(self) -> str:
        return "<nothing is watched yet: session = await al.watch(handle)>"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name!r} is the session's: session = await al.watch(handle)")

    def __await__(self) -> Generator[Any, None, AgentSession]:
        return self._work.__await__()

    def send(self, value: Any) -> Any:
        """Go on."""
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an error."""
        return self._work.throw(*error)

    def close(self) -> None:
        """Do not go on."""
        self._work.close()


async def _watch(handle: RunHandle, *, tokens: bool) -> AgentSession:
    if not in_notebook():
        return await handle
    try:
        if GRACE_S and attended():
            await handle.over(GRACE_S)
    except asyncio.CancelledError:
        handle.stop()
        await handle.over(LAST_WORDS_S)
        Stage(handle, tokens=tokens).close()
        raise
    return await _shown(handle, Stage(handle, tokens=tokens))


class Stage:
    """A place in a notebook, with a live view in it until there is a card.

    Where nobody looks on, there is a card from the start: a widget could not be seen, nor be
    pressed, and whoever executes the notebook would store it with all that makes it work.
    """

    def __init__(self, handle: RunHandle, *, tokens: bool = False) -> None:
        from IPython.display import display

        self._handle, self._tokens = handle, tokens
        self._view: RunView | TokenWatch | None = None
        self._began = time.monotonic()
        if handle.done() or not attended():
            first = self._card() if handle.done() else under_way(handle)
            self._shown = display(first, raw=True, display_id=True)  # type: ignore[no-untyped-call]
            return
        self._view = live(handle, tokens=tokens)
        self._shown = display(self._view, display_id=True)  # type: ignore[no-untyped-call]
        handle.trace.attach(self._view)

    async def settle(self) -> None:
        """Wait until the view has been there for long enough to be loaded, or is known to be."""
        if self._view and not self._view.met:
            await asyncio.sleep(LEAST_S - (time.monotonic() - self._began))

    def close(self) -> None:
        """Put the card where the view is."""
        if self._view:
            self._handle.trace.detach(self._view)
        # As said by the cell that runs now: of one that is over, not everybody hears any more.
        Context().run(self._shown.update, self._card(), raw=True)
        if self._view:
            self._view.close()

    def _card(self) -> dict[str, str]:
        session = self._handle.session
        return mimebundle(StreamingSession.of(session) if self._tokens else outcome(self._handle))


def live(handle: RunHandle, *, tokens: bool) -> RunView | TokenWatch:
    """Make the view of a run: of what it says and does, as fits its strategy; or its tokens."""
    if tokens:
        from agentlab.widgets.token_view import TokenWatch

        return TokenWatch(handle.stop)
    module, name = VIEWS.get(handle.view, VIEWS[""])
    view: type[RunView] = getattr(import_module(f"agentlab.widgets.{module}"), name)
    return view(handle.stop, answer=handle.answer)


def outcome(handle: RunHandle) -> object:
    """Give what the card is of: the session, or what came of agents that worked together."""
    session = handle.session
    together = VIEWS.get(handle.view, VIEWS[""]) is not VIEWS[""]
    return session.result if together and session.result is not None else session


def under_way(handle: RunHandle) -> dict[str, str]:
    """Give a card for a run of which nobody may hear again."""
    said = card("run", handle.session.agent_id, Chip("run", "under way"), (), note(UNATTENDED))
    return {**mimebundle(handle, include=["text/plain"]), "text/html": page(said)}


async def _shown(handle: RunHandle, stage: Stage) -> AgentSession:
    try:
        return await handle
    finally:
        try:
            await handle.over(LAST_WORDS_S)  # cancelled ourselves, the run may yet say how it ends
            await stage.settle()
        finally:
            stage.close()


def show(handle: object) -> bool:
    """Watch from the background, if that can be; a finished run needs no watching."""
    if not isinstance(handle, RunHandle) or handle.done() or not in_notebook():
        return False
    task = asyncio.get_running_loop().create_task(_shown(handle, Stage(handle)))
    _watching.add(task)
    task.add_done_callback(_seen)
    return True


def _seen(task: asyncio.Task[AgentSession]) -> None:
    _watching.discard(task)
    if not task.cancelled():
        task.exception()  # the card says it
