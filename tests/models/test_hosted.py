"""Hosted models, against servers that do what a script says: no test here leaves this machine."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue, NotConfigured, ProviderError
from agentlab.core.protocols import Request, Usage
from agentlab.models.anthropic import AnthropicProvider
from agentlab.models.llm import CompletionOptions, LlmProvider
from tests.models.asking import TEXT, both, failure, hear, told
from tests.models.vendors import ANTHROPIC, KEY, OPENAI, Vendor, sse
from tests.wire import HANG, Act, head, reply, streamed, wire


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
    for make in (vendor.made.with_base_url, lambda key, url: vendor.made(key, base_url=url)):
        with pytest.raises(InvalidValue, match="base_url must be") as caught:
            make(KEY, url)
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
