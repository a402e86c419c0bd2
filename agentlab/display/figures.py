"""How pictures look: on the page's own ground, in inks that can be read in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlab.display.html import visible
from agentlab.display.words import gist

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY, LINE = "#7b7b7b", "#7b7b7b40"  # 4:1 on white and on JupyterLab's black
BLUE, VIOLET, GREEN, AMBER, RED = "#2d7fd6", "#8a63d2", "#2f9e63", "#b07d12", "#d9463b"
KINDS = {
    "run": GREY, "model": VIOLET, "tool": BLUE, "message": AMBER, "memory": GREEN,
    "phase": AMBER, "save": GREY, "warning": AMBER, "failed": RED,
}  # fmt: skip
SIZE = (6.4, 3.6)
STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": GREY,
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": GREY,
    "axes.labelsize": 9,
    "axes.prop_cycle": f"cycler('color', {[BLUE, VIOLET, GREEN, AMBER]})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": GREY,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.figsize": SIZE,
    "grid.color": LINE,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.color": GREY,
    "xtick.labelsize": 8,
    "ytick.color": GREY,
    "ytick.labelsize": 8,
}
LETTERS, TALLEST = 24, 14  # of a label; inches
ABOVE = 3  # things that are explained in the line of the title


def key(ax: Axes) -> None:
    """Say above the picture what is what; of more than three things, beside it."""
    many = len(ax.get_legend_handles_labels()[1])
    if many <= ABOVE:
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=many, labelcolor=GREY)
    else:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), labelcolor=GREY)


def rows(ax: Axes, names: list[str]) -> float:
    """Name bars from the top, and give how high a figure they need."""
    ax.set_yticks(range(len(names)), names, parse_math=False)
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False, axis="y")
    return min(max(1.2, 0.24 * len(names) + 0.7), TALLEST)


def shown(text: str) -> str:
    """Give the beginning of a text as a label: one line, with what cannot be printed spelt out."""
    return visible(gist(text, LETTERS))


def named(ax: Axes, title: str, across: str, up: str) -> None:
    """Say what is seen, on axes of whatever look, in ink that can be read on any page."""
    ax.set_title(title, color=GREY)
    ax.set_xlabel(across, color=GREY)
    ax.set_ylabel(up, color=GREY)
    ax.tick_params(colors=GREY)
    ax.spines[["right", "top"]].set_visible(False)
    ax.spines[:].set_color(GREY)
