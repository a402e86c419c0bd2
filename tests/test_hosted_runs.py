"""Runs of agents with hosted models: steps, tools, tapes, metrics, and no key anywhere."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue, NotConfigured, ProviderError
from agentlab.core.events import Token, Warned
from agentlab.core.protocols import Request
from agentlab.core.session import AgentSession
from agentlab.display import mimebundle
from agentlab.examples import run as run_example
from agentlab.models.anthropic import AnthropicProvider
from agentlab.models.hosted import HostedModel
from agentlab.models.llm import CompletionOptions, LlmProvider
from agentlab.models.naming import as_model
from agentlab.models.openai import OpenAiProvider
from agentlab.models.recorded import RecordedModel
from agentlab.models.scripted import ScriptedModel
from agentlab.models.wrapped import Guarded, Retrying
from agentlab.recording import record, replay
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.retry import RetryPolicy
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal
from agentlab.strategies.live import StreamingReAct
from agentlab.strategies.tokens import InferenceToken
from agentlab.tools.spec import ToolSpec, tool
from tests.models.vendors import ANTHROPIC, KEY, VENDORS, Vendor
from tests.wire import HANG, RESET, Act, Wire, reply, streamed, until, wire

both = pytest.mark.parametrize("vendor", VENDORS, ids=str)
DONE = ("Thought: I know it.\n", "Action: FINAL_ANSWER 875000")


@tool(inline=True)
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000, "Nice": 353_000}[city]


async def worked(
    vendor: Vendor,
    *answers: list[Act],
    tools: tuple[ToolSpec, ...] = (population,),
    tape: Path | None = None,
    streaming: bool = False,
    **settings: Any,
) -> tuple[AgentSession, Wire, AgentRuntime]:
    """Run an agent on a server that answers so."""
    async with wire(*answers) as there, vendor.at(there.url, **settings) as model:
        lab = AgentRuntime(model, tools=tools)
        if tape:
            record(lab, tape)
        strategy = StreamingReAct() if streaming else None
        return await lab.run("How many live in Lyon?", strategy=strategy), there, lab


@both
def test_a_run(vendor: Vendor) -> None:
    """Steps, tokens, what was spent and the metrics are those of any model."""
    call = ("Thought: look.\nAction: popu", 'lation {"city": "Lyon"}')
    session, there, lab = asyncio.run(
        worked(vendor, streamed(vendor.events(*call)), streamed(vendor.events(*DONE)))
    )

    assert session.final_answer() == "875000"
    assert session.steps[0].observation == '{"data":522000,"ok":true}'
    assert session.trace
    assert [each.event.text for each in session.trace.entries if isinstance(each.event, Token)] == [
        *call, "", *DONE, "",
    ]  # fmt: skip
    assert session.model == "m"
    assert (session.tokens_in, session.tokens_out) == (18, 6)
    (agent,) = lab.agent_metrics().rows()
    assert (agent.total_tokens_in, agent.total_tokens_out) == (18, 6)
    assert "tools" not in there.asked[0].body


@both
@pytest.mark.parametrize("streaming", [False, True], ids=["react", "streaming"])
def test_native_tools(vendor: Vendor, streaming: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A vendor's own call is a step like any other: parsed, told, recorded and replayed."""
    answers = (
        streamed(vendor.call("Thought: I look it up.", "population", '{"city"', ': "Lyon"}')),
        streamed(vendor.call("Now Nice.", "population", '{"city": "Nice"}', more=["population"])),
        streamed(vendor.events("It is ", "875000.")),
    )
    tape = tmp_path / "tape.jsonl"
    settings: dict[str, Any] = {"native_tools": True, "streaming": streaming}
    session, there, _ = asyncio.run(worked(vendor, *answers, tape=tape, **settings))

    assert [step.thought for step in session.steps] == ["I look it up.", "Now Nice.", ""]
    assert [step.args for step in session.tool_calls()] == [{"city": "Lyon"}, {"city": "Nice"}]
    assert session.final_answer() == "It is 875000."
    assert session.warnings == ["of 2 tool calls at once the first was taken"]
    sent = there.asked[0].body["tools"][0]
    shape = sent.get("function", sent)
    assert (shape["name"], shape["description"]) == ("population", "People living in a city.")
    assert (shape.get("parameters") or shape["input_schema"])["required"] == ["city"]
    assert '"native"' not in str(there.asked[0].body)

    keyless = AgentRuntime(vendor.made(model="m", native_tools=True), tools=[population])
    again = replay(keyless, tape).run_sync(
        "How many live in Lyon?", strategy=StreamingReAct() if streaming else None
    )
    assert [step.action for step in again.steps] == [step.action for step in session.steps]
    assert again.final_answer() == session.final_answer()
    assert (again.tokens_in, again.tokens_out) == (session.tokens_in, session.tokens_out)


