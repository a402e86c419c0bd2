"""Where labels go, so that none meets another: in a narrow cell, and more of them in a wide one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from unicodedata import east_asian_width

NARROW, WIDE = 330.0, 540.0  # pixels that a picture has at least
LETTER, BROAD = 6.6, 11.0  # pixels across
THIN, FAT = frozenset("iljtfrI.,:;!|'() \u00b7"), frozenset("mwMW@%")
FIRST = 8  # nodes that must have a label
UP, DOWN = 9.0, 3.0  # of a line of text, from where it stands
Anchor = Literal["start", "middle", "end"]


def across(c: str, letter: float) -> float:
    """Guess how wide a letter is, where most are ``letter`` wide."""
    if c in THIN:
        return letter * 0.6
    if c in FAT:
        return letter * 1.8
    if east_asian_width(c) in "WF":
        return BROAD
    return letter * (1.2 if c.isupper() else 1.0)


class Circle(NamedTuple):
    """A node: percent across, pixels down, and how large."""

    x: float
    y: float
    r: float


class Label(NamedTuple):
    """A text and where it stands; a roomy one is only there in a wide cell."""

    text: str
    x: float
    y: float
    anchor: Anchor = "middle"
    dx: float = 0.0
    roomy: bool = False
    dim: bool = False

    def box(self, width: float) -> Box:
        """Give what it covers in a picture of that width."""
        long = sum(BROAD if east_asian_width(c) in "WF" else LETTER for c in self.text)
        at = self.x / 100 * width + self.dx
        left = at - {"start": 0.0, "middle": long / 2, "end": long}[self.anchor]
        return Box(left, self.y - UP, left + long, self.y + DOWN)


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Tell whether they share some room."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Picture:
    """What is taken already, in a narrow and in a wide cell."""

    def __init__(self, circles: Sequence[Circle], tall: float) -> None:
        self.tall, self.circles = tall, len(circles)
        self.taken: dict[float, list[Box]] = {
            width: [around(circle, width) for circle in circles] for width in (NARROW, WIDE)
        }

    def room(self, label: Label, *, over: bool = False) -> bool:
        """Tell whether a label can be where it wants to be, and take the room if so.

        ``over`` lets it stand on circles.
        """
        widths = (WIDE,) if label.roomy else (NARROW, WIDE)
        boxes = {width: label.box(width) for width in widths}
        for width, box in boxes.items():
            inside = (
                box.left >= 0 and box.right <= width and box.top >= 0 and box.bottom <= self.tall
            )
            if not inside or any(map(box.meets, self.taken[width][self.circles * over :])):
                return False
        for width, box in boxes.items():
            self.taken[width].append(box)
        return True


def around(circle: Circle, width: float) -> Box:
    """Give the square about a circle."""
    x, r = circle.x / 100 * width, circle.r - 1
    return Box(x - r, circle.y - r, x + r, circle.y + r)


def node_labels(circles: Sequence[Circle], texts: Sequence[str], tall: float) -> dict[int, Label]:
    """Find room for as many as there is room for, by the number of the node; the first come first.

    The very first have a label wherever none is: they are in the thick of it, and matter most.
    """
    picture, placed = Picture(circles, tall), dict[int, Label]()
    for roomy in (False, True):
        for n, (circle, text) in enumerate(zip(circles, texts, strict=True)):
            if n in placed:
                continue
            places = beside(circle, text, roomy=roomy)
            at = next(filter(picture.room, places), None)
            if at is None and n < FIRST:
                at = next((each for each in places if picture.room(each, over=True)), None)
            if at is not None:
                placed[n] = at
    return placed


def beside(circle: Circle, text: str, *, roomy: bool) -> list[Label]:
    """Give the places that a label may have, the best first."""
    x, y, r = circle
    aslant = 0.7 * r + 3
    return [
        Label(text, x, y + r + 11, roomy=roomy),
        Label(text, x, y - r - 4, roomy=roomy),
        Label(text, x, y + 4, "start", r + 3, roomy=roomy),
        Label(text, x, y + 4, "end", -r - 3, roomy=roomy),
        Label(text, x, y + aslant + 7, "start", aslant, roomy=roomy),
        Label(text, x, y + aslant + 7, "end", -aslant, roomy=roomy),
        Label(text, x, y - aslant, "start", aslant, roomy=roomy),
        Label(text, x, y - aslant, "end", -aslant, roomy=roomy),
    ]


def edge_labels(
    circles: Sequence[Circle],
    edges: Sequence[tuple[int, int, str]],
    placed: Iterable[Label],
    tall: float = float("inf"),
) -> list[Label]:
    """Find room in the middle of edges for what they say."""
    picture, found = Picture(circles, tall), list[Label]()
    for label in placed:
        for width in (WIDE,) if label.roomy else (NARROW, WIDE):
            picture.taken[width].append(label.box(width))
    for i, j, text in edges:
        a, b = circles[i], circles[j]
        if i != j:
            for roomy in (False, True):
                label = Label(text, (a.x + b.x) / 2, (a.y + b.y) / 2 + 3, roomy=roomy, dim=True)
                if picture.room(label):
                    found.append(label)
                    break
    return found
