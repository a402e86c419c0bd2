"""Hosted models, against servers that do what a script says: no test here leaves this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured, ProviderError
from agentlab.core.protocols import Chunk, Request, Usage
from agentlab.core.sync import closing
from agentlab.models.anthropic import AnthropicProvider
from agentlab.models.hosted import HostedModel
from agentlab.models.llm import CompletionOptions, LlmProvider
from agentlab.models.openai import OpenAiProvider
from agentlab.models.sse import StreamBroken
from agentlab.models.wrapped import Retrying
from agentlab.resilience.retry import RetryPolicy
from tests.models.vendors import ANTHROPIC, KEY, OPENAI, VENDORS, Vendor, sse, text_delta
from tests.wire import CLOSE, HANG, LAST, RESET, STREAM, Act, head, reply, streamed, until, wire

ASKED = Request("Who are you?", system="Be brief.", stop=("\nObservation:",))
TEXT = "naïve 🌊 tide"
both = pytest.mark.parametrize("vendor", VENDORS, ids=str)


async def hear(model: HostedModel, request: Request = ASKED) -> list[Chunk]:
    """Ask and collect."""
    return [chunk async for chunk in model.stream(request)]


async def told(
    vendor: Vendor, *answers: list[Act], request: Request = ASKED, **settings: Any
) -> list[Chunk]:
    """Ask a server that answers so."""
    async with wire(*answers) as there, vendor.at(there.url, **settings) as model:
        return await hear(model, request)


def text_of(chunks: list[Chunk]) -> str:
    """Give the text."""
    return "".join(chunk.text for chunk in chunks)


def failure(work: Coroutine[Any, Any, Any]) -> ProviderError:
    """Give the error that some work ends in."""
    with pytest.raises(ProviderError) as caught:
        asyncio.run(work)
    return caught.value


@both
def test_w27_1(vendor: Vendor) -> None:
    """A canned reply is its text; the question goes where the vendor wants it, with the key."""

    async def scene() -> None:
        async with wire(reply(vendor.whole(TEXT))) as there, vendor.at(there.url) as model:
            assert await model.complete("Hi") == TEXT
            assert await model.complete("Hi", "other") == TEXT
            assert model.last_usage == Usage(9, 3)
            first, second = there.asked
        assert first.line == f"POST {vendor.path} HTTP/1.1"
        assert first.headers[vendor.key_header[0]] == vendor.key_header[1]
        assert first.headers["content-type"] == "application/json"
        assert first.body["messages"] == [{"role": "user", "content": "Hi"}]
        assert (first.body["model"], second.body["model"]) == ("m", "other")
        if vendor is ANTHROPIC:
            assert first.headers["anthropic-version"] == "2023-06-01"
            assert first.body["max_tokens"] == 1024

    asyncio.run(scene())


@both
def test_all_text_blocks_are_the_text(vendor: Vendor) -> None:
    """What is no text is passed over; an answer without any says what is missing."""
    blocks = [{"type": "thinking", "thinking": "hm"}, *({"type": "text", "text": t} for t in "ab")]
    whole = {"content": blocks} if vendor is ANTHROPIC else vendor.whole("ab")
    empty: dict[str, Any] = {"content": []} if vendor is ANTHROPIC else {"choices": []}
    what = "content[0].text" if vendor is ANTHROPIC else "choices[0].message.content"

    async def ask(body: dict[str, Any]) -> str:
        async with wire(reply(body)) as there, vendor.at(there.url) as model:
            return await model.complete("Hi")

    assert asyncio.run(ask(whole)) == "ab"
    assert f"response missing {what}" in str(failure(ask(empty)))


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
@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, 529, 400, 401, 403, 404, 302])
def test_statuses(vendor: Vendor, status: int) -> None:
    """Each is told with its text, and whether to try again follows from it."""
    error = failure(told(vendor, reply("no, for a reason", status)))

    name = "Anthropic" if vendor is ANTHROPIC else "OpenAI"
    assert str(error) == f"Provider error: {name} API error {status}: no, for a reason"
    assert error.status == status
    assert error.kind == ("transient" if status in {408, 409, 425, 429} | {500, 503, 529} else
                          "permanent")  # fmt: skip


@both
def test_w27_3(vendor: Vendor) -> None:
    """How long a vendor asks to be left alone is on the error: as seconds, or as a date."""
    error = failure(told(vendor, reply("slow down", 429, retry_after="2")))
    assert (error.kind, error.retry_after) == ("transient", 2.0)

    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    error = failure(told(vendor, reply("slow down", 503, retry_after=soon)))
    assert error.retry_after == pytest.approx(30, abs=3)

    for odd in ("-1", "nan", "inf", "soon", "", "Wed, 99 Foo 2020"):
        error = failure(told(vendor, reply("slow down", 429, retry_after=odd)))
        assert error.retry_after is None, odd


def test_a_plan_without_credit() -> None:
    """Waiting mends nothing, whatever the status says."""
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    assert failure(told(OPENAI, reply(body, 429))).kind == "permanent"
    assert failure(told(OPENAI, streamed(sse(body)))).kind == "permanent"


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
def test_w27_4(vendor: Vendor) -> None:
    """A base URL with a slash at its end joins without a second one."""

    async def scene() -> str:
        async with wire(reply(vendor.whole(TEXT))) as there:
            model = vendor.made.with_base_url(KEY, f"{there.url}{vendor.base}/")
            async with model:
                await model.complete("Hi", "m")
            return there.asked[0].line

    assert asyncio.run(scene()) == f"POST {vendor.path} HTTP/1.1"


def test_a_version_that_is_said_twice() -> None:
    """Anthropic's path begins with it, so a base URL may end in it."""
    assert AnthropicProvider(base_url="https://api.anthropic.com/v1/").at_home
    assert AnthropicProvider(base_url="http://host/v1").base_url == "http://host"