@both
def test_odd_native_calls(vendor: Vendor) -> None:
    """No arguments, a name that vendors do not take, arguments that are cut, text that has all."""

    @tool(inline=True, name="files.list")
    def listed() -> list[str]:
        """List files."""
        return ["a"]

    written = 'Thought: t\nAction: population {"city": "Lyon"}'
    answers = (
        streamed(vendor.call("", "files_list")),
        streamed(vendor.call("", "population", '{"city": "Ly')),
        streamed(vendor.call(written, "population", '{"city": "Lyon"}')),
        streamed(vendor.events(*DONE)),
    )
    session, there, _ = asyncio.run(
        worked(vendor, *answers, tools=(listed, population), native_tools=True)
    )

    names = [each.get("function", each)["name"] for each in there.asked[0].body["tools"]]
    assert names == ["files_list", "population"]
    assert [step.tool for step in session.steps] == ["files.list", None, "population", None]
    assert session.steps[0].observation == '{"data":["a"],"ok":true}'
    assert "invalid JSON args" in session.steps[1].observation
    assert session.steps[2].raw == ""
    assert session.final_answer() == "875000"


@both
def test_a_recording_needs_neither_network_nor_key(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded through a provider is replayed by one that has nothing."""
    monkeypatch.delenv(vendor.made.variable, raising=False)
    tape = tmp_path / "tape.jsonl"
    session, *_ = asyncio.run(worked(vendor, streamed(vendor.events(*DONE)), tape=tape))
    lab = replay(AgentRuntime(vendor.made(model="m"), tools=[population]), tape)
    again = lab.run_sync("How many live in Lyon?")

    assert again.steps[0].action == session.steps[0].action
    assert (again.tokens_in, again.tokens_out) == (9, 3)
    with pytest.raises(NotConfigured):
        AgentRuntime(vendor.made(model="m")).run_sync("How many live in Lyon?")


@both
@pytest.mark.filterwarnings("ignore:a key was about to be recorded")
def test_a_key_appears_nowhere(
    vendor: Vendor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a repr, an error, a log, a journal, a tape or a card, though the vendor repeats it."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    async def scene() -> None:
        body = vendor.events(*DONE, f"your key is {KEY}")
        answers = (streamed(body), reply(f"bad key {KEY}", 401), streamed(vendor.error))
        async with wire(*answers) as there, vendor.at(there.url) as model:
            lab = AgentRuntime(model, sinks=[Journal(tmp_path / "run.jsonl")])
            session = await record(lab, tmp_path / "tape.jsonl").run("Hi")
            shown.extend([repr(model), *mimebundle(model).values(), *mimebundle(session).values()])
            for goal in ("Why?", "What?"):
                with pytest.raises(ProviderError) as caught:
                    await lab.run(goal)
                error = caught.value
                shown.extend([str(error), repr(error), *mimebundle(error).values()])

    asyncio.run(scene())
    files = [path.read_text() for path in tmp_path.iterdir()]
    assert len(shown) == 13
    assert len(files) == 2
    assert [text for text in (*shown, *files, caplog.text) if KEY in text] == []


@both
def test_no_traceback_holds_a_key(vendor: Vendor) -> None:
    """Not one that shows the variables of every frame, wherever the way to the vendor ended."""

    async def scene() -> list[str]:
        torn = [*streamed(vendor.events("x")[:80], end=b""), 0.01, RESET]
        answers = (torn, reply("no", 401), reply("{", 200), [RESET], [HANG])
        async with wire(*answers) as there, vendor.at(there.url, timeout_s=0.1) as model:
            found = [await frames(all_of(model.stream_complete("Hi")))]
            found += [await frames(model.complete("Hi")) for _ in answers[1:]]
            model.with_base_url(KEY, "http://127.0.0.1:9")
            return [*found, await frames(model.complete("Hi"))]

    found = asyncio.run(scene())
    assert [text for text in found if KEY in text] == []
    assert all("hosted.py" in text for text in found)


async def all_of(pieces: AsyncIterator[str]) -> str:
    """Give them as one text."""
    return "".join([piece async for piece in pieces])


async def frames(asked: Coroutine[Any, Any, str]) -> str:
    """Give all that can be told of how a question failed, but for the frame of this file."""
    with pytest.raises(ProviderError) as caught:
        await asked
    error = caught.value
    assert error.__traceback__
    error.__traceback__ = error.__traceback__.tb_next
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(told.format())


class Small:
    """A user's provider that can do one thing."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def complete(self, prompt: str, model: str) -> str:
        self.asked.append((prompt, model))
        return "Action: FINAL_ANSWER small"


class Inherits(LlmProvider):
    """One that inherits the rest."""

    def __init__(self) -> None:
        self.options: list[CompletionOptions] = []

    async def complete(self, prompt: str, model: str) -> str:
        return f"Action: FINAL_ANSWER {model} {len(prompt) > 0}"


class Options(Inherits):
    """One that heeds options."""

    async def complete_with_options(self, prompt: str, options: CompletionOptions) -> str:
        self.options.append(options)
        return await self.complete(prompt, options.model)


class Streams(Inherits):
    """One that streams."""

    async def stream_complete(self, prompt: str, model: str) -> AsyncIterator[str]:
        yield "Action: FINAL_"
        yield f"ANSWER {model} in {len(prompt) > 0} pieces"


class Speaks:
    """A streaming inference."""

    async def infer_stream(self, prompt: str) -> AsyncIterator[InferenceToken]:
        yield InferenceToken.final_answer(prompt[:3])


def test_objects_of_users_are_models_as_they_are() -> None:
    """The model's name, the system text and the stops reach whoever can take them."""
    lab = AgentRuntime(config=AgentConfig(3, "gpt"))
    small, options = Small(), Options()

    assert lab.run_agent_with_provider_sync("a", "Hi", small).final_answer() == "small"
    ((context, model),) = small.asked
    assert model == "gpt"
    assert context.startswith("You are a helpful AI agent.")
    assert "User: Hi" in context

    session = lab.run_agent_with_provider_sync("a", "Hi", Inherits())
    assert session.final_answer() == "gpt True"
    assert lab.run_agent_with_provider_sync("a", "Hi", options).final_answer() == "gpt True"
    (given,) = options.options
    assert given.stop_sequences == ("\nObservation:",)
    assert given.system
    assert given.system.startswith("You are a helpful AI agent.")
    session = lab.run_agent_with_provider_sync("a", "Hi", Streams())
    assert session.final_answer() == "gpt in True pieces"
    assert lab.run_agent_sync("a", "Hi", Speaks()).final_answer() == "You"


def test_whose_name_counts() -> None:
    """A provider that has no model asks for the one that the settings name, wrapped or not."""
    config = AgentConfig(3, "gpt")
    nameless = OpenAiProvider(KEY)
    policy, breaker = RetryPolicy.exponential(2, 1), CircuitBreaker("b")

    for model in (nameless, Retrying(nameless, policy), Guarded(nameless, breaker), Small()):
        assert AgentRuntime(model, config=config).config.model == "gpt"
    assert RecordedModel(nameless, "tape.jsonl").needs_model
    assert AgentRuntime(OpenAiProvider(KEY, model="o"), config=config).config.model == "o"
    assert AgentRuntime(ScriptedModel(), config=config).config.model == "ScriptedModel"
    assert AgentRuntime(Small(), config=config).run_sync("Hi").final_answer() == "small"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("anthropic:claude-x", AnthropicProvider(model="claude-x")),
        ("openai:gpt-x", OpenAiProvider(model="gpt-x")),
        ("openai:qwen3:4b@http://127.0.0.1:11434/v1",
         OpenAiProvider(model="qwen3:4b", base_url="http://127.0.0.1:11434/v1")),
        ("anthropic:a@b@https://host", AnthropicProvider(model="a@b", base_url="https://host")),
    ],
)  # fmt: skip
def test_names(name: str, made: HostedModel) -> None:
    """A vendor and a model, and perhaps where, is a model; nothing is asked for it."""
    assert repr(as_model(name)) == repr(made)
    assert AgentRuntime(name).config.model == name


