"""How far an isolated handler may go, and what is said of the fences when it is over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from agentlab.core.bounds import at_least_one, positive, texts
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import ErrorKind, InvalidValue, ToolError
from agentlab.core.portable import Portable

FENCES = (
    "cpu", "memory", "file size", "open files", "processes", "files", "network", "user",
    "process tree", "other processes", "kernel's end", "environment", "core dumps",
)  # fmt: skip
LONGEST_S = 1_000_000
REMEDIES = {
    "cpu": "Compute less at once, or raise isolated=Limits(cpu_s=...).",
    "memory": "Ask for less at once, or raise isolated=Limits(memory_mb=...).",
    "time": "Do less at once, or raise isolated=Limits(wall_s=...).",
    "output": "Print less, or raise isolated=Limits(output_kb=...).",
    "result": "Return less, or raise isolated=Limits(result_kb=...).",
    "file size": "Write less, or raise isolated=Limits(file_mb=...).",
    "open files": "Close what is open, or raise isolated=Limits(open_files=...).",
    "processes": "Start fewer, or raise isolated=Limits(processes=...).",
    "files": "Write in the current folder, and return what should stay.",
    "network": "Do without, or give isolated=Limits(network=True).",
    "exit code": "Return a value instead of ending the process.",
    "signal": "The process was killed: see the report's stderr.",
    "require": "Run it where they hold, or require less.",
    "stop": "It was told to stop.",
}


@dataclass(frozen=True)
class Limits(Displayable):
    """How far an isolated handler may go. What the system cannot hold is said in the report.

    Parameters
    ----------
    cpu_s : int
        Whole seconds of a processor, of each process.
    wall_s : float
        Seconds of real time, from start to end, the start of the interpreter included.
    memory_mb : int
        Address space of each process; the interpreter itself takes some 30.
    file_mb : int
        Size of each file it writes.
    open_files, processes : int
        How many at once; a thread counts as a process.
    output_kb, result_kb : int
        How much it may print, and how long its result may be as JSON.
    network : bool
        Leave it the network.
    require : iterable of str
        Fences without which it does not run at all, such as ``network`` and ``files``.

    Raises
    ------
    InvalidValue
        A value that can never be right.
    """

    cpu_s: int = 10
    wall_s: float = 30.0
    memory_mb: int = 1024
    file_mb: int = 64
    open_files: int = 64
    processes: int = 32
    output_kb: int = 1024
    result_kb: int = 8192
    network: bool = False
    require: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        counts = ("memory_mb", "file_mb", "open_files", "processes", "output_kb", "result_kb")
        for name in counts:
            at_least_one(name, getattr(self, name))
        positive("wall_s", self.wall_s)
        cpu = math.ceil(positive("cpu_s", self.cpu_s))  # the system counts whole ones
        if self.wall_s > LONGEST_S or cpu > LONGEST_S:
            raise InvalidValue(f"nothing takes that long: {self!r}")
        names = (self.require,) if isinstance(self.require, str) else texts("require", self.require)
        if odd := [name for name in names if name not in FENCES]:
            raise InvalidValue(f"there is no fence {odd[0]!r:.80}: {', '.join(FENCES)}")
        self.__dict__.update(cpu_s=cpu, require=names, network=bool(self.network))


class Fence(msgspec.Struct, Portable, Displayable, frozen=True, array_like=True):
    """One fence, whether it held, and by what; or why not."""

    name: str
    held: bool
    how: str


class FenceReport(msgspec.Struct, Portable, Displayable, Tabular, frozen=True):
    """How an isolated call went: which fences held, and which stopped it.

    Attributes
    ----------
    stopped : str
        What ended it: a fence (``cpu``, ``memory``, ``time``, ``output``, ``result``,
        ``file size``, ``open files``, ``processes``, ``files``, ``network``, ``require``),
        ``exit code``, ``signal`` or ``stop``; empty where it ended by itself.
    why : str
        In words.
    fences : tuple of Fence
        All there are.
    exit_code, signal : int, optional
        How the process ended.
    wall_ms, cpu_ms, peak_mb : float
        What it took, of the handler's own process.
    left : int
        Processes it left behind, which were killed.
    stdout, stderr, traceback : str
        What it said.
    """

    stopped: str = ""
    why: str = ""
    fences: tuple[Fence, ...] = ()
    exit_code: int | None = None
    signal: int | None = None
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    peak_mb: float = 0.0
    left: int = 0
    stdout: str = ""
    stderr: str = ""
    traceback: str = ""

    def __repr__(self) -> str:
        held = sum(each.held for each in self.fences)
        end = f"stopped by {self.stopped}" if self.stopped else "ended by itself"
        return f"<FenceReport {end}, {held} of {len(self.fences)} fences held>"

    def held(self, name: str) -> bool:
        """Tell whether a fence held."""
        return any(each.held for each in self.fences if each.name == name)


class IsolationError(ToolError):
    """An isolated handler failed or was stopped; ``report`` tells how."""

    form = "{0}"

    def __init__(self, message: str, report: FenceReport, kind: ErrorKind = "permanent") -> None:
        super().__init__(message, report)
        self.report, self.kind = report, kind
