"""What models at the other end of a wire have in common, whoever sells them."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentlab.core.bounds import at_least_one, positive
from agentlab.core.chained import chained
from agentlab.core.doors import Displayable
from agentlab.core.errors import NotConfigured
from agentlab.core.loops import PerLoop
from agentlab.core.protocols import Chunk, Request, Usage
from agentlab.core.secrets import Secret, scrub
from agentlab.core.sync import closing, twin
from agentlab.core.text import canonical, clean
from agentlab.models.ear import Ear, heard
from agentlab.models.llm import CompletionOptions, options_of
from agentlab.models.native import are_ours
from agentlab.models.wire import Letter, Line, a_key, answered, endpoint, whole

if TYPE_CHECKING:
    from typing import Self

    import httpx

NATIVE = "native"  # the prompt profile that has the tools sent in the vendor's own way


class HostedModel(Displayable):
    """Answers over HTTP: what every vendor's provider is.

    It is a :class:`~agentlab.Model` and an :class:`~agentlab.LlmProvider`. Connections are used
    again, those of each running loop for themselves, and closed with the loop or by
    :meth:`aclose`. Whoever leaves an answer hangs up, so that the server stops.

    Parameters
    ----------
    api_key : str or Secret, optional
        By default that of the environment, which is sent to the vendor alone: another
        ``base_url`` gets a key only if it is given here.
    model : str
        Which model answers; without one each question names it.
    base_url : str, optional
        Another server that speaks the same.
    temperature, seed, max_tokens : optional
        Where a request does not say.
    timeout_s : float
        Seconds to wait for a connection, for the answer to begin, and for each line of it.
    native_tools : bool
        Send the tools in the vendor's own way, and tell its calls as the text of a step: what
        reads an answer, or replays it, sees no difference. It is the prompt profile ``native``.
    profile : str, optional
        How the model is best told what to do; ``AgentConfig.profile`` goes before it.
    extra : dict, optional
        Whatever else to send with each question, as the vendor documents it; None leaves a field
        out that would be sent, such as ``{"stop": None}`` for a model that takes no stops.
    max_concurrent_streams : int
        How many questions may be under way on a loop; further ones wait.

    Raises
    ------
    InvalidValue
        A setting that can never be right.
    """

    ear: ClassVar[type[Ear]]
    variable: ClassVar[str]  # of the environment, that holds the key
    home: ClassVar[str]
    path: ClassVar[str]
    headers: ClassVar[dict[str, str]] = {}
    streaming: ClassVar[dict[str, Any]] = {}  # what to send besides, for an answer in pieces

    def __init__(  # noqa: PLR0913 - settings, all by name
        self,
        api_key: str | Secret | None = None,
        *,
        model: str = "",
        base_url: str | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
        timeout_s: float = 60.0,
        native_tools: bool = False,
        profile: str | None = None,
        extra: dict[str, Any] | None = None,
        max_concurrent_streams: int = 32,
    ) -> None:
        self.model = clean(model)
        self.timeout_s = positive("timeout_s", timeout_s)
        self.defaults = CompletionOptions(
            self.model, max_tokens, temperature, seed=seed, extra=dict(extra or {})
        )
        self.native_tools, self._profile = native_tools, profile
        self.last_usage: Usage | None = None
        self._set(
            api_key,
            base_url=self.home if base_url is None else base_url,
            slots=max_concurrent_streams,
        )

    def __repr__(self) -> str:
        said = [
            repr(self.model) if self.model else "",
            "" if self.at_home else f"at {self.base_url.partition('://')[2]}",
            "native tools" if self.native_tools else "",
            f"key {self._key}" if self._key else "",
        ]
        return scrub(f"<{type(self).__name__} {', '.join(filter(None, said)) or 'of any model'}>")

    @chained
    def with_base_url(self, api_key: str | Secret | None, url: str) -> None:
        """Ask another server that speaks the same, with this key, or with none.

        Called on an instance, it changes that one.
        """
        self._set(api_key, base_url=url)

    @chained
    def with_max_concurrent_streams(self, api_key: str | Secret | None, n: int) -> None:
        """Have so many questions under way on a loop; further ones wait.

        Called on an instance, it changes that one.
        """
        self._set(api_key, slots=n)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def name(self) -> str:
        """What it is called: its model, if it has one."""
        return self.model or type(self).__name__

    @property
    def needs_model(self) -> bool:
        """Whether each question must name a model."""
        return not self.model

    @property
    def profile(self) -> str | None:
        """How it is best told what to do."""
        return self._profile or (NATIVE if self.native_tools else None)

    @property
    def at_home(self) -> bool:
        """Whether it asks the vendor, and not another server that speaks the same."""
        return self.base_url == self.home

    @property
    def key_from(self) -> str:
        """Where its key is from: ``api_key``, a variable of the environment, or nowhere."""
        if self._key is not None:
            return "api_key"
        return self.variable if self.at_home and os.environ.get(self.variable) else ""

    async def complete(self, prompt: str, model: str = "") -> str:
        """Give the whole answer of a model, by default its own.

        Raises
        ------
        NotConfigured
            There is no key, or no model is named.
        ProviderError
            The vendor cannot be reached, says no, or its answer has no text.
        """
        return await self.complete_with_options(prompt, CompletionOptions(model))

    async def complete_with_options(self, prompt: str, options: CompletionOptions) -> str:
        """Give the whole answer, as the options say; raises as :meth:`complete` does."""
        letter, ear = self._letter(prompt, options, stream=False)
        async with answered(await self._lines.get(), letter) as response:
            text = ear.read(await whole(response, letter))
        self.last_usage = ear.usage
        return text

    async def stream_complete(
        self, prompt: str, model: str = "", options: CompletionOptions | None = None
    ) -> AsyncIterator[str]:
        """Give the answer in pieces, as they come; raises as :meth:`complete` does.

        What had come of a stream that broke off is the error's ``partial``.
        """
        options = options or CompletionOptions()
        if model:
            options = msgspec.structs.replace(options, model=model)
        async with closing(self._stream(prompt, options)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    yield chunk.text

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Answer; the last chunk has the usage, as the vendor counted it. Raises as above."""
        named = "" if request.model == type(self).__name__ else request.model
        options = msgspec.structs.replace(options_of(request), model=self.model or named)
        async with closing(self._stream(request.prompt, options)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def aclose(self) -> None:
        """Close the connections of all loops; a question asked later opens others."""
        await self._lines.aclose()

    complete_sync = twin(complete)
    complete_with_options_sync = twin(complete_with_options)
    aclose_sync = twin(aclose)

    async def _stream(self, prompt: str, options: CompletionOptions) -> AsyncIterator[Chunk]:
        letter, ear = self._letter(prompt, options, stream=True)
        async with answered(await self._lines.get(), letter) as response:
            if "json" in response.headers.get("content-type", ""):  # it knows no streams
                yield Chunk(ear.read(await whole(response, letter)))
            else:
                async with closing(heard(response.aiter_bytes(), ear, letter.timeout_s)) as chunks:
                    async for chunk in chunks:
                        yield chunk
        self.last_usage = ear.usage
        warning = "; ".join(filter(None, (ear.warning(), self._unheeded(options))))
        yield Chunk("", is_final=True, usage=ear.usage, warning=warning)

    def _letter(
        self, prompt: str, options: CompletionOptions, *, stream: bool
    ) -> tuple[Letter, Ear]:
        """Write the question down, and give who is to hear the answer."""
        asked = self._settled(options)
        extra = dict(asked.extra)
        ear = self.ear(extra.pop("tools") if are_ours(extra.get("tools")) else None)
        if self.at_home:
            extra.pop("grammar", None)  # which only servers of one's own know
        body = self._body(prompt, asked, ear.names.tools)
        body |= {"stream": stream, **(self.streaming if stream else {}), **extra}
        sent = {name: value for name, value in body.items() if value is not None}
        letter = Letter(
            ear.vendor,
            self._endpoint,
            msgspec.json.encode(canonical(sent)),
            asked.timeout or self.timeout_s,
            self._signed,
            self.headers,
        )
        return letter, ear

    def _settled(self, options: CompletionOptions) -> CompletionOptions:
        """Give the options with what is ours where they do not say."""
        kind, ours = type(self).__name__, self.defaults
        if not (options.model or ours.model):
            raise NotConfigured("model", f"{kind}(model=…), or name one in AgentConfig")
        if self.at_home and not self.key_from:
            raise NotConfigured(self.variable, f"set it in the environment, or pass {kind}(key)")
        names = ("model", "max_tokens", "temperature", "seed")
        unsaid = {
            name: getattr(ours, name) for name in names if getattr(options, name) in (None, "")
        }
        return msgspec.structs.replace(
            options,
            **unsaid,
            extra={**ours.extra, **options.extra},
        )

    def _signed(self, request: httpx.Request) -> httpx.Request:
        """Put the key on a request that is being sent."""
        key = self._key
        if key is None and self.key_from:
            key = a_key(os.environ[self.variable], self.variable)
        if key is not None:
            self._sign(request.headers, key)
        return request

    def _set(
        self, api_key: str | Secret | None, *, base_url: str | None = None, slots: int | None = None
    ) -> None:
        self._key = None if api_key is None else a_key(api_key, "api_key")
        if base_url is not None:
            base_url = str(base_url).strip().rstrip("/")
            said_twice = "/v1" if self.path.startswith("/v1/") else ""
            self.base_url = base_url.removesuffix(said_twice)
            self._endpoint = endpoint(self.base_url, self.path)
        if slots is not None:
            count = at_least_one("max_concurrent_streams", slots)
            self.max_concurrent_streams = count
            self._lines = PerLoop(lambda: Line(count), Line.aclose)

    def _unheeded(self, asked: CompletionOptions) -> str:  # noqa: ARG002 - of those who heed all
        """Say what of the options the vendor does not know."""
        return ""

    @abstractmethod
    def _sign(self, headers: httpx.Headers, key: Secret) -> None: ...

    @abstractmethod
    def _body(
        self, prompt: str, asked: CompletionOptions, tools: list[dict[str, Any]]
    ) -> dict[str, Any]: ...
