"""The card of a hosted model: which it is, whom it asks, with which key and settings."""

from __future__ import annotations

from agentlab.display.html import Html
from agentlab.display.parts import Chip, Room, asked, card
from agentlab.display.words import count, gist, plural
from agentlab.models.hosted import HostedModel


def hosted_card(model: HostedModel, room: Room) -> Html:
    """Draw it; the key itself is nowhere in it."""
    source, usage = model.key_from, model.last_usage
    if source:
        chip, key = Chip("ok", "key set"), f"***, from {source}"
    elif model.at_home:
        chip, key = Chip("warn", "no key"), f"none: set {model.variable}, or give api_key"
    else:
        chip, key = Chip("", "no key"), "none is sent"
    tools = "sent in the vendor's own way" if model.native_tools else "told in the prompt"
    cost = f"{plural(usage.input, 'token')} in, {count(usage.output)} out" if usage else "none yet"
    return card(
        "hosted model",
        model.name,
        chip,
        [model.ear.vendor],
        asked(
            ("asks", gist(place(model.base_url)), "agl-code", "model.base_url"),
            ("key", key, "", "model.key_from"),
            ("settings", gist(settings(model), room.text), "", "model.defaults"),
            ("tools", tools, "", "model.native_tools"),
            ("last answer", cost, "", "model.last_usage"),
        ),
        path="model",
    )


def settings(model: HostedModel) -> str:
    """Say what it was set to, in one line."""
    ours = model.defaults
    said = {
        "temperature": ours.temperature,
        "seed": ours.seed,
        "max_tokens": ours.max_tokens,
        "timeout_s": f"{model.timeout_s:g}",
        "at once": model.max_concurrent_streams,
        **ours.extra,
    }
    return ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)


def place(url: str) -> str:
    """Give an address without its scheme, which a page would take for something to fetch.

    >>> place("https://host/v1"), place("http://127.0.0.1:8080/v1")
    ('host/v1', '127.0.0.1:8080/v1 (plain HTTP)')
    """
    scheme, _, rest = url.partition("://")
    return rest if scheme == "https" else f"{rest} (plain HTTP)"
