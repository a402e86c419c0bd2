"""What results have in common: they go through JSON, and know the trace they came from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable

if TYPE_CHECKING:
    from agentlab.core.trace import Trace


class Traced(Portable, Displayable, Tabular):
    """A result with a ``trace``, which stays with the run: it is not written down, nor compared."""

    trace: Trace | None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "trace": None}

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON, without its trace."""
        alone: Any = self if self.trace is None else replace(self, trace=None)  # type: ignore[type-var]
        plain: dict[str, Any] = msgspec.to_builtins(alone)
        plain.pop("trace", None)
        return plain
