"""A page of its own: written whole, holding the run and its trace, loading and running nothing."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.errors import AgentLabError, InvalidValue, PersistenceError
from agentlab.core.session import AgentSession
from agentlab.display import saved
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from tests.display.test_views import HOSTILE
from tests.display.things import Reader, everything, states

STATES = states()
SESSION, TRACE = (f'<span class="agl-kind">{kind}</span>' for kind in ("session", "trace"))


def run(answer: str = "42") -> AgentSession:
    """Give a session that was really run, and so has its trace."""
    return AgentRuntime(lambda _: f"Thought: t\nAction: FINAL_ANSWER {answer}").run_sync("What?")


@pytest.mark.parametrize("name", STATES)
def test_every_view_is_a_page(name: str, tmp_path: Path) -> None:
    """Under the path that was asked for, which is given; it holds the very view of the cell."""
    place = STATES[name].to_html(tmp_path / "page.html")
    html = place.read_text(encoding="utf-8")
    body = re.sub("<style>.*?</style>", "", STATES[name].to_html())

    assert place == tmp_path / "page.html"
    assert html.startswith("<!doctype html>")
    assert body.partition(">")[2].removesuffix("</section>") in html
    assert not re.search(r"<script|<link|<iframe|\sid=|\son\w+=|https?://|@import|url\(", html)
    assert "default-src 'none'" in html
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_page_of_a_session_holds_its_trace(tmp_path: Path) -> None:
    """If it has one: a copy has not."""
    session = run()
    copy = AgentSession.from_dict(session.to_dict())
    pages = [each.to_html(tmp_path / "page.html").read_text() for each in (session, copy)]

    assert [html.count(SESSION) for html in pages] == [1, 1]
    assert [html.count(TRACE) for html in pages] == [1, 0]
    assert pages[0].index(SESSION) < pages[0].index(TRACE)
    assert "<title>&lt;AgentSession 'agent' final_answer, 1 step&gt;</title>" in pages[0]


def test_the_page_of_a_handle_and_of_an_error(tmp_path: Path) -> None:
    """They have the run that they are of, and so its trace."""
    lab = AgentRuntime(ScriptedModel())
    handle = lab.start("What?", background=True)
    with pytest.raises(AgentLabError) as caught:
        handle.result(30)

    for each in (handle, caught.value):
        assert TRACE in each.to_html(tmp_path / "page.html").read_text()


def test_without_a_path_it_is_what_it_was() -> None:
    """A piece of HTML, to stand in a page."""
    assert run().to_html().startswith("<section")
    assert AgentSession().to_html(None) == AgentSession().to_html()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_words(text: str, tmp_path: Path) -> None:
    """In the title and in all cards: the elements are those that harmless words make."""
    shapes = []
    for each in (text, re.sub(r"[^\w ]", "x", text)):
        things = everything(each).values()
        html = saved(tmp_path / "page.html", each, *things).read_text(encoding="utf-8")
        shapes.append(Reader(html.removeprefix("<!doctype html>").replace("<meta", "<br")).shape)

    assert shapes[0] == shapes[1]


def test_a_file_that_is_there_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is made where there is none, ``~`` is the home, and others may read it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    place = tmp_path / "a" / "b.html"
    for answer in ("forty", "fifty"):
        assert run(answer).to_html("~/a/b.html") == place

    assert "fifty" in place.read_text()
    assert "forty" not in place.read_text()
    assert stat.S_IMODE(place.stat().st_mode) & stat.S_IROTH


def test_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the path and the reason, and what was there is still."""
    (tmp_path / "file").write_text("mine")
    for path, why in (
        (tmp_path, "directory"),
        (tmp_path / "file" / "x.html", "(Not a dir|File exi)"),
    ):
        with pytest.raises(PersistenceError, match=f"cannot write '{path}': .*{why}"):
            run().to_html(path)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agentlab.core.files.seal", full)
    with pytest.raises(PersistenceError, match="No space left"):
        run().to_html(tmp_path / "file")

    assert (tmp_path / "file").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("path", ["", "a\0b", 7, b"x"])
def test_what_is_no_path(path: Any) -> None:
    """Is refused, and named."""
    with pytest.raises(InvalidValue, match="path must be a path, got"):
        AgentSession().to_html(path)
