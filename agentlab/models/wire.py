"""A question over HTTP, and an answer that comes in pieces: what can go wrong there, and its name.

No frame of what sends a request is left in a traceback, for its variables hold the key.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import msgspec

from agentlab.core.clock import SYSTEM_CLOCK
from agentlab.core.errors import InvalidValue, ProviderError, explain
from agentlab.core.secrets import Secret, scrub
from agentlab.core.sync import closing
from agentlab.core.text import clean, cut
from agentlab.models.catalogue import shown

if TYPE_CHECKING:
    import httpx

MAX_ERROR_CHARS = 2000
MAX_ERROR_BYTES = 64 * 1024
MAX_REPLY_BYTES = 64 * 1024 * 1024
ERROR_BODY_S = 5.0
IDLE_S = 30.0
# A plan without credit answers like one that is asked too often, but waiting mends nothing.
OUT_OF_CREDIT = "insufficient_quota"


class Letter(msgspec.Struct, frozen=True):
    """What is sent, to whom, and how long to wait: to connect, to be answered, for each line."""

    vendor: str
    url: str
    body: bytes
    timeout_s: float
    sign: Callable[[httpx.Request], httpx.Request]  # is given the request when it is sent
    headers: dict[str, str] = {}


class Line:
    """What one loop asks over: connections that are used again, and so many slots.

    Parameters
    ----------
    slots : int
        How many questions may be under way; further ones wait.
    """

    def __init__(self, slots: int) -> None:
        import httpx

        self.slots = asyncio.Semaphore(slots)
        self._limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=slots, keepalive_expiry=IDLE_S
        )
        self._trust = httpx.create_ssl_context()
        self._readers: Counter[httpx.AsyncClient] = Counter()
        self._client = self._new()
        self._over = False

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the connections; whoever reads last over those that were given up closes them."""
        client = self._client
        self._readers[client] += 1
        try:
            yield client
        finally:
            self._readers[client] -= 1
            if (self._over or client is not self._client) and not self._readers[client]:
                del self._readers[client]
                await client.aclose()

    def give_up(self, client: httpx.AsyncClient) -> None:
        """Use other connections from now on.

        Where sending was interrupted, one may be left that httpx would neither use nor close.
        """
        if client is self._client:
            self._client = self._new()

    async def aclose(self) -> None:
        """Close the connections; whoever waited for a slot meanwhile asks over others."""
        self._over = True
        client, self._client = self._client, self._new()
        await client.aclose()

    def _new(self) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(verify=self._trust, limits=self._limits)


@asynccontextmanager
async def answered(line: Line, letter: Letter) -> AsyncIterator[httpx.Response]:
    """Send a letter, and hold the answer while it is read; who leaves early hangs up.

    Raises
    ------
    ProviderError
        There is no answer, which is transient, or it says no.
    """
    async with line.slots, line.lent() as client:
        try:
            response = await sent(client, letter)
        except BaseException:
            line.give_up(client)
            raise
        try:
            if not response.is_success:
                raise await refusal(letter.vendor, response)
            yield response
        finally:
            await response.aclose()


async def sent(client: httpx.AsyncClient, letter: Letter) -> httpx.Response:
    """Send a letter and wait until an answer begins."""
    headers = {"content-type": "application/json", "accept-encoding": "identity", **letter.headers}
    request = client.build_request(
        "POST", letter.url, content=letter.body, headers=headers, timeout=letter.timeout_s
    )
    try:
        async with asyncio.timeout(2 * letter.timeout_s):  # to connect, and to be answered
            return await client.send(request, stream=True, auth=letter.sign)
    except Exception as error:  # noqa: BLE001 - what is none of the network's is ours, and told so
        failure = named(letter, error)
    raise failure  # here, where the frames of what went wrong are no context of it


def named(letter: Letter, error: Exception) -> Exception:
    """Give what went wrong on the way its name."""
    import httpx

    match error:
        case httpx.TimeoutException() | TimeoutError():
            why = f"did not answer within {letter.timeout_s:g} s ({type(error).__name__})"
            return ProviderError(f"{letter.vendor} API {why}", transient=True)
        case httpx.RequestError() | OSError():
            ours = isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
            why = f"cannot be reached at {shown(letter.url)} ({scrub(explain(error))})"
            return ProviderError(f"{letter.vendor} API {why}", transient=not ours)
        case _:
            return error


