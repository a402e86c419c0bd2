"""Write what Python sends to a live view as TypeScript: ``python widgets/messages.py``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

ROOT = Path(__file__).parents[1]
FILE = ROOT / "widgets" / "src" / "messages.d.ts"
PARTS = {
    "messages": "MESSAGES",
    "chart_messages": "CHARTS",
    "graph_messages": "GRAPHS",
    "company_messages": "COMPANY",
}  # of agentlab/widgets
PLAIN = {str: "string", bool: "boolean", int: "number", float: "number"}


def typescript(kind: Any) -> str:
    """Give a type as TypeScript writes it."""
    if get_origin(kind) is list:
        return f"{typescript(*get_args(kind))}[]"
    return PLAIN.get(kind) or str(kind.__name__)


def generated() -> str:
    """Give the whole file."""
    parts = [(import_module(f"agentlab.widgets.{module}"), name) for module, name in PARTS.items()]
    lines = ["// Made from agentlab/widgets/*messages.py by widgets/messages.py: do not edit.", ""]
    for message in (each for part, name in parts for each in getattr(part, name)):
        lines += [f"/** {message.__doc__} */", f"export interface {message.__name__} {{"]
        hints = get_type_hints(message)
        lines += [f"  {name}: {typescript(kind)};" for name, kind in hints.items()]
        lines += ["}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    FILE.write_text(generated(), encoding="utf-8")
