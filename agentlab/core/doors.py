"""The late doors up: the only imports that point from the core to what is above it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Displayable:
    """Looks good as the last line of a cell. How, is the business of ``display``."""

    __slots__ = ()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        from agentlab.display import mimebundle

        return mimebundle(self, include, exclude)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Give the view as one piece of HTML that needs nothing else."""
        from agentlab.display import page, view

        return page(view(self))


class Tabular:
    """Turns into a pandas frame."""

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """Give it as a frame; its columns are the fields of one of its rows."""
        from agentlab.frames import frame

        return frame(self)