async def refusal(vendor: str, response: httpx.Response) -> ProviderError:
    """Make the error of an answer that says no, with as much of its text as is fit to be shown."""
    body = bytearray()
    with suppress(Exception):  # the status says enough
        async with asyncio.timeout(ERROR_BODY_S):
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_ERROR_BYTES:
                    break
    text = excerpt(body.decode("utf-8", "replace")) or response.reason_phrase
    return ProviderError(
        f"{vendor} API error {response.status_code}: {text}",
        status=response.status_code,
        retry_after=retry_after(response.headers),
        transient=False if OUT_OF_CREDIT in text else None,
    )


def excerpt(text: str) -> str:
    """Give so much of a vendor's text as may stand in an error, without keys."""
    return cut(scrub(clean(text.strip())), MAX_ERROR_CHARS)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a server asks to be left alone, as a number or as a date.

    >>> retry_after({"retry-after": "2"}), retry_after({"retry-after-ms": "1500"})
    (2.0, 1.5)
    >>> retry_after({"retry-after": "soon"})
    """
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            seconds = float(headers.get(name, "")) / unit
            if 0 <= seconds < math.inf:
                return seconds
    with suppress(ValueError, TypeError):  # TypeError: a date without a zone
        at = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (at - SYSTEM_CLOCK.now()).total_seconds())
    return None


async def lively(pieces: AsyncIterator[bytes], timeout_s: float) -> AsyncIterator[bytes]:
    """Pass a body on, unless nothing ends a line of it in ``timeout_s`` of waiting.

    A server may think for long, and say so by empty lines and comments. One that sends a byte now
    and then is as good as dead.
    """
    import httpx

    clock, left = asyncio.get_running_loop().time, timeout_s
    async with closing(pieces) as body:
        while True:
            began = clock()
            try:
                piece = await anext(body, None)
            except httpx.ReadTimeout:
                piece, left = b"", 0.0
            if piece is None:
                return
            ends = b"\n" in piece or b"\r" in piece
            left = timeout_s if ends else left - (clock() - began)
            if left <= 0:
                raise TimeoutError(f"no line in {timeout_s:g} s")
            yield piece


async def whole(response: httpx.Response, letter: Letter) -> bytes:
    """Read a body that is not to be read as it comes.

    Raises
    ------
    ProviderError
        It breaks off, takes too long, or is far too long.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(letter.timeout_s):
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_REPLY_BYTES:
                    break
    except Exception as error:  # noqa: BLE001 - what is not the network's fault is told as it is
        raise named(letter, error) from None
    if len(body) > MAX_REPLY_BYTES:
        raise ProviderError(f"{letter.vendor} response has more than {MAX_REPLY_BYTES} bytes")
    return bytes(body)


def endpoint(base_url: str, path: str) -> str:
    """Join a base URL and a path.

    >>> endpoint("http://127.0.0.1:8080/v1/", "/chat/completions")
    'http://127.0.0.1:8080/v1/chat/completions'

    Raises
    ------
    InvalidValue
        It is no address to ask over HTTP.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(base_url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise InvalidValue(f"base_url must be like https://host/v1, got {shown(base_url)!r}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidValue(
            f"base_url must be only scheme, host and path, got more than {shown(base_url)!r}:"
            " give the key as api_key"
        )
    return f"{base_url.rstrip('/')}{path}"


def a_key(key: str | Secret, name: str) -> Secret:
    """Give a key that can be sent; what it is, is not told where it cannot.

    Raises
    ------
    InvalidValue
        It is empty, or has letters that no key has.
    """
    text = key.reveal() if isinstance(key, Secret) else key
    if not isinstance(text, str) or not re.fullmatch(r"[!-~]+", text := text.strip()):
        raise InvalidValue(f"{name} must be a key, in plain letters without spaces, and is not one")
    return Secret(text)
