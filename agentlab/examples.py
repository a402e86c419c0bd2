"""What comes along to be run: the demo's notebook and the example scripts."""

from __future__ import annotations

import ast
import runpy
from importlib.resources import files
from pathlib import Path

from agentlab.core.errors import NotConfigured
from agentlab.core.registry import Registry

CHECKOUT = Path(__file__).parents[1] / "notebooks"
PACKAGED = Path(str(files("agentlab").joinpath("data")))


def shipped(name: str) -> Path:
    """Find a file that comes along: in the package, or beside it in a checkout.

    Raises
    ------
    NotConfigured
        It is in neither.
    """
    for place in (CHECKOUT / name, PACKAGED / name):
        if place.exists():
            return place
    raise NotConfigured(name, "it is neither in the package nor beside it: reinstall agentlab")


def examples() -> Registry[Path]:
    """Give the examples by name; each is a script, and in a checkout a notebook beside it."""
    scripts = sorted(shipped("examples").glob("*.py"))
    return Registry(unknown, {path.stem: path for path in scripts})


def unknown(name: str, suggestion: str) -> NotConfigured:
    """Make the error of an example that is none."""
    hint = suggestion.strip(" ()") or "`agentlab example` lists them"
    return NotConfigured(f"example {name}", hint)


def run(name: str) -> None:
    """Run an example as if it had been started by itself."""
    runpy.run_path(str(examples()[name]), run_name="__main__")


def headline(path: Path) -> str:
    """Give the first line of what a script says of itself."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]
