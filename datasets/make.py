"""Make the data sets of ``agentlab/data`` from their sentences: ``python datasets/make.py``.

The same seed gives the same bytes.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
DATA = HERE.parent / "agentlab" / "data"
LICENCE = "CC0-1.0"
YEAR = range(1, 13)
DAYS = ["Monday the 19th", "Tuesday the 20th", "Wednesday the 21st", "Thursday the 22nd",
        "Friday the 23rd", "Monday the 26th"]  # fmt: skip
SKIES = [("rain", "Crates under the awning, then."), ("dry and mild", "Nothing to do about it."),
         ("a strong wind", "Somebody should hold the doors.")]  # fmt: skip


class Draw:
    """Takes things in turn, shuffled, so that all are used before one comes again."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.left: dict[str, list[Any]] = {}

    def of(self, name: str, things: list[Any]) -> Any:
        """Give the next of some things."""
        if not self.left.get(name):
            self.left[name] = self.rng.sample(things, len(things))
        return self.left[name].pop()


def read(name: str) -> dict[str, Any]:
    """Read what a data set is made of."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def filled(template: str, words: dict[str, list[str]], draw: Draw) -> str:
    """Put a word into each gap of a text; a sentence begins with a capital."""
    gaps = {name: draw.of(name, some) for name, some in words.items() if f"{{{name}}}" in template}
    parts = template.format(**gaps).split(". ")
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


def diary() -> dict[str, Any]:
    """Make a year of entries, in which no sentence stands twice."""
    rng, parts = Random(1987), read("diary")  # noqa: S311 - nothing here is secret
    draw, words, milestones = Draw(rng), parts.pop("words"), parts.pop("milestones")
    told: dict[str, tuple[datetime, str, float, bool]] = {
        one["text"]: (
            datetime.fromisoformat(f"2029-{one['day']}T21:30:00Z"), one["theme"], 0.0, True,
        )
        for one in milestones
    }  # fmt: skip
    for day in range(365):
        at = datetime(2029, 1, 1, 21, tzinfo=UTC) + timedelta(days=day)
        for theme in rng.sample(sorted(parts), rng.choices([0, 1, 2], [0.22, 0.6, 0.18])[0]):
            open_ = [one["text"] for one in parts[theme] if at.month in one.get("months", YEAR)]
            text = filled(draw.of(f"{theme} {at.month}", open_), words, draw) if open_ else ""
            moment = at + timedelta(minutes=rng.randrange(-90, 90))
            if text and text not in told:
                told[text] = moment, theme, rng.betavariate(2, 3), False
    entries = [
        {
            "id": f"d{number:03}",
            "at": at.isoformat().replace("+00:00", "Z"),
            "theme": theme,
            "text": text,
            "importance": round(rng.uniform(0.8, 0.98) if once else worth, 2),
            "tags": [theme, "milestone"] if once else [theme],
        }
        for number, (text, (at, theme, worth, once)) in enumerate(
            sorted(told.items(), key=lambda item: item[1]), start=1
        )
    ]
    return {
        "about": {
            "name": "diary",
            "what": "A year in the diary of Ada, who counts what lives in the tide pools of a"
            " harbour town, mends a wet house, and learns the cello. Invented; made by a seeded"
            " script from sentences written for it.",
            "count": len(entries),
            "licence": LICENCE,
            "fields": "id, at (UTC), theme (one of ten), text, importance (0 to 1), tags",
        },
        "entries": entries,
    }


def scenes(rng: Random) -> Iterator[dict[str, str]]:
    """Give the scenes of the dialogue, in order, with their gaps filled."""
    parts, draw = read("dialogue"), Draw(rng)
    yield from parts["opening"]
    for i, told in enumerate(parts["sections"]):
        crates, days = -(-told["books"] // 35), draw.of("days", DAYS)
        exact, books = told["books"] / 35, f"{told['books']:,}"
        gaps = told | {"books": books, "plain": told["books"], "crates": crates, "days": days}
        yield with_gaps(draw.of("moves", parts["moves"]), gaps | {"exact": exact})
        sky, advice = draw.of("skies", SKIES)
        number, need = 9 + 3 * i, max(8, crates // 6)
        verdict = "well off" if number >= need else f"{need - number} short"
        gaps |= {"sky": sky, "advice": advice, "number": number, "need": need, "verdict": verdict}
        yield with_gaps(parts["between"][i % len(parts["between"])], gaps)
    yield from parts["closing"]


def with_gaps(scene: dict[str, str], gaps: dict[str, Any]) -> dict[str, str]:
    """Fill the gaps of a scene."""
    return scene | {"lines": scene["lines"].format(**gaps)}


def dialogue() -> dict[str, Any]:
    """Make the turns of a long conversation."""
    rng = Random(1987)  # noqa: S311
    at, turns = datetime(2030, 4, 8, 9, tzinfo=UTC), list[dict[str, Any]]()
    for scene in scenes(rng):
        at += timedelta(minutes=rng.randrange(20, 600))
        if at.hour >= 18 or at.hour < 8:  # noqa: PLR2004 - an office's hours
            at = at.replace(hour=9, minute=rng.randrange(60)) + timedelta(days=at.hour >= 18)  # noqa: PLR2004
        for line in scene["lines"].strip().splitlines():
            who, _, what = line.partition(": ")
            at += timedelta(seconds=rng.randrange(8, 90))
            turns.append(
                {
                    "id": f"t{len(turns) + 1:03}",
                    "role": who.removeprefix("!"),
                    "content": what,
                    "timestamp": at.isoformat().replace("+00:00", "Z"),
                    "importance_score": 0.9 if who[0] == "!" else 0.0,
                    "tags": [scene["topic"], "important"] if who[0] == "!" else [scene["topic"]],
                }
            )
    return {
        "about": {
            "name": "dialogue",
            "what": "A long conversation in which a librarian plans with an assistant how her"
            " library moves: decisions, figures, and talk in between. Invented; made by a seeded"
            " script from scenes written for it.",
            "count": len(turns),
            "licence": LICENCE,
            "fields": "id, role, content, timestamp (UTC), importance_score, tags (decisions are"
            " tagged important)",
        },
        "entries": turns,
    }


def written(data: dict[str, Any]) -> str:
    """Write a data set, a line an entry."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in data["entries"])
    about = json.dumps(data["about"], ensure_ascii=False, indent=1)
    return f'{{"about": {about},\n"entries": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    for made in (diary(), dialogue()):
        (DATA / f"{made['about']['name']}.json").write_text(written(made), encoding="utf-8")