def test_names_that_are_none() -> None:
    """Say what is known."""
    with pytest.raises(InvalidValue, match="like openai:<model>"):
        as_model("openai:")
    with pytest.raises(NotConfigured, match=r"'anthropic:<model>'"):
        as_model("gpt-4")


@both
def test_a_runtime_closes_what_it_made(vendor: Vendor) -> None:
    """A model that was given by its name is the runtime's own."""

    async def scene() -> None:
        async with wire(streamed(vendor.events(*DONE))) as there:
            name = f"{vendor.name}:m@{there.url}{vendor.base}"
            async with AgentRuntime(name) as lab:
                session = await lab.run("Hi")
                assert session.final_answer() == "875000"
                assert there.open == 1
            await until(lambda: not there.open)
            assert there.asked[0].body["model"] == "m"

    asyncio.run(scene())


def test_a_runtime_that_was_never_asked_closes_nothing() -> None:
    """Nor does it look its model up for that: the name may be a label for what answers."""
    lab = AgentRuntime.quick(3, "stub")
    assert lab.run_agent_sync("a", "Hi", lambda _: "Action: FINAL_ANSWER x").final_answer() == "x"
    lab.shutdown_sync()


@both
def test_a_card(vendor: Vendor) -> None:
    """It shows the model, where it is asked, and what the last answer cost, but no key."""
    model = vendor.at("http://127.0.0.1:1", native_tools=True)
    html = model.to_html()

    assert all(word in html for word in ("127.0.0.1", ">m<", "***", "native"))
    assert KEY not in html