@both
def test_odd_text(vendor: Vendor) -> None:
    """Half a character in a prompt, a stop or an option is sent as what it is: unknown."""
    options = CompletionOptions("m\ud800", stop_sequences=("\ud800",), extra={"user": "\ud800"})

    async def scene() -> dict[str, Any]:
        async with wire(reply(vendor.whole("x"))) as there, vendor.at(there.url) as model:
            await model.complete_with_options("\ud800", options)
            body: dict[str, Any] = there.asked[0].body
            return body

    body = asyncio.run(scene())
    assert body["user"] == body["messages"][0]["content"] == "\ufffd"


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "host",
        "ftp://host",
        "http://",
        "http://me:pw@host",
        "http://:pw@host",
        "http://h/?pw",
    ],
)
@both
def test_what_is_no_base_url(vendor: Vendor, url: str) -> None:
    """It is refused at once, and a password in it is not told."""
    with pytest.raises(InvalidValue, match="base_url must be") as caught:
        vendor.made.with_base_url(KEY, url)
    assert "pw" not in str(caught.value)


@both
def test_w27_5(vendor: Vendor) -> None:
    """Its repr is one line without the key."""
    model = vendor.made(KEY, model="m", base_url="http://host/x", native_tools=True)
    kind = vendor.made.__name__

    assert repr(model) == f"<{kind} 'm', at host/x, native tools, key ***>"
    assert repr(vendor.made(model="m")) == f"<{kind} 'm'>"
    assert repr(vendor.made()) == f"<{kind} of any model>"


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
def test_a_time_out_of_one_call(vendor: Vendor) -> None:
    """An option of the call goes before what the provider was made with."""

    async def scene() -> None:
        async with wire([HANG]) as there, vendor.at(there.url) as model:
            with pytest.raises(ProviderError, match=r"within 0\.1 s"):
                await hear(model, Request("p", options={"timeout": 0.1}))
            with pytest.raises(ProviderError, match=r"within 0\.1 s"):
                await model.complete_with_options("p", CompletionOptions(timeout=0.1))

    asyncio.run(scene())


@both
def test_error_bodies_are_bounded(vendor: Vendor) -> None:
    """A long one is cut at 2000 characters, one that hangs is not waited for; no key is in it."""
    error = failure(told(vendor, reply(f"your key {KEY} " + "x" * 100_000, 401)))
    assert len(str(error)) < 2100
    assert "your key ***" in str(error)

    slow: list[Act] = [head(503, {"content-length": "10"}), b"half", HANG]
    error = failure(told(vendor, slow, timeout_s=0.2))
    assert (error.status, str(error).endswith("half")) == (503, True)


