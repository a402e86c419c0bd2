"""The cards of skills: what there is, what fits a task and why, and several in a row."""

from __future__ import annotations

from collections.abc import Sequence

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, card, note, table
from agentlab.display.words import count, gist, number, plural, shortened
from agentlab.skills.composing import SkillPipeline
from agentlab.skills.matching import SkillMatch, SkillMatches
from agentlab.skills.registry import Skill, SkillRegistry

SKILLS = [
    Column("skill", "fit"),
    Column("what it does", "wide"),
    Column("good for", "wide"),
    Column("version", "fit"),
    Column("done by", "fit"),
]
MATCHES = [Column("score", "fit"), Column("skill, and how its score adds up", "wide")]
STAGES = [
    Column("", "num"), Column("skill", "fit"), Column("what it does", "wide"),
    Column("done by", "fit"),
]  # fmt: skip
NO_SKILLS = (
    "No skills yet. `registry.register(Skill(name, …))` adds one, `SkillLoader(folder)"
    ".load_into(registry)` those of a folder."
)
NO_MATCHES = "No skill fits. `SkillMatcher(registry, min_score=0)` shows how far each is from it."
NO_STAGES = "Nothing happens here: no skill was found. Compose one of names, or of another task."
HALVES = ("ok", "tool")  # the hues of the two halves of a score


def skill_card(skill: Skill, room: Room) -> Html:
    """Draw a skill."""
    told = shortened(skill.description, "skill.description", room.text)
    return card(
        "skill",
        skill.name,
        None,
        [f"version {gist(skill.version, 40)}", gist(skill.author, 60)],
        asked(
            ("does", told or "nobody says what", "", "skill.description"),
            ("good for", tags(skill.capabilities, room), "", "skill.capabilities"),
        ),
        path="skill",
    )


def tags(some: Sequence[str], room: Room) -> Html:
    """Draw a few words, each in a box."""
    shown = [h("span", "agl-tag")(gist(each, 40)) for each in some[: 2 * room.ends]]
    more = [f" and {count(len(some) - len(shown))} more"] if len(shown) < len(some) else []
    return h("span")(*(part for each in shown for part in (each, " ")), *more)


def skills_card(registry: SkillRegistry, room: Room) -> Html:
    """Draw a registry, a row a skill."""
    found = registry.all()
    if not found:
        return card("skills", "none", Chip("", "empty"), (), note(NO_SKILLS), path="registry")
    shown = found[: 3 * room.ends]
    cells = [
        (
            h("b", title=f"registry[{gist(each.name, 40)!r}]")(gist(each.name, 40)),
            gist(each.description, room.text // 12),
            tags(each.capabilities, room.inside()),
            gist(each.version, 20),
            doer(named(registry.handler(each.name))),
        )
        for each in shown
    ]
    bound = sum(registry.handler(each.name) is not None for each in found)
    rest = f"; the rest: registry.all()[{len(shown)}:]" if len(shown) < len(found) else ""
    return card(
        "skills",
        plural(len(found), "skill"),
        None,
        [f"{count(bound)} bound" if bound else ""],
        table(
            f"showing {len(shown)} of {count(len(found))}, by name{rest}",
            SKILLS,
            cells,
            path="registry.all()",
        ),
        path="registry",
    )


def named(handler: object) -> str | None:
    """Give the name of what does a skill."""
    return None if handler is None else getattr(handler, "__name__", type(handler).__name__)


def doer(name: str | None) -> Html | str:
    """Draw what does a skill, or that nothing does yet."""
    return h("span", "agl-dim")("nobody yet") if name is None else code(name)


def code(text: str) -> Html:
    """Draw a name of Python's."""
    return h("span", "agl-code")(gist(text, 40))


def skill_matches_card(found: SkillMatches | SkillMatch, room: Room) -> Html:
    """Draw matches, each with a bar of its two halves and the words that make them."""
    several = [found] if isinstance(found, SkillMatch) else found
    if not several:
        chip = Chip("", "none fits")
        return card("skill matches", "none", chip, (), note(NO_MATCHES), path="matches")
    shown = several[: 2 * room.ends]
    cells = [
        (
            h("b", title=f"matches[{i}].score")(f"{number(each.score):.2f}"),
            h("div")(
                h("div")(
                    h("b")(gist(each.skill.name, 60)),
                    " ",
                    h("span", "agl-dim")(gist(each.skill.description, room.text // 16)),
                ),
                *added(each, room),
            ),
        )
        for i, each in enumerate(shown)
    ]
    rest = f"; the rest: matches[{len(shown)}:]" if len(shown) < len(several) else ""
    caption = f"showing {len(shown)} of {count(len(several))}, best first{rest}"
    name = several[0].skill.name if len(several) == 1 else plural(len(several), "skill")
    body = table(caption, MATCHES, cells, path="matches")
    return card("skill matches", name, None, (), body, path="matches")


def added(found: SkillMatch, room: Room) -> list[Html]:
    """Draw the halves of a score in their hues, and under them their share of all there can be."""
    halves = [
        (hue, what, some, total)
        for hue, what, some, total in (
            (HALVES[0], "capabilities", found.capabilities, found.of_capabilities),
            (HALVES[1], "words", found.words, found.of_words),
        )
        if total
    ]
    words: list[object] = [f"{number(found.score):.2f} = "]
    for i, (hue, what, some, total) in enumerate(halves):
        listed = ", ".join(gist(each, 30) for each in some[: room.ends])
        more = ", …" if len(some) > room.ends else ""
        told = f"0.5 × {count(len(some))}/{count(total)} {what}{f' ({listed}{more})' * bool(some)}"
        words += [" + " if i else "", h("span", f"agl-label {hue}")(told)]
    parts = [
        h("i", style=f"width:{len(some) / (2 * total):.0%};--agl-hue:var(--agl-{hue})")()
        for hue, _, some, total in halves
        if some
    ]
    line = h("div", "agl-small")(*words, "" if halves else "nothing to go by")
    return [line, h("div")(h("span", "agl-bar long")(*parts))]


def skill_pipeline_card(pipeline: SkillPipeline, room: Room) -> Html:
    """Draw skills in a row, in the order that a text takes."""
    rows, missing = pipeline.rows(), pipeline.unbound()
    if not rows:
        empty = Chip("", "empty")
        return card("skill pipeline", "no skills", empty, (), note(NO_STAGES), path="pipeline")
    shown = rows[: 3 * room.ends]
    cells = [
        (
            count(i + 1),
            h("b", title=f"pipeline.skills[{i}]")(gist(row.name, 40)),
            gist(row.description, room.text // 12),
            doer(row.handler),
        )
        for i, row in enumerate(shown)
    ]
    rest = f"; the rest: pipeline.rows()[{len(shown)}:]" if len(shown) < len(rows) else ""
    how = "pipeline.bind(name, function) says what does a skill" if missing else "in order"
    return card(
        "skill pipeline",
        " → ".join(gist(row.name, 30) for row in rows[:6]) + " → …" * (len(rows) > 6),  # noqa: PLR2004
        Chip("warn", f"{count(len(missing))} not bound") if missing else Chip("ok", "ready"),
        [plural(len(rows), "stage")],
        table(f"{how}{rest}", STAGES, cells, path="pipeline.rows()"),
        path="pipeline",
    )
