"""Streams of hosted models, in pieces and cut, against servers that do what a script says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Chunk, Request, Usage
from agentlab.models.hosted import HostedModel
from agentlab.models.sse import StreamBroken
from tests.models.asking import ASKED, TEXT, both, failure, hear, text_of, told
from tests.models.vendors import ANTHROPIC, KEY, OPENAI, Vendor, sse, text_delta
from tests.wire import CLOSE, HANG, LAST, RESET, STREAM, Act, reply, streamed, wire


@both
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_w27_2(vendor: Vendor, end: bytes) -> None:
    """A stream in chunks of one byte, with any line ends, is the exact text, in order."""
    body = b"\xef\xbb\xbf" + vendor.events(*TEXT).replace(b"\n", end)
    chunks = asyncio.run(told(vendor, streamed(*(bytes([each]) for each in body))))
    *pieces, last = chunks

    assert [chunk.text for chunk in pieces] == [*TEXT]
    assert last == Chunk("", is_final=True, usage=Usage(9, 3))


@both
@pytest.mark.parametrize("odd", [3, [], {"type": {"a": []}, "code": [1], "message": {}}, True])
def test_odd_errors_in_a_stream(vendor: Vendor, odd: Any) -> None:
    """Whatever a server calls an error, it is raised as one of ours."""
    error = failure(told(vendor, streamed(sse({"type": "error", "error": odd}))))

    assert isinstance(error, StreamBroken)
    assert error.kind == "transient"


@both
def test_a_stream_that_is_cut_with_tools(vendor: Vendor) -> None:
    """The text so far is all there, though it could not be told yet what it was."""
    body = vendor.events("I look ", "it up.")
    asked = Request("p", options={"tools": []})
    error = failure(told(vendor, streamed(body[: body.index(vendor.ended)]), request=asked))

    assert isinstance(error, StreamBroken)
    assert error.partial == "I look it up."


def test_a_token_whose_worth_is_not_told() -> None:
    """A server that leaves out how likely a token was has its text heard all the same."""
    token = {"token": "x", "logprob": None, "top_logprobs": None}
    piece = {"choices": [{"delta": {"content": "x"}, "logprobs": {"content": [token]}}]}
    chunk = asyncio.run(told(OPENAI, streamed(sse(piece), OPENAI.ended)))[0]

    assert (chunk.text, chunk.logprob, chunk.top) == ("x", None, None)


@both
def test_w27_6(vendor: Vendor) -> None:
    """Comments, odd spaces, and characters that only look like line ends change nothing."""
    odd = "a\u2028b\u0085c\x0cd"
    body = vendor.events(odd, "e").replace(b"data: ", b"data:", 1)
    body = b"id: 1\n\n: ping\n\n" + body.replace(b"\n\n", b"\n\n: ping\n\n")
    if vendor is OPENAI:
        body = body.replace(b"data: [DONE]", b"data:   [DONE] ")
    half = body.index(b"\n\n") + 1
    chunks = asyncio.run(told(vendor, streamed(body[:half], body[half:])))

    assert text_of(chunks) == f"{odd}e"
    assert chunks[-1].usage == Usage(9, 3)


def test_usage_in_the_last_content_chunk() -> None:
    """It counts there too."""
    usage = {"prompt_tokens": 4, "completion_tokens": 1}
    last = {"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": usage}
    chunks = asyncio.run(told(OPENAI, streamed(sse(last), OPENAI.ended)))

    assert (text_of(chunks), chunks[-1].usage) == ("x", Usage(4, 1))


@both
def test_an_error_in_mid_stream(vendor: Vendor) -> None:
    """It is raised with the text so far, and without the key that it holds."""
    body = vendor.events("so ", "far")
    begun = body[: body.index(vendor.ended)]
    error = failure(told(vendor, streamed(begun, vendor.error, b": more\n\n")))

    assert isinstance(error, StreamBroken)
    assert (error.partial, error.status, error.kind) == ("so far", 529, "transient")
    assert "busy ***" in str(error)
    assert KEY not in str(error)


async def broken(model: HostedModel) -> tuple[str, StreamBroken]:
    """Ask somebody whose answer breaks off, and give what was heard and how it ended."""
    heard = ""
    try:
        async for chunk in model.stream(ASKED):
            heard += chunk.text
    except StreamBroken as error:
        return heard, error
    raise AssertionError("it was whole")


@both
@pytest.mark.parametrize("ending", [LAST, CLOSE, RESET], ids=["ended", "closed", "reset"])
def test_every_cut(vendor: Vendor, ending: Act) -> None:
    """A stream cut anywhere before its end marker is a transient error with the text so far."""
    body = vendor.events("ab", "cd")
    end = body.index(vendor.ended)
    cuts = [*range(0, end, 7), end, end + len(vendor.ended) - 3]

    last: list[Act] = [ending] if isinstance(ending, bytes) else [0.01, ending]

    async def scene() -> list[tuple[str, str]]:
        acts = [[*streamed(body[:at], end=b""), *last] for at in cuts]
        seen = []
        async with wire(*acts) as there, vendor.at(there.url) as model:
            for at in cuts:
                text, error = await broken(model)
                assert error.partial == text, at
                seen.append((str(error.kind), error.partial))
        return seen

    seen = asyncio.run(scene())
    assert {kind for kind, _ in seen} == {"transient"}
    assert {partial for _, partial in seen} == {"", "ab", "abcd"}


@both
def test_what_cannot_be_read(vendor: Vendor) -> None:
    """An event, or a reply, that is no JSON of theirs says so, and how it begins."""
    error = failure(told(vendor, streamed(b"data: <html>\n\n")))
    assert "response cannot be read" in str(error)
    assert "<html>" in str(error)

    error = failure(told(vendor, streamed(b"data: [1]\n\n")))
    assert "response cannot be read" in str(error)


@both
def test_a_server_without_streams(vendor: Vendor) -> None:
    """An answer that came whole though a stream was asked for is one piece."""
    chunks = asyncio.run(told(vendor, reply(vendor.whole(TEXT))))

    assert [chunk.text for chunk in chunks] == [TEXT, ""]
    assert chunks[-1].usage == Usage(9, 3)


@both
def test_a_long_line(vendor: Vendor) -> None:
    """One of a megabyte comes through."""
    text = "x" * 1_000_000
    assert text_of(asyncio.run(told(vendor, streamed(vendor.events(text))))) == text


@both
@pytest.mark.parametrize(
    "acts",
    [
        [HANG],
        [b"HTTP/1.1 200 OK\r\ncontent-", HANG],
        [STREAM, HANG],
        [*streamed(b": ping\n\nda", end=b""), HANG],
        [b"HTTP/1.1 200 OK\r\nx: ", *[b"y", 0.05] * 200],
        [STREAM, *[b"1\r\nx\r\n", 0.05] * 200],
        [STREAM, *[b"1\r\n ", 0.05, b"\r\n"] * 200],
    ],
    ids=["silent", "half a header", "no body", "half an event", "slow header", "slow body", "drip"],
)
def test_whoever_never_answers(vendor: Vendor, acts: list[Act]) -> None:
    """Silence, and a byte now and then, end as a transient error."""
    took = asyncio.run(timed(vendor, acts))
    assert took < 5


async def timed(vendor: Vendor, acts: list[Act]) -> float:
    """Ask somebody who does not answer, and give the seconds until that was told."""
    clock = asyncio.get_running_loop().time
    async with wire(acts) as there, vendor.at(there.url, timeout_s=0.3) as model:
        began = clock()
        with pytest.raises(ProviderError) as caught:
            await hear(model)
        took = clock() - began
    assert caught.value.kind == "transient"
    assert "0.3 s" in str(caught.value)
    return took


@both
def test_thinking_for_long(vendor: Vendor) -> None:
    """A server that says now and then that it is alive is waited for."""
    pings: list[Act] = [b": ping\n\n", 0.3]
    acts = streamed(*pings * 5, vendor.events(TEXT))
    assert text_of(asyncio.run(told(vendor, acts, timeout_s=1.0))) == TEXT


@both
def test_an_answer_that_was_cut_says_so(vendor: Vendor) -> None:
    """As a warning, with the last chunk."""
    ending = "max_tokens" if vendor is ANTHROPIC else "length"
    *_, last = asyncio.run(told(vendor, streamed(vendor.events("x", ending=ending))))
    assert last.warning == "the answer was cut: raise max_tokens"


def test_log_probabilities() -> None:
    """A server that tells them is heard."""
    worth = {
        "content": [
            {"token": "x", "logprob": -0.5, "top_logprobs": [{"token": "y", "logprob": -1.0}]}
        ]
    }
    piece = {"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": worth}]}
    chunk, _ = asyncio.run(told(OPENAI, streamed(sse(piece), OPENAI.ended)))

    assert chunk == Chunk("x", -0.5, {"y": -1.0})


def test_a_delta_of_another_kind_is_passed_over() -> None:
    """Thinking is no text."""
    thinking = {"type": "content_block_delta", "index": 0, "delta": {"thinking": "hm"}}
    body = [sse(thinking), sse(text_delta("x")), ANTHROPIC.ended]
    assert text_of(asyncio.run(told(ANTHROPIC, streamed(*body)))) == "x"
