"""A hosted model at work: an agent on a model of Anthropic's, live; without a key it is skipped.

The key is that of the environment. The tools are sent in the vendor's own way, and what comes back
is a step like any other.
"""

from __future__ import annotations

import os

import agentlab as al

MODEL = os.environ.get("ANTHROPIC_MODEL", "claude-haiku-4-5")


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000, "Nice": 353_000}[city]


def main() -> None:
    """Ask, and say what it took."""
    provider = al.AnthropicProvider(model=MODEL, native_tools=True, max_tokens=500)
    print(f"model    {provider}")
    if not provider.key_from:
        print(f"skipped  there is no key: set {provider.variable} to run this live")
        print("         ANTHROPIC_MODEL names another model")
        return
    retry = al.RetryPolicy.exponential(max_attempts=4, base_ms=500)
    lab = al.AgentRuntime(provider, tools=[population, al.calculator], retry=retry)
    session = lab.run_sync("How many people live in Lyon and Nice together?")

    for step in session.steps:
        print(f"step     {step.thought}\n         {step.action}")
    print(f"answer   {session.final_answer()}")
    print(f"cost     {session.tokens_in} tokens in, {session.tokens_out} out, as they were counted")
    assert "875" in str(session.final_answer())
    assert not session.tokens_estimated

    said = provider.complete_sync("Say hello in one word.")
    print(f"alone    {said}")
    provider.aclose_sync()


if __name__ == "__main__":
    main()
