"""Who reviews actions: asked before each tool call whether it may be made."""

from __future__ import annotations

import inspect
from typing import Any

from agentlab.core.protocols import ActionHook


async def allows(hook: ActionHook, name: str, args: Any) -> bool:
    """Ask whoever reviews actions."""
    answer = hook(name, args)
    return bool(await answer if inspect.isawaitable(answer) else answer)


def both(one: ActionHook | None, other: ActionHook | None) -> ActionHook | None:
    """Let an action pass only if every reviewer there is lets it."""
    if one is None or other is None:
        return other if one is None else one

    async def agree(name: str, args: Any) -> bool:
        return await allows(one, name, args) and await allows(other, name, args)

    return agree