def test_the_example_live(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a key it asks, calls tools, and says what it cost; here the vendor is another."""
    calls = [
        streamed(ANTHROPIC.call("", "population", json.dumps({"city": city})))
        for city in ("Lyon", "Nice")
    ]
    last = streamed(ANTHROPIC.events("Together ", "875000."))

    async def scene() -> Wire:
        async with wire(*calls, last, reply(ANTHROPIC.whole("Hello"))) as there:
            monkeypatch.setattr(AnthropicProvider, "home", there.url)
            await asyncio.to_thread(run_example, "anthropic_provider")
            return there

    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    there = asyncio.run(scene())
    printed = capsys.readouterr().out

    assert [each.headers["x-api-key"] for each in there.asked] == [KEY] * 4
    assert "answer   Together 875000." in printed
    assert "alone    Hello" in printed
    assert KEY not in printed


def test_a_request_that_says_more() -> None:
    """Options become those of a provider; what has no field is extra."""
    from agentlab.models.llm import options_of

    request = Request("p", "s", "m", ("x",), "a", {"seed": 1, "top_p": 0.5})
    assert options_of(request) == CompletionOptions(
        "m", system="s", stop_sequences=("x",), seed=1, extra={"top_p": 0.5}
    )
    assert CompletionOptions.from_dict(options_of(request).to_dict()) == options_of(request)


@both
def test_a_torn_answer_ends_the_run_with_its_session(vendor: Vendor) -> None:
    """The error has the session as far as it got, and what was said of the answer."""
    body = vendor.events("Thought: so far", "x")
    torn = streamed(body[: body.index(vendor.ended)])
    with pytest.raises(ProviderError) as caught:
        asyncio.run(worked(vendor, torn))
    session = caught.value.session

    assert session
    assert session.stop_reason == "error"
    assert vars(caught.value)["partial"] == "Thought: so farx"


@both
def test_a_busy_vendor_is_asked_again(vendor: Vendor) -> None:
    """With ``retry=``; the session tells of it."""

    async def scene() -> AgentSession:
        answers = (reply("busy", 529, retry_after="0"), streamed(vendor.events(*DONE)))
        async with wire(*answers) as there, vendor.at(there.url) as model:
            lab = AgentRuntime(model, retry=RetryPolicy.constant(3, 1))
            return await lab.run("Hi")

    session = asyncio.run(scene())
    assert session.final_answer() == "875000"
    assert session.trace
    warned = [e.event.text for e in session.trace.entries if isinstance(e.event, Warned)]
    assert len(warned) == 1
    assert "trying again" in warned[0]


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "key was refused"), (404, "base_url"), (429, "retry="), (503, "tried again")],
)
def test_what_to_do_about_it(status: int, advice: str) -> None:
    """The card of an error says what its status advises."""
    assert advice in ProviderError("no", status=status).to_html()
