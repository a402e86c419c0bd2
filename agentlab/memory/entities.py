"""Names and sentences that stand out in a text, by their looks alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SENTENCE_END = re.compile(r"[.!?]+(?:\s+|$)")
INSIDE = re.compile(r"[^\W\d_]")
EDGE = re.compile(r"^[^\w]+|[^\w]+$")
PRONOUN = re.compile(r"I(?:['\u2019]\w+)?$")  # which is written large, and names nobody
SHORTEST_NAME = 2  # letters
FACT_WORDS = range(5, 26)
MOST_FACTS = 10

KINDS = {
    "Technology": (
        "ai api aws azure c c++ css docker git github gpu html http java javascript json jupyter"
        " kafka kubernetes linux llm macos numpy pandas postgres postgresql python pytorch react"
        " redis rust sklearn sql sqlite tensorflow typescript windows"
    ),
    "Organisation": (
        "agency association bank college committee company corp corporation council department"
        " foundation gmbh group inc institute laboratories laboratory labs library limited llc ltd"
        " ministry museum observatory office school society team university"
    ),
    "Location": (
        "africa america amsterdam asia australia avenue bay beach beijing berlin boston bridge"
        " brussels cairo canada chicago china city copenhagen delhi dublin europe france germany"
        " india island italy japan lake lisbon london lyon madrid mexico moscow mount mountain"
        " munich nairobi nice oslo paris park prague river road rome spain square stockholm street"
        " sydney tokyo toronto town valley vienna village zurich"
    ),
}
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words.split()}


def sentences(text: str) -> Iterator[str]:
    """Split ``text`` where a full stop, an exclamation or a question mark ends a sentence.

    >>> list(sentences("It is 3.5 now. Is it? Yes"))
    ['It is 3.5 now', 'Is it', 'Yes']
    """
    return (part.strip() for part in SENTENCE_END.split(text) if part.strip())


def entities(text: str) -> list[str]:
    """Give the names in ``text``: runs of capitalised words that begin no sentence.

    >>> entities("The team met Acme Corp in Paris today.")
    ['Acme Corp', 'Paris']
    """
    return [name for sentence in sentences(text) for name in runs(sentence.split()[1:])]


def runs(words: Iterable[str]) -> Iterator[str]:
    """Join capitalised words that follow each other; a comma or the like ends a run."""
    run: list[str] = []
    for word in words:
        bare = EDGE.sub("", word)
        named = is_name(bare)
        if run and (not named or not word[0].isalnum()):
            yield " ".join(run)
            run = []
        if named:
            run.append(bare)
            if not word[-1].isalnum():
                yield " ".join(run)
                run = []
    if run:
        yield " ".join(run)


def is_name(word: str) -> bool:
    """Tell whether a word looks like a name, or a part of one."""
    letters = INSIDE.findall(word)
    return len(letters) >= SHORTEST_NAME and letters[0].isupper() and not PRONOUN.match(word)


def kind_of(name: str) -> str:
    """Say what a name is of, by its words.

    >>> [kind_of(name) for name in ("Acme Corp", "Paris", "Orgasmic")]
    ['Organisation', 'Location', 'Unknown']
    """
    found = (KIND_OF.get(word) for word in name.lower().split())
    return next((kind for kind in found if kind), "Unknown")


def key_facts(texts: Iterable[str]) -> tuple[str, ...]:
    """Give the first ten sentences of 5 to 25 words; each once, whatever its capitals."""
    found: dict[str, str] = {}
    for text in texts:
        for sentence in sentences(text):
            if len(found) == MOST_FACTS:
                return tuple(found.values())
            if len(sentence.split()) in FACT_WORDS:
                found.setdefault(sentence.lower(), sentence)
    return tuple(found.values())