@both
def test_options_reach_the_vendor(vendor: Vendor) -> None:
    """Each under the vendor's own name; what a request says goes before the provider's own."""
    options = {"temperature": 0.5, "seed": 7, "max_tokens": 9, "top_p": 0.9}

    async def scene() -> list[dict[str, Any]]:
        async with (
            wire(streamed(vendor.events("x"))) as there,
            vendor.at(there.url, temperature=0.1, max_tokens=5, extra={"user": "u"}) as model,
        ):
            await hear(model)
            await hear(model, Request("p", stop=("a", "b"), options=options))
            return [each.body for each in there.asked]

    first, second = asyncio.run(scene())
    stops = "stop_sequences" if vendor is ANTHROPIC else "stop"
    assert (first["temperature"], first["max_tokens"], first["user"]) == (0.1, 5, "u")
    assert first[stops] == ["\nObservation:"]
    assert (second["temperature"], second["max_tokens"], second["top_p"]) == (0.5, 9, 0.9)
    assert second[stops] == ["a", "b"]
    assert first["stream"] is True
    if vendor is ANTHROPIC:
        assert first["system"] == "Be brief."
        assert "system" not in second
        assert "seed" not in second
    else:
        assert first["messages"][0] == {"role": "system", "content": "Be brief."}
        assert first["stream_options"] == {"include_usage": True}
        assert second["seed"] == 7


@both
def test_a_field_that_is_not_wanted(vendor: Vendor) -> None:
    """None in ``extra`` leaves out what would be sent: some models take no stops."""
    stops = "stop_sequences" if vendor is ANTHROPIC else "stop"

    async def scene() -> dict[str, Any]:
        async with (
            wire(streamed(vendor.events("x"))) as there,
            vendor.at(there.url, extra={stops: None}) as model,
        ):
            await hear(model)
            body: dict[str, Any] = there.asked[0].body
            return body

    assert stops not in asyncio.run(scene())


def test_a_seed_that_is_not_heeded_is_told_once() -> None:
    """Not at each of twenty steps."""

    async def scene() -> list[str]:
        async with (
            wire(streamed(ANTHROPIC.events("x"))) as there,
            ANTHROPIC.at(there.url, seed=7) as model,
        ):
            return [chunk.warning for _ in "ab" for chunk in await hear(model) if chunk.is_final]

    assert asyncio.run(scene()) == [
        "Anthropic takes no seed: equal questions may have other answers",
        "",
    ]


def test_the_vendor_itself_has_another_name_for_it() -> None:
    """OpenAI's newest models know ``max_completion_tokens`` alone, other servers the old name."""
    asked = CompletionOptions("m", max_tokens=3)
    home = OpenAiProvider(KEY)._body("p", asked, [])  # noqa: SLF001 - nobody here may ask there
    assert home["max_completion_tokens"] == 3
    assert "max_tokens" not in home


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


@both
def test_the_providers_contract(vendor: Vendor) -> None:
    """Pieces of text, with the options; each twin does the same without a loop."""

    async def scene() -> None:
        answers = streamed(vendor.events("a", "b"))
        async with wire(answers) as there, vendor.at(there.url) as model:
            options = CompletionOptions("n", system="s", stop_sequences=("z",))
            provider: LlmProvider = model
            assert [each async for each in model.stream_complete("p", "q", options)] == ["a", "b"]
            assert [each async for each in provider.stream_complete("p", "")] == ["a", "b"]
            assert [each.body["model"] for each in there.asked] == ["q", "m"]
            text = json.dumps(there.asked[0].body)
            assert '"s"' in text
            assert '"z"' in text

    asyncio.run(scene())


@both
def test_connections_are_used_again(vendor: Vendor) -> None:
    """Ten questions, streams and errors among them, go over one connection."""

    async def scene() -> int:
        answers = [streamed(vendor.events("x")), reply(vendor.whole("x")), reply("no", 400)] * 3
        async with wire(*answers, streamed(vendor.events("x"))) as there:
            async with vendor.at(there.url) as model:
                for _ in range(3):
                    await hear(model)
                    await model.complete("p")
                    with pytest.raises(ProviderError):
                        await model.complete("p")
                await hear(model)
            return there.connections

    assert asyncio.run(scene()) == 1


