"""Imports point down. The table is the architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "agentlab"
LAYERS = {
    "core": 0, "homes": 0,
    "models": 1, "tools": 1, "memory": 1, "graph": 1, "resilience": 1, "store": 1, "observe": 1,
    "strategies": 2, "personas": 2, "skills": 2,
    "teams": 3,
    "runtime": 4, "builder": 4, "settings": 4, "parts": 4, "handle": 4, "recording": 4,
    "accessors": 4, "locked": 4, "ways": 4, "as_strategy": 4,
    "display": 5, "frames": 5, "plots": 5, "datasets": 5,
    "widgets": 6, "demo": 6, "examples": 6, "__main__": 6,
}  # fmt: skip
BESIDE = {  # within a layer, who may know whom
    ("runtime", "handle"), ("runtime", "settings"), ("runtime", "parts"), ("parts", "settings"),
    ("builder", "settings"), ("runtime", "builder"), ("builder", "runtime"),
    ("recording", "runtime"), ("runtime", "ways"), ("runtime", "as_strategy"),
    ("as_strategy", "parts"), ("as_strategy", "settings"), ("ways", "settings"), ("ways", "parts"),
    ("runtime", "accessors"), ("accessors", "locked"),
    ("accessors", "parts"), ("accessors", "settings"), ("parts", "locked"),
    ("frames", "display"), ("plots", "display"), ("display", "datasets"),
    ("__main__", "demo"), ("__main__", "examples"), ("demo", "examples"),
}  # fmt: skip
DOORS = {"display", "frames", "plots", "widgets"}  # what the core's late doors open
OUTSIDE = {
    # pandas and matplotlib: only the types of what a door gives
    "core": {"anyio", "matplotlib", "msgspec", "pandas"},
    "graph": {"igraph", "msgspec", "networkx", "numpy", "pandas", "pyvis", "scipy"},
    "models": {"httpx", "msgspec", "xllamacpp"}, "tools": {"cloudpickle", "msgspec"},
    "memory": {"msgspec", "numpy", "scipy"},
    "plots": {"matplotlib", "numpy"}, "datasets": {"msgspec"},
    "resilience": {"msgspec", "tenacity"}, "store": {"filelock", "msgspec"}, "observe": {"msgspec"},
    "strategies": {"msgspec", "tomli_w"}, "personas": {"msgspec"},
    "skills": {"msgspec", "packaging"}, "teams": {"msgspec", "numpy"},
    "display": {"matplotlib", "msgspec"},
    "frames": {"msgspec", "pandas"},
    "widgets": {"IPython", "anywidget", "ipywidgets", "numpy", "traitlets"},
}  # fmt: skip
STANDARD = {"agentlab", *__import__("sys").stdlib_module_names}


def imports(path: Path) -> Iterator[str]:
    """Give the dotted name of each module that ``path`` imports, however late."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    "path",
    sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "__init__.py"}),
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_imports_point_down(path: Path) -> None:
    """A module imports its own package or a lower layer; only the doors point up."""
    name = path.relative_to(PACKAGE).as_posix()
    here = name.split("/")[0].removesuffix(".py")
    there = {m.split(".")[1] for m in imports(path) if m.startswith("agentlab.")} - {here}
    up = {each for each in there if LAYERS[each] >= LAYERS[here] and (here, each) not in BESIDE}

    assert up == (DOORS if name == "core/doors.py" else set())


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_imports_from_outside(path: Path) -> None:
    """The core knows the standard library, msgspec and anyio; nothing here knows more."""
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    others = {module.split(".")[0] for module in imports(path)} - STANDARD

    assert others <= OUTSIDE.get(here, set())


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_sizes(path: Path) -> None:
    """A file has at most 400 lines (most have under 300), a function 40 below its docstring."""
    source = path.read_text(encoding="utf-8")
    lengths = [
        (node.end_lineno or 0) - node.body[bool(ast.get_docstring(node)) :][0].lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(node.body) > 1
    ]

    assert source.count("\n") <= 400
    assert max(lengths, default=0) <= 40
