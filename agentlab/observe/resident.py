"""How much memory the process has in use, as the system tells it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentlab.core.errors import NotConfigured

STATM = Path("/proc/self/statm")


def resident_kb() -> int:
    """Give the kilobytes that the process has in memory now.

    Where the system does not tell, it is the most that there has ever been.

    Raises
    ------
    NotConfigured
        The system tells neither.
    """
    try:
        pages = int(STATM.read_bytes().split()[1])
    except OSError:
        return most_kb()
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def most_kb() -> int:
    """Give the most kilobytes that the process has had in memory.

    Raises
    ------
    NotConfigured
        The system does not tell.
    """
    try:
        import resource
    except ImportError:
        hint = "this system does not tell: leave sample_memory out"
        raise NotConfigured("memory in use", hint) from None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most  # there it is in bytes
