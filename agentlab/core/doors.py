"""The late doors up: the only imports that point from the core to what is above it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from agentlab.widgets.explorer import Explorer


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

    @overload
    def to_html(self, path: None = None) -> str: ...
    @overload
    def to_html(self, path: str | os.PathLike[str]) -> Path: ...
    def to_html(self, path: str | os.PathLike[str] | None = None) -> str | Path:
        """Give the view as one piece of HTML that needs nothing else; or keep it as a file.

        Parameters
        ----------
        path : path, optional
            Where to write a page of its own, to keep or to mail: readable in light and in dark,
            it loads nothing and runs nothing. That of a run holds all that was said as well. It
            takes the place of a file that is there; its folder is made where it is missing.

        Returns
        -------
        str or Path
            The HTML, to stand in a page; or where the page is, absolute.

        Raises
        ------
        InvalidValue
            ``path`` is none.
        PersistenceError
            It cannot be written; what was there before still is.
        """
        from agentlab.display import page, saved_view, view

        return page(view(self)) if path is None else saved_view(self, path)


class Watchable(Displayable):
    """Shows itself live as the last line of a cell, if it is under way and that can be."""

    __slots__ = ()

    def _ipython_display_(self) -> None:
        from agentlab.widgets.watch import show

        if not show(self):
            raise NotImplementedError  # IPython then takes the static view


class Explorable(Displayable):
    """Can be explored live: there is more to it than a card can show."""

    __slots__ = ()

    def explore(self) -> Explorer:
        """Open its explorer: the card, and under it a live view, until that is closed.

        Returns
        -------
        Explorer
            It tells in Python what is selected, and has ``close()``; so does its button.

        Raises
        ------
        WrongThread
            No loop runs here, and so no notebook.
        """
        from agentlab.widgets.explorer import explore

        return explore(self)


class Plottable:
    """Can be drawn with matplotlib."""

    __slots__ = ()

    def plot(self, ax: Axes | None = None, **how: Any) -> Axes:
        """Draw it, to be shown in a cell or saved as a figure.

        Parameters
        ----------
        ax : Axes, optional
            Where; by default in a figure of its own.
        **how
            What else can be said of such a figure; see :mod:`agentlab.display.plots`.

        Returns
        -------
        Axes
            ``ax.figure.savefig(path)`` keeps it.

        Raises
        ------
        NotConfigured
            matplotlib is not installed.
        """
        from agentlab.display.plots import plot

        return plot(self, ax, **how)


class Tabular:
    """Turns into a pandas frame."""

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """Give it as a frame; its columns are the fields of one of its rows."""
        from agentlab.frames import frame

        return frame(self)
