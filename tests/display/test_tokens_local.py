"""What the embedded model was sure of, in a run of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentlab.core.session import AgentSession
from agentlab.display import view
from agentlab.runtime import AgentRuntime
from agentlab.strategies.streaming import StreamingReAct
from agentlab.strategies.streaming_session import StreamingSession
from agentlab.tools.builtin import calculator
from agentlab.tools.spec import tool
from tests.display.things import Reader

pytestmark = pytest.mark.local


@tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000, "Nice": 353_000}.get(city, 1)


@pytest.fixture(scope="module", params=["a run", "a streamed run"])
def session(request: pytest.FixtureRequest) -> AgentSession:
    """Run it, streamed or not."""
    lab = AgentRuntime("local", tools=[population, calculator])
    strategy = StreamingReAct() if request.param == "a streamed run" else None
    asked = "How many people live in Lyon and Nice together?"
    return lab.run_sync(asked, strategy=strategy)


def test_its_tokens_have_log_probabilities(session: AgentSession) -> None:
    """Nearly all of them, with what else it thought of; and the card shows the doubts."""
    heard = StreamingSession.of(session)
    known = [token for token in heard.tokens if token.logprob is not None]
    html = view(heard)
    said = Reader(html).line

    assert heard.steps
    assert len(known) > 0.9 * len(heard.tokens) > 20
    assert sum(bool(token.top) for token in known) > 0.8 * len(known)
    assert all(token.logprob <= 0 for token in known if token.logprob is not None)
    assert f"{len(heard.tokens)} tokens · mean log p \N{MINUS SIGN}" in said
    assert "thought" in said
    assert "action" in said
    assert re.search(r'<(u|span) class="agl-tok p\d"', html)
    assert re.search(r"␣\w+ \d+% ␣\w+ [\d.]+% · ", said)
    assert "cannot be drawn" not in html


def test_its_page(session: AgentSession, tmp_path: Path) -> None:
    """Holds the tokens, and all that was said."""
    html = StreamingSession.of(session).to_html(tmp_path / "tokens.html").read_text()

    assert html.count('<span class="agl-kind">streaming session</span>') == 1
    assert html.count('<span class="agl-kind">trace</span>') == 1
