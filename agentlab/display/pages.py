"""A page of its own: what a cell shows, to keep or to mail. It loads nothing and runs nothing."""

from __future__ import annotations

import os
from pathlib import Path

from agentlab.core.errors import AgentLabError, PersistenceError
from agentlab.core.files import path_of, replacing
from agentlab.core.secrets import scrub
from agentlab.core.trace import Trace
from agentlab.display.html import h, page, safe
from agentlab.display.views import said, view
from agentlab.display.words import gist

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
AROUND = (  # the reader's own theme
    ":root{color-scheme:light dark}body .agl{--agl-bg:Canvas}"
    "body{margin:24px auto;max-width:60rem;padding:0 16px;background:Canvas;color:CanvasText}"
)


def document(title: str, *things: object) -> str:
    """Give the views of ``things`` as a page of its own, which loads nothing and runs nothing."""
    cards = h("main")(*(h("div", style="margin:0 0 16px")(view(thing)) for thing in things))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{safe(scrub(title))}</title><style>{AROUND}</style></head>"
        f"<body>{page(cards)}</body></html>"
    )


def saved(path: str | os.PathLike[str], title: str, *things: object) -> Path:
    """Write such a page, whole or not at all, and give where it is.

    Raises
    ------
    InvalidValue
        ``path`` is none.
    PersistenceError
        It cannot be written; what was there before still is.
    """
    place = path_of(path, "path")
    text = document(title, *things).encode()
    try:
        with replacing(place) as file:
            file.write(text)
    except OSError as error:
        raise PersistenceError(f"cannot write {str(place)!r}: {error.strerror}") from error
    return place


def saved_view(obj: object, path: str | os.PathLike[str]) -> Path:
    """Write the page of ``obj``: its card, and below that the trace of its run, if it has one."""
    run = getattr(obj, "session", None) if isinstance(obj, AgentLabError) else obj
    trace = getattr(run, "trace", None)
    things = (obj, trace) if isinstance(trace, Trace) else (obj,)
    return saved(path, gist(scrub(said(obj)), 80), *things)
