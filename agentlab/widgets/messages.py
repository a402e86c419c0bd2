"""What a live view sends its page: cells by name, each one of these.

``widgets/messages.py`` writes the same as TypeScript, so that both sides are checked.
"""

from __future__ import annotations

from typing import TypedDict

from agentlab.widgets.memory_messages import MEMORY


class Head(TypedDict):
    """Whose run it is, what was asked, and since when, in milliseconds of this machine's clock."""

    agent: str
    asked: str
    began: float


class Now(TypedDict):
    """How it stands: the chip, the figures, and how much there is of everything else."""

    live: bool
    hue: str
    word: str
    figures: list[str]
    steps: int
    gap: str
    longest: float
    turn: int
    pieces: int
    below: int


class Words(TypedDict):
    """A text of a step under its name, and its Python path."""

    hue: str
    name: str
    text: str
    path: str


class Step(TypedDict):
    """A step that is over: what was called, what came back, how long it took, and all inside."""

    tool: str
    did: str
    came: str
    bad: bool
    ms: float
    took: str
    texts: list[Words]


class Child(TypedDict):
    """A run below: how deep, whose, how it stands, and the end of what it says."""

    depth: int
    name: str
    hue: str
    word: str
    said: str


class Question(TypedDict):
    """A call that waits for a person: whose, of what, with what.

    ``fixed`` says why the arguments cannot be changed here, ``wrong`` what was wrong with the last
    answer, and ``tries`` the how-manieth that was.
    """

    agent: str
    tool: str
    args: str
    fixed: str
    wrong: str
    tries: int


class End(TypedDict):
    """What came out: an answer, or an error."""

    label: str
    text: str


class Title(TypedDict):
    """The header line of an explorer: what it is, how it stands, the figures; its Python path."""

    kind: str
    name: str
    path: str
    hue: str
    word: str
    figures: list[str]


class Tile(TypedDict):
    """A figure, and what it was in the moments before; the newest last, at most ``room`` of them.

    Where it was not known there is -1.
    """

    name: str
    now: str
    most: str
    values: list[float]
    room: int


class Bars(TypedDict):
    """How many there are of each size; ``under`` is short, ``spans`` says the same in words."""

    title: str
    path: str
    under: list[str]
    spans: list[str]
    counts: list[int]


class Bit(TypedDict):
    """What stands in a table: a text, ``code`` or a ``call``; or one beside a bar, of a hue."""

    text: str
    bar: float
    hue: str


class Grid(TypedDict):
    """A table: the name and the class of each column, and the rows."""

    caption: str
    path: str
    columns: list[str]
    classes: list[str]
    rows: list[list[Bit]]


class Tokens(TypedDict):
    """Tokens that follow each other: as they are drawn, their log p, or 1 where it is not known.

    ``others`` are the model's alternatives, written out, and ``likely`` the log p of each, the
    likeliest first; where they were not told, ``told`` is false.
    """

    texts: list[str]
    logs: list[float]
    others: list[list[str]]
    likely: list[list[float]]
    told: list[bool]


class Spoken(TypedDict):
    """What was said in a step: its first token, what was done and came of it, how sure that was.

    Its parts begin at ``starts``, and each has a hue and a name.
    """

    no: int
    first: int
    did: str
    came: str
    bad: bool
    sure: float
    right: str
    path: str
    starts: list[int]
    hues: list[str]
    names: list[str]


class Heard(TypedDict):
    """How much was heard, in how many pieces and steps; where in Python; what to say if nothing.

    Of a run that goes on, what was asked.
    """

    live: bool
    asked: str
    pieces: int
    steps: int
    root: str
    empty: str


class Chosen(TypedDict):
    """The token that is selected, what counts as doubtful, in percent, and the step that is shown.

    -1 is none, or all. ``by`` is the page that chose.
    """

    at: int
    below: int
    step: int
    by: str


class Kind(TypedDict):
    """A kind of what there is in a trace, how often it is there, and whether it is wanted."""

    name: str
    count: str
    on: bool


class Moment(TypedDict):
    """How far one has travelled: entries heard, of how many, seconds, and all of it in words."""

    heard: int
    entries: int
    at: float
    span: float
    words: str
    said: str


class Rows(TypedDict):
    """How many rows there are; which row and span is selected; what is sought, how many have it."""

    total: int
    row: int
    span: int
    find: str
    found: int


class Window(TypedDict):
    """Which spans are the rows from ``start`` on, as far as one page sees them."""

    start: int
    spans: list[int]


class Line(TypedDict):
    """A span as a row: what it is, from when to when (-1: it is not over), and in which entries.

    ``below`` is -1 where nothing is below it, 0 where that is folded away, and else 1.
    """

    level: int
    below: int
    hue: str
    name: str
    gist: str
    word: str
    took: str
    start: float
    end: float
    first: int
    last: int


class Detail(TypedDict):
    """What is selected, in a line and some notes, as it was at the moment; its Python path."""

    hue: str
    label: str
    name: str
    gist: str
    chip: str
    word: str
    notes: list[str]
    path: str


class Steps(TypedDict):
    """The last steps that there had been, the how-manieth the first of them is, and the others."""

    first: int
    steps: list[Step]
    before: str


class Prompt(TypedDict):
    """What a model was asked: what it had seen, ``gap`` standing for its middle; what is new.

    ``more`` says that there is more of it, to be asked for.
    """

    system: str
    start: str
    gap: str
    end: str
    added: str
    note: str
    more: bool
    path: str


MESSAGES = (
    Head,
    Now,
    Words,
    Step,
    Child,
    Question,
    End,
    Title,
    Tile,
    Bars,
    Bit,
    Grid,
    Tokens,
    Spoken,
    Heard,
    Chosen,
    Kind,
    Moment,
    Rows,
    Window,
    Line,
    Detail,
    Steps,
    Prompt,
    *MEMORY,
)
