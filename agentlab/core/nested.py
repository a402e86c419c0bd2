"""Loops within loops, for those who must: never unless somebody asks for it."""

from __future__ import annotations

import asyncio
import warnings
from importlib import import_module

from agentlab.core.errors import NotConfigured
from agentlab.core.extras import need

GOOD, OLD = "nest_asyncio2", "nest_asyncio"
LOSSY = (
    "nest-asyncio patches this process: what widgets send while a nested loop runs is lost (a"
    " click on Stop, for one). Install nest-asyncio2 and restart the kernel"
)


def enable_nested_asyncio() -> None:
    """Let ``asyncio.run`` work where a loop runs already, as in a cell of a notebook.

    It is for code of others that calls ``asyncio.run``. Your own cells need it not: ``await``
    works in them, and so does every ``_sync`` twin. While a nested loop runs, the browser's
    clicks wait for it; with ``await`` they do not.

    It patches asyncio for the whole process, by nest-asyncio2 (extra ``lab``), and cannot be
    taken back. Calling it again changes nothing. Where only its forerunner nest-asyncio is
    installed, or was applied before by somebody else, that is used, with a warning.

    Raises
    ------
    NotConfigured
        Neither is installed, or the loop that runs here is not one of asyncio's own.
    """
    loop = running()
    if loop is not None and not isinstance(loop, asyncio.BaseEventLoop):
        hint = f"a {type(loop).__module__}.{type(loop).__name__} runs here, which cannot be nested"
        raise NotConfigured("a loop of asyncio's own", hint)
    name = OLD if applied() == OLD or not installed(GOOD) else GOOD
    if name == OLD and not installed(OLD):
        need(GOOD, "lab")  # which says what to install
    if name == OLD:
        warnings.warn(LOSSY, RuntimeWarning, stacklevel=2)
    import_module(name).apply()


def applied() -> str | None:
    """Tell which of the two has patched asyncio: both leave their mark there."""
    if not hasattr(asyncio, "_nest_patched"):
        return None
    return GOOD if hasattr(asyncio, "_nest_asyncio2") else OLD


def installed(name: str) -> bool:
    """Tell whether ``name`` can be imported."""
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def running() -> object:
    """Give the loop that runs on this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
