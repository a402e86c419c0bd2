"""What a text says of what, read by a model. It may say anything: only what can be is added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentlab.core.bounds import at_least_one
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import Model, Request
from agentlab.core.sync import closing
from agentlab.core.text import clean
from agentlab.graph.entities import Entity

if TYPE_CHECKING:
    from agentlab.graph.base import Graph

NAME, KIND, ORIGIN = 60, 40, 80  # letters, at most
MOST_HEARD = 100_000  # letters of an answer, from a model that does not stop
TOKENS = 30  # of a fact
SYSTEM = "You write down what a text says, as facts."
PROMPT = """Each fact is on a line of its own: who | does what | to whom.

Text: Ada Lovelace wrote notes on the Analytical Engine, which Charles Babbage designed in London.
Facts:
Ada Lovelace | wrote notes on | Analytical Engine
Charles Babbage | designed | Analytical Engine

Text: The Rhone rises in Switzerland and flows into the Mediterranean Sea.
Facts:
Rhone | rises in | Switzerland
Rhone | flows into | Mediterranean Sea

Text: {text}
Facts:
"""
ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")


class Extraction(Portable, Displayable, msgspec.Struct, frozen=True):
    """What came of reading a text: facts, and lines that are none.

    Attributes
    ----------
    added, known : tuple of (id, kind, id)
        What is new in the graph, and what was there already.
    refused : tuple of str
        What the model said that is no fact, or whose names are not in the text.
    """

    added: tuple[tuple[str, str, str], ...] = ()
    known: tuple[tuple[str, str, str], ...] = ()
    refused: tuple[str, ...] = ()

    def __repr__(self) -> str:
        told = ((len(getattr(self, name)), name) for name in self.__struct_fields__)
        return f"<Extraction {', '.join(f'{count} {name}' for count, name in told)}>"


class Triple(NamedTuple):
    """Who, does what, to whom."""

    subject: str
    kind: str
    object: str


async def extract(
    graph: Graph[Any], text: str, model: Model, *, origin: str = "", limit: int = 12
) -> Extraction:
    """Do what :meth:`agentlab.GraphStore.extract` promises."""
    if not hasattr(model, "stream"):
        raise InvalidValue(f"a model is needed, got {model!r:.80}: as_model('local') gives one")
    limit = at_least_one("limit", limit)
    text = " ".join(clean(text).split())
    if not text:
        return Extraction()
    answer = await heard(model, text, limit)
    added, known, refused = [], [], []
    for line in answer.splitlines()[:limit]:
        triple = read(line)
        if triple is None or not (says(text, triple.subject) and says(text, triple.object)):
            refused.append(line)
            continue
        subject, thing = (there(graph, name) for name in (triple.subject, triple.object))
        fact = (subject, triple.kind, thing)
        if graph.has_edge(subject, thing, triple.kind):
            known.append(fact)
        else:
            graph.put(subject, thing, triple.kind, origin=origin or text[:ORIGIN])
            added.append(fact)
    return Extraction(tuple(added), tuple(known), tuple(each for each in refused if each.strip()))


async def heard(model: Model, text: str, limit: int) -> str:
    """Ask, and give the answer as far as it is one."""
    request = Request(
        PROMPT.format(text=text),
        SYSTEM,
        stop=("\n\n", "Text:"),
        options={"grammar": grammar(limit), "max_tokens": TOKENS * limit, "temperature": 0.0},
    )
    pieces, length = [], 0
    async with closing(model.stream(request)) as chunks:
        async for chunk in chunks:
            pieces.append(chunk.text)
            length += len(chunk.text)
            if length > MOST_HEARD:
                break
    return clean("".join(pieces)).strip("\n")


def grammar(limit: int) -> str:
    r"""Give the grammar of at most ``limit`` facts, a line each.

    >>> print(grammar(2).splitlines()[0])
    root ::= fact{1,2} "\n"?
    """
    plain = r"[^|\x00-\x20\x7f]"
    return "\n".join(
        (
            f'root ::= fact{{1,{limit}}} "\\n"?',
            'fact ::= name " | " kind " | " name "\\n"',
            f"name ::= {plain} ({plain} | [ ] {plain}){{0,{NAME - 1}}}",
            f"kind ::= [a-z] ([a-z] | [ ] [a-z]){{0,{KIND - 1}}}",
        )
    )


def read(line: str) -> Triple | None:
    """Take a line apart, if it is a fact."""
    parts = [part.strip(" \t\"'`*.") for part in MARKER.sub("", line).split("|")]
    if len(parts) != len(Triple._fields):
        return None
    subject, kind, thing = parts
    subject, thing = ARTICLE.sub("", subject), ARTICLE.sub("", thing)
    kind = "_".join(re.findall(r"\w+", kind.lower()))
    good = 0 < len(subject) <= NAME and 0 < len(thing) <= NAME and 0 < len(kind) <= KIND
    printable = (subject + thing).isprintable()
    return Triple(subject, kind, thing) if good and printable else None


def says(text: str, name: str) -> bool:
    """Tell whether a text has a name in it, as whole words."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def there(graph: Graph[Any], name: str) -> str:
    """Give the id of who is called so, who is added where nobody is."""
    entity = graph.find(name)
    if entity is None:
        entity = Entity(name, name) if graph.calls_by_label else Entity(name)
        graph.add_entity(entity)
    return entity.id
