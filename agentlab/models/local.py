"""A model inside this process: no key, no network, nothing to wait for but the answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real
from typing import Any, get_args

from agentlab.core.errors import AgentLabError, InvalidValue, ProviderError
from agentlab.core.protocols import Chunk, Request, Usage
from agentlab.core.sync import twin
from agentlab.core.text import clean, finite
from agentlab.models.catalogue import DEFAULT, Kind, look_up
from agentlab.models.engine import ENGINES, Engine
from agentlab.models.progress import megabytes
from agentlab.models.question import Body, Call, Question

MOST = 2**31 - 1
SEEDS = 2**32 - 1  # one more means chance
PASSED_ON = (
    "grammar", "json_schema", "top_k", "top_p", "min_p",
    "repeat_penalty", "frequency_penalty", "presence_penalty",
)  # fmt: skip


class LocalModel:
    """Answers with a model that runs here, token by token, with what each was worth.

    It is loaded at the first question, once a process for each file. Questions are answered one
    after the other. At temperature 0, or with a seed, the same request has the same answer on
    the same machine, whatever was asked before it.

    A base model goes on with the request's text; a chat model is given the system text and the
    prompt as messages, by its own template.

    Parameters
    ----------
    name : str or path
        A name of the catalogue (``agentlab models list``), the path of a ``.gguf`` file, or what
        was given to ``agentlab models pull``.
    n_ctx : int
        How many tokens a prompt and its answer may have together.
    temperature : float
        How much chance there is in the answers, where a request does not say.
    seed : int, optional
        Makes chance repeat, where a request does not say.
    max_tokens : int
        Where answers are cut, where a request does not say.
    logprobs : int
        How many likely tokens to tell of with each one that was taken. It costs up to a fifth
        of the speed, with large vocabularies; 0 tells nothing.
    threads : int, optional
        How many threads it may use; by default one a core.
    kind : {"base", "chat"}, optional
        What the model is, where the catalogue does not know, or errs.
    profile : str, optional
        How it is best told what to do, likewise; ``AgentConfig.profile`` goes before it.
    """

    def __init__(  # noqa: PLR0913 - settings, all by name
        self,
        name: str | os.PathLike[str] = DEFAULT,
        *,
        n_ctx: int = 4096,
        temperature: float = 0.0,
        seed: int | None = None,
        max_tokens: int = 512,
        logprobs: int = 5,
        threads: int | None = None,
        kind: Kind | None = None,
        profile: str | None = None,
    ) -> None:
        at_least(64, n_ctx=n_ctx)
        at_least(1, max_tokens=max_tokens, threads=1 if threads is None else threads)
        at_least(0, logprobs=logprobs)
        check_rest(temperature, seed, kind)
        self._file = look_up(name)
        self.name = self._file.name
        self.n_ctx, self.threads = int(n_ctx), None if threads is None else int(threads)
        self.temperature, self.seed = float(temperature), None if seed is None else int(seed)
        self.max_tokens, self.logprobs = int(max_tokens), int(logprobs)
        self._kind, self._profile = kind, profile

    def __repr__(self) -> str:
        size = f", {megabytes(self.size)} MB" if self.size else ""
        return f"LocalModel({self.name!r}{size})"

    @property
    def size(self) -> int | None:
        """Bytes of its file, where they are known."""
        return self._file.size

    @property
    def kind(self) -> Kind:
        """Whether it goes on with a text (base) or answers messages (chat)."""
        return self._kind or self._file.kind

    @property
    def profile(self) -> str:
        """The name of its prompt profile."""
        return self._profile or self._kind or self._file.profile

    async def load(self) -> None:
        """Load it now, not at the first question.

        Raises
        ------
        NotConfigured
            The engine or the file is not here; the hint says how to get it.
        ProviderError
            The engine cannot load the file.
        """
        await self._engine()

    load_sync = twin(load)

    def unload(self) -> None:
        """Stop what it is saying and give its memory back, for all that share it."""
        ENGINES.close(self._file.path)

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Answer; leaving early stops the engine at the next token.

        Raises
        ------
        ProviderError
            The prompt does not fit the context, or the engine refuses the request.
        """
        engine = await self._engine()
        call = Call(self._question(request))
        ear = Ear(self.logprobs, self.n_ctx)
        try:
            engine.ask(call)
            while (piece := await call.get()) is not None:
                if chunk := ear.hear(piece):
                    yield chunk
        finally:
            call.left = True
        if not ear.ended:
            raise ProviderError(f"{self.name} was unloaded in the middle of an answer")

    async def _engine(self) -> Engine:
        engine = ENGINES.get(self._file, self.n_ctx, self.threads)
        await asyncio.wrap_future(engine.ready)
        return engine

    def _question(self, request: Request) -> Question:
        given = request.options
        seed = given.get("seed", self.seed)
        options = {
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": given.get("temperature", self.temperature),
            "max_tokens": given.get("max_tokens", self.max_tokens),
            "seed": -1 if seed is None else seed % SEEDS,
            "n_probs": self.logprobs,
            "stop": list(request.stop),
            **{name: given[name] for name in PASSED_ON if name in given},
        }
        chat = self.kind == "chat"
        return Question(clean(request.system), clean(request.prompt), chat, options)


