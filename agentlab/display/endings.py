"""How a run ends, in a hue, a word, and a sentence that says what it means and what to do."""

from __future__ import annotations

from typing import Any

from agentlab.display.parts import Chip
from agentlab.display.words import gist, text_of

CHIPS = {
    "running": Chip("run", "running"),
    "final_answer": Chip("ok", "answered"),
    "error": Chip("bad", "failed"),
}
MEANINGS = {
    "running": (
        "Not over yet: this is how far it has got. Show it again for more, or await its handle."
    ),
    "max_iterations": (
        "It took as many steps as it may, without an answer. Its last steps say what it was about;"
        " `max_iterations` gives it more."
    ),
    "timeout": (
        "It ran out of time. The bars say which steps took it; `loop_timeout_ms` gives it more."
    ),
    "stopped": (
        "Somebody stopped it. What it had done until then is all here; run it again for an answer."
    ),
    "repeated_action": (
        "It did the same thing again and again. See what it was told in return: an error that it"
        " cannot act on is the usual reason. `repeat_stop` says how often it may."
    ),
    "tool_limit": (
        "It called tools as often as it may. A narrower question, or a higher `max_tool_calls`,"
        " lets it end."
    ),
    "budget": "It spent what it may. A narrower question, or a higher budget, lets it end.",
    "error": (
        "The error says what went wrong, and the last step, if there was one, where. Mend that, and"
        " run it again."
    ),
}


def chip_of(reason: Any) -> Chip:
    """Say how a run ended; a reason we do not know speaks for itself."""
    known = CHIPS.get(text_of(reason))
    return known or Chip("warn", gist(text_of(reason).replace("_", " "), 60) or "unknown")


def meaning_of(reason: Any) -> str:
    """Say what that means and what to do; nothing where there is nothing to do."""
    return MEANINGS.get(text_of(reason), "")