@both
def test_so_many_at_once(vendor: Vendor) -> None:
    """No more are under way than may be; the others wait their turn."""

    async def scene(n: int) -> int:
        slow = streamed(0.05, vendor.events("x"))
        model = vendor.made.with_max_concurrent_streams(KEY, n)
        async with wire(slow) as there:
            async with model.with_base_url(KEY, there.url + vendor.base):
                options = Request("p", model="m")
                await asyncio.gather(*(hear(model, options) for _ in range(8)))
            return there.most

    assert asyncio.run(scene(3)) == 3
    assert vendor.made(KEY).max_concurrent_streams == 32


@both
def test_two_loops_in_turn(vendor: Vendor) -> None:
    """One provider serves a loop, then another, and blocking callers; each closes what was its."""
    model = vendor.at("http://127.0.0.1:1")

    async def scene() -> None:
        async with wire(streamed(vendor.events(TEXT))) as there:
            model.with_base_url(KEY, there.url + vendor.base)
            assert text_of(await hear(model)) == TEXT
            await asyncio.gather(*(hear(model) for _ in range(3)))
            assert there.open == 3
            await model.aclose()

    for _ in range(3):
        asyncio.run(scene())


@both
def test_closed_while_one_waits_for_its_turn(vendor: Vendor) -> None:
    """It is asked all the same when its turn comes, and no connection is left of it."""

    async def scene() -> None:
        long = streamed(vendor.events("one "), HANG)
        async with wire(long, streamed(vendor.events(TEXT))) as there:
            model = vendor.at(there.url, max_concurrent_streams=1)
            first = asyncio.create_task(hear(model))
            await until(lambda: len(there.asked) == 1)
            second = asyncio.create_task(hear(model))
            await asyncio.sleep(0)
            await model.aclose()
            first.cancel()
            await asyncio.wait([first])
            assert text_of(await second) == TEXT
            await until(lambda: not there.open)

    asyncio.run(scene())


@both
def test_a_loop_that_ends_closes_its_connections(vendor: Vendor) -> None:
    """Nobody has to: there is no warning of a socket that was left, and it can be asked again."""
    model = vendor.at("http://127.0.0.1:1")

    async def serve(ready: Callable[[str], Coroutine[Any, Any, None]]) -> int:
        async with wire(streamed(vendor.events(TEXT))) as there:
            await asyncio.to_thread(asyncio.run, ready(there.url))
            await until(lambda: not there.open)
            return there.connections

    async def ask(url: str) -> None:
        model.with_base_url(KEY, url + vendor.base)
        assert text_of(await hear(model)) == TEXT

    assert asyncio.run(serve(ask)) == 1
    assert asyncio.run(serve(ask)) == 1


@both
@pytest.mark.parametrize("when", ["before the answer", "in the answer", "waiting for its turn"])
def test_cancelling_leaves_nothing(vendor: Vendor, when: str) -> None:
    """No task, no connection and no slot is left, and the server sees that nobody listens."""
    acts = [HANG] if when == "before the answer" else streamed(vendor.events("ab")[:-60], HANG)

    async def scene() -> None:
        async with wire(acts) as there, vendor.at(there.url, max_concurrent_streams=1) as model:
            tasks = [asyncio.create_task(hear(model)) for _ in "ab"]
            await until(lambda: there.busy > 0)
            victim = tasks[1 if when == "waiting for its turn" else 0]
            victim.cancel()
            with pytest.raises(asyncio.CancelledError):
                await victim
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await until(lambda: not there.open)
            line = await model._lines.get()  # noqa: SLF001 - what must be free
            assert not line.slots.locked()
            assert there.hung_up >= 1
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert [each for each in others if "hear" in repr(each)] == []

    asyncio.run(scene())


@both
def test_cancelling_at_any_moment(vendor: Vendor) -> None:
    """Wherever it was, no slot is taken for ever and no connection is left."""

    async def scene() -> int:
        body = vendor.events("ab", "cd")
        acts = streamed(*(body[at : at + 40] for at in range(0, len(body), 40)))
        through = 0
        async with wire(acts) as there, vendor.at(there.url, max_concurrent_streams=1) as model:
            for ticks in range(120):
                task = asyncio.create_task(hear(model))
                for _ in range(ticks):
                    await asyncio.sleep(0)
                task.cancel()
                (ended,) = await asyncio.gather(task, return_exceptions=True)
                through += isinstance(ended, list)
                assert isinstance(ended, list | asyncio.CancelledError), ended
            async with asyncio.timeout(5):
                assert text_of(await hear(model)) == "abcd"
            await until(lambda: there.open <= 1)
        return through

    assert asyncio.run(scene()) < 120


