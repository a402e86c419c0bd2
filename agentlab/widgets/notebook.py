"""What can be known of the notebook that runs this; asking imports nothing."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """Give IPython's shell if it has a kernel, through which things can be shown."""
    ipython = sys.modules.get("IPython")
    found = ipython.get_ipython() if ipython else None
    return found if hasattr(found, "kernel") else None


def in_notebook() -> bool:
    """Tell whether there is a kernel to show things through."""
    return shell() is not None


def attended() -> bool:
    """Tell whether somebody is there who could be asked something, and so could press a button.

    Who executes a notebook by itself, to save or to export it, says that nobody is.
    """
    parent: dict[str, Any] = getattr(shell(), "get_parent", dict)()
    return bool(parent.get("content", {}).get("allow_stdin", True))


def cell() -> tuple[str, str]:
    """Give the id of the cell that runs, and that of this run of it; "" for what is not told.

    Notebooks that say which cell it is do so with each request to run one.
    """
    parent: dict[str, Any] = getattr(shell(), "get_parent", dict)()
    return (
        str(parent.get("metadata", {}).get("cellId", "")),
        str(parent.get("header", {}).get("msg_id", "")),
    )