@dataclass
class Ear:
    """Makes chunks of what the engine says.

    It holds back what may be the start of a stop sequence, but tells at once what its tokens are
    worth; so they wait here until there is text to go with them.
    """

    logprobs: int
    n_ctx: int
    ended: bool = False
    cut: bool = False
    tokens: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, piece: Body) -> Chunk | None:
        """Take a piece; give a chunk if there is something to tell."""
        if error := piece.get("error"):
            raise refused(error)
        choice: dict[str, Any] = next(iter(piece.get("choices") or ()), {})
        text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
        self.cut = self.cut or choice.get("finish_reason") == "length"
        if self.logprobs:
            self.tokens += (choice.get("logprobs") or {}).get("content") or []
        if usage := piece.get("usage"):
            return self._last(text, usage)
        if not text:
            return None
        tokens, self.tokens = spoken(self.tokens, text), []
        worth = sum(min(each["logprob"], 0.0) for each in tokens) if tokens else None
        return Chunk(text, finite(worth), self._likely(tokens))

    def _likely(self, tokens: list[dict[str, Any]]) -> dict[str, float] | None:
        if len(tokens) != 1:
            return None
        likely = tokens[0]["top_logprobs"][: self.logprobs]
        return {each["token"]: each["logprob"] for each in likely if isfinite(each["logprob"])}

    def _last(self, text: str, usage: dict[str, Any]) -> Chunk:
        self.ended = True
        full = self.cut and usage["total_tokens"] >= self.n_ctx
        return Chunk(
            text,
            is_final=True,
            usage=Usage(usage["prompt_tokens"], usage["completion_tokens"]),
            warning=f"the answer was cut: the context holds {self.n_ctx} tokens" if full else "",
        )


def spoken(tokens: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Leave out the token that ends an answer.

    What was held back comes with it, and it would count as very unlikely where a grammar ends
    the answer and not the model.
    """
    held = tokens[:-1]
    if not held or any(each["token"] for each in held):
        return tokens
    return held if "".join(map(held_text, held)) == text else tokens


def held_text(token: dict[str, Any]) -> str:
    """Give what a token says that was held back: it says it only among its alternatives."""
    alike = (each["token"] for each in token["top_logprobs"] if each.get("id") == token.get("id"))
    return next(alike, "")


def refused(error: dict[str, Any]) -> AgentLabError:
    """Say why the engine did not answer."""
    if error.get("type") == "exceed_context_size_error":
        asked, room = error.get("n_prompt_tokens"), error.get("n_ctx")
        return ProviderError(
            f"the prompt has {asked} tokens and the context holds {room}: shorten it "
            f"(AgentConfig.max_context_chars), or load the model with a larger n_ctx"
        )
    return ProviderError(f"the engine refused: {error.get('message', error)}")


def at_least(least: int, **given: int) -> None:
    """Raise unless every number is a whole one, at least so large, and one the engine can hold."""
    for name, value in given.items():
        if not is_whole(value) or value < least:
            raise InvalidValue(f"{name} must be >= {least}, got {value!r}")
        if value > MOST:
            raise InvalidValue(f"{name} must be <= {MOST}, got {value!r}")


def check_rest(temperature: float, seed: int | None, kind: str | None) -> None:
    """Raise unless they can be right."""
    if not isinstance(temperature, Real) or not 0 <= temperature < float("inf"):
        raise InvalidValue(f"temperature must be a number >= 0, got {temperature!r}")
    if seed is not None and not is_whole(seed):
        raise InvalidValue(f"seed must be a whole number, got {seed!r}")
    if kind not in (None, *get_args(Kind)):
        raise InvalidValue(f"kind must be 'base' or 'chat', got {kind!r}")


def is_whole(value: object) -> bool:
    """Tell whether it is a whole number; a truth value is none, one of NumPy is."""
    return isinstance(value, Integral) and not isinstance(value, bool)
