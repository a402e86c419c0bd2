"""What the embedded engine is asked, and in which portions it reads it."""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple, TypeAlias

Body: TypeAlias = dict[str, Any]

PORTION = 800  # characters, about 200 tokens
LONGEST = 1200
ASKS, GAP, STEPS = "User: ", "\n\n", "\n\nThought: "  # the context of a loop, see ReAct
LINE_BREAK = re.compile(r"\n(?=\S)")


class Question(NamedTuple):
    """A system text and a prompt, for a chat template or as they are, and what else to heed."""

    system: str
    prompt: str
    chat: bool
    options: Body

    def whole(self) -> Body:
        """Give the request for an answer."""
        shape = self._messages(self.prompt) if self.chat else {"prompt": self._text(self.prompt)}
        return {**shape, **self.options}

    def until(self, end: int) -> Body:
        """Give the request that has the engine read up to ``end``, and forget what came after.

        It reads what is new, and one mark that cannot be where the prompt goes on.
        """
        if not self.chat:
            return {"prompt": [self._text(self.prompt[:end]), 0], "max_tokens": 0}
        mark = "~" if self.prompt.startswith("#", end) else "#"
        return {**self._messages(self.prompt[:end] + mark), "max_tokens": 0}

    def ends(self) -> list[int]:
        """Say where the portions end, all but the last."""
        return [0, *portions(self.prompt)] if self.system or self.chat else portions(self.prompt)

    def _text(self, prompt: str) -> str:
        return f"{self.system}\n\n{prompt}" if self.system else prompt

    def _messages(self, prompt: str) -> Body:
        end = prompt.find(STEPS) + len(GAP) if prompt.startswith(ASKS) and STEPS in prompt else None
        parts = [("system", self.system), ("user", prompt[:end])]
        if end is not None:
            parts.append(("assistant", prompt[end:]))  # the model goes on with what it has said
        said = [(who, text) for who, text in parts if text or who == "user"]
        body: Body = {"messages": [{"role": who, "content": text} for who, text in said]}
        if end is not None:  # some templates cannot do both
            body["chat_template_kwargs"] = {"enable_thinking": False}
        return body


def portions(text: str) -> list[int]:
    r"""Say where to cut a text, so that a longer one is cut at the same places and then some.

    >>> portions("short"), portions(("word " * 20 + "\n") * 20)
    ([], [808, 1616])
    """
    ends, end = [], 0
    while len(text) > end + PORTION:
        found = LINE_BREAK.search(text, end + PORTION - 1, end + LONGEST + 1)
        if found is None and len(text) <= end + LONGEST:
            break
        end = found.end() if found else end + LONGEST
        ends.append(end)
    return ends


class Call:
    """One question under way: the engine's thread puts, a loop takes.

    The queue needs no bound of its own, for an answer has at most as many pieces as the context
    has tokens. One would even do harm: a reader that asks the same model something before it
    reads on would wait for itself.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.left = False
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Body | Exception | None] = asyncio.Queue()

    def put(self, item: Body | Exception | None) -> bool:
        """Take what the engine says; tell it whether nobody listens any more."""
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:  # the loop is closed
            self.left = True
        return self.left

    async def get(self) -> Body | None:
        """Wait for the next piece, or for None after the last one."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item
