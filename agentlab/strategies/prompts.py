"""How a model is told what to do: the same loop, worded for large, small and untaught models.

A large model reads the tools and the format once and keeps to both. A small one goes by example,
and the fewer and plainer the examples, the better; so they are made from the tools that there
are, and a grammar holds it to the format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Tool
from agentlab.core.run import Run
from agentlab.core.text import compact, suggestion
from agentlab.models.gbnf import react_grammar
from agentlab.strategies.examples import on_one_line, one_line, worked_examples

Tools: TypeAlias = Sequence[Tool]

FORMAT = (
    "Answer in two lines: 'Thought: …', then 'Action: <tool> <JSON arguments>',"
    " or 'Action: FINAL_ANSWER <text>' when you are done."
)
CALLING = """\
Call one tool at a time through the interface for tools; before each call write one line that
begins with "Thought: ". What was called so far, and what came of it, stands in the message as
Action and Observation. When you are done, call no tool and write "Action: FINAL_ANSWER <text>"."""
RULES = """\
Each step is exactly two lines: a Thought, then an Action.
The Thought names what is needed next.
The Action calls one tool, or gives the FINAL_ANSWER.
Use a tool for every fact and every calculation.
When the observations hold the answer, give the FINAL_ANSWER."""


@dataclass(frozen=True)
class PromptProfile:
    """One way to tell a model what to do.

    Parameters
    ----------
    name : str
        What ``AgentConfig.profile`` and the catalogue of models call it.
    section : callable
        Makes the text that follows the system prompt, from the tools there are.
    limits : (int, int), optional
        How long a thought and an answer may be, in characters, where a grammar is to hold the
        model to the format.
    native : bool
        Send the tools with each question, for a vendor that has calls of its own kind.
    """

    name: str
    section: Callable[[Tools], str]
    limits: tuple[int, int] | None = None
    native: bool = False

    def system(self, system_prompt: str, tools: Tools) -> str:
        """Give the whole system text; the system prompt heads it."""
        return "\n\n".join(part for part in (system_prompt, self.section(tools)) if part)

    def options(self, tools: Tools) -> dict[str, Any]:
        """Give what to ask the model for besides."""
        if self.native:
            fields = ("name", "description", "schema")
            return {"tools": [{name: getattr(each, name) for name in fields} for each in tools]}
        if self.limits is None:
            return {}
        thought, answer = self.limits
        return {"grammar": react_grammar(tools, thought=thought, answer=answer)}


def described(tools: Tools) -> str:
    """List the tools with their schemas, and say the format."""
    if not tools:
        return ""
    lines = [
        f"- {each.name}: {on_one_line(each.description)} {compact(each.schema)}" for each in tools
    ]
    return "\n".join(["Tools:", *lines, "", FORMAT])


def exemplified(tools: Tools, *, longest_first: bool = False) -> str:
    """Give five rules, the tools one a line, and steps that were gone before.

    What comes last is copied most: a base model needs to be reminded that there may be several
    steps, a small chat model that it may stop after one.
    """
    listed = "\n".join(["Tools:", *map(one_line, tools)]) if tools else ""
    examples = worked_examples(tools, longest_first=longest_first)
    return "\n\n".join(part for part in (RULES, listed, examples) if part)


PROFILES: dict[str, PromptProfile] = {
    profile.name: profile
    for profile in (
        PromptProfile("default", described),
        PromptProfile("native", lambda tools: CALLING if tools else "", native=True),
        PromptProfile("base", exemplified, limits=(120, 160)),
        PromptProfile("chat", partial(exemplified, longest_first=True), limits=(160, 400)),
    )
}


def profile_for(run: Run) -> PromptProfile:
    """Give the profile that the settings name, else the one that suits the model.

    Raises
    ------
    InvalidValue
        There is none of that name.
    """
    name = run.config.profile or getattr(run.model, "profile", None) or "default"
    if name not in PROFILES:
        known = ", ".join(PROFILES)
        raise InvalidValue(
            f"there is no prompt profile {name!r}{suggestion(name, PROFILES)}; known are {known}"
        )
    return PROFILES[name]
