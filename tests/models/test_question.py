"""What the engine is asked: texts for base models, messages for chat models."""

from __future__ import annotations

import pytest

from agentlab.models.question import Question

STEP = 'Thought: t\nAction: a {}\nObservation: {"data":1,"ok":true}\n'


def messages(prompt: str, system: str = "s") -> list[tuple[str, str]]:
    """Give who says what."""
    body = Question(system, prompt, chat=True, options={}).whole()
    return [(each["role"], each["content"]) for each in body["messages"]]


def test_the_steps_of_a_loop_are_its_own_words() -> None:
    """A chat model that reads its steps as the user's begins again and again."""
    prompt = f"User: How many?\n\n{STEP}\n{STEP}"

    assert messages(prompt) == [
        ("system", "s"), ("user", "User: How many?\n\n"), ("assistant", f"{STEP}\n{STEP}"),
    ]  # fmt: skip
    body = Question("s", prompt, chat=True, options={}).whole()
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(
    "prompt",
    ["Hello", "", "User: How many?\n", f"How many?\n\n{STEP}", "User: a\nThought: b\n"],
)
def test_anything_else_is_the_users(prompt: str) -> None:
    """Also the first prompt of a loop, and a text that only looks like one."""
    assert messages(prompt, "") == [("user", prompt)]
    assert "chat_template_kwargs" not in Question("", prompt, chat=True, options={}).whole()


@pytest.mark.parametrize("follows", ["#", "~", "a", ""])
def test_a_mark_is_never_how_the_prompt_goes_on(follows: str) -> None:
    """Else more than the portion would be kept."""
    question = Question("s", f"abc{follows}", chat=True, options={})
    (*_, last) = question.until(3)["messages"]

    assert last["content"] == ("abc~" if follows == "#" else "abc#")
    assert question.until(3)["max_tokens"] == 0


def test_a_base_model_goes_on_with_the_text() -> None:
    """System text, an empty line, prompt; up to an end, then the token that is no text."""
    question = Question("s", "abcdef", chat=False, options={"stream": True})

    assert question.whole() == {"prompt": "s\n\nabcdef", "stream": True}
    assert question.until(3) == {"prompt": ["s\n\nabc", 0], "max_tokens": 0}
    assert Question("", "abc", chat=False, options={}).whole() == {"prompt": "abc"}