@both
def test_leaving_early_hangs_up(vendor: Vendor) -> None:
    """Who has heard enough closes the stream, and with it the connection."""

    async def scene() -> None:
        begun = vendor.events("ab", "cd")
        acts = streamed(begun[: begun.index(vendor.ended)], HANG)
        async with wire(acts) as there, vendor.at(there.url) as model:
            async with closing(model.stream(ASKED)) as chunks:
                assert (await anext(chunks)).text == "ab"
            await until(lambda: not there.open)
            assert there.hung_up == 1

    asyncio.run(scene())


@both
def test_trying_again_as_the_vendor_asks(vendor: Vendor) -> None:
    """After the pause it asks for, at most a minute; never once text was shown."""
    clock = FakeClock()
    policy = RetryPolicy.exponential(4, 10, clock=clock)
    good, body = streamed(vendor.events(TEXT)), vendor.events("so far")
    cut = streamed(body[: body.index(vendor.ended)])
    busy = reply("busy", 429, retry_after="7")

    async def ask(*answers: list[Act]) -> tuple[list[Chunk], int]:
        async with wire(*answers) as there, vendor.at(there.url) as model:
            asked = Retrying(model, policy).stream(ASKED)
            return [chunk async for chunk in asked], len(there.asked)

    began = clock.monotonic()
    chunks, times = asyncio.run(ask(busy, reply("", 503, retry_after="9999"), good))
    assert (text_of(chunks), times) == (TEXT, 3)
    assert clock.monotonic() - began == pytest.approx(67)
    assert "trying again in 7 s" in chunks[0].warning

    error = failure(ask(cut, good))
    assert vars(error)["attempts"] == 1
    assert failure(ask(reply("no", 401), good)).status == 401


@both
def test_nothing_is_asked_without_a_key_or_a_model(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has neither is told which variable, and which argument."""
    monkeypatch.delenv(vendor.made.variable, raising=False)
    with pytest.raises(NotConfigured, match=f"missing '{vendor.made.variable}'"):
        vendor.made(model="m").complete_sync("p")
    with pytest.raises(NotConfigured, match=r"missing 'model' .*model=…"):
        vendor.made(KEY).complete_sync("p")

    monkeypatch.setenv(vendor.made.variable, KEY)
    assert vendor.made(model="m").key_from == vendor.made.variable


@both
def test_the_environments_key_goes_to_the_vendor_alone(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server gets no key but one that was given for it."""
    monkeypatch.setenv(vendor.made.variable, KEY)

    async def scene() -> dict[str, str]:
        async with wire(reply(vendor.whole(TEXT))) as there, vendor.at(there.url, None) as model:
            await model.complete("p")
            return there.asked[0].headers

    headers = asyncio.run(scene())
    assert vendor.key_header[0] not in headers
    assert KEY not in str(headers)


@pytest.mark.parametrize("key", ["", " ", "two words", "line\nbreak-1234567890", "ключ-1234567890"])
def test_what_is_no_key(key: str) -> None:
    """It is refused before it could break a header, and not shown; blanks round one are cut."""
    with pytest.raises(InvalidValue, match="must be a key") as caught:
        AnthropicProvider(key)
    assert key.strip() == "" or key not in str(caught.value)
    assert AnthropicProvider(f" {KEY}\n")._key == AnthropicProvider(KEY)._key  # noqa: SLF001


def test_settings_that_can_never_be_right() -> None:
    """Are refused with their value."""
    for wrong in (
        {"timeout_s": 0},
        {"max_tokens": 0},
        {"temperature": -1},
        {"max_concurrent_streams": 0},
        {"temperature": float("nan")},
    ):
        with pytest.raises(InvalidValue):
            OpenAiProvider(KEY, **wrong)
    with pytest.raises(InvalidValue, match="several texts"):
        CompletionOptions(stop_sequences="stop")  # type: ignore[arg-type]


def test_a_delta_of_another_kind_is_passed_over() -> None:
    """Thinking is no text."""
    thinking = {"type": "content_block_delta", "index": 0, "delta": {"thinking": "hm"}}
    body = [sse(thinking), sse(text_delta("x")), ANTHROPIC.ended]
    assert text_of(asyncio.run(told(ANTHROPIC, streamed(*body)))) == "x"
