"""The cards of personas: one, and all there are."""

from __future__ import annotations

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, card, fold, note, table
from agentlab.display.words import count, gist, plural, shortened
from agentlab.personas.persona import Persona
from agentlab.personas.registry import PersonaRegistry

COLUMNS = [
    Column("persona", "fit"),
    Column("tone", "fit"),
    Column("role, and what it says", "wide"),
]
NO_PERSONAS = (
    "No personas yet. `registry.register(Persona(name, …))` adds one;"
    " `PersonaRegistry.with_builtins()` has five to begin with."
)
YOURS = "(the system prompt of the settings)"


def persona_card(persona: Persona, room: Room) -> Html:
    """Draw a persona: what it says, what it must heed, and the system prompt that this makes."""
    rules = [
        shortened(each, f"persona.constraints[{i}]", room.text // 2)
        for i, each in enumerate(persona.constraints[: 2 * room.ends])
    ]
    left = len(persona.constraints) - len(rules)
    rules += [f"and {plural(left, 'more')}: persona.constraints"] if left else []
    prompt = shortened(persona.around(YOURS), "persona.around('…')", room.text)
    told = [
        ("says", shortened(persona.system_prompt, "persona.system_prompt", room.text), "",
         "persona.system_prompt"),
        ("heeds", "\n".join(rules), "", "persona.constraints"),
    ]  # fmt: skip
    return card(
        "persona",
        persona.name,
        Chip("", persona.tone.value),
        [gist(persona.role, 60), plural(len(persona.constraints), "constraint")],
        asked(*(each for each, there in zip(told, (persona.system_prompt, rules), strict=True)
                if there)),
        fold("as a system prompt", h("pre", "agl-pre", title="persona.around('…')")(prompt)),
        path="persona",
    )  # fmt: skip


def personas_card(registry: PersonaRegistry, room: Room) -> Html:
    """Draw a registry, a row a persona."""
    found = registry.personas()
    if not found:
        return card("personas", "none", Chip("", "empty"), (), note(NO_PERSONAS), path="registry")
    shown = found[: 3 * room.ends]
    cells = [
        (
            h("b", title=f"registry[{gist(each.name, 40)!r}]")(gist(each.name, 40)),
            each.tone.value,
            h("span")(
                gist(each.role, 60),
                h("span", "agl-dim")(", ", plural(len(each.constraints), "constraint")),
                h("span", "agl-small agl-para")(gist(each.system_prompt, room.text // 8)),
            ),
        )
        for each in shown
    ]
    rest = f"; the rest: registry.personas()[{len(shown)}:]" if len(shown) < len(found) else ""
    return card(
        "personas",
        plural(len(found), "persona"),
        None,
        (),
        table(
            f"showing {len(shown)} of {count(len(found))}, by name{rest};"
            " use one: with runtime.with_persona(name):",
            COLUMNS,
            cells,
            path="registry.personas()",
        ),
        path="registry",
    )
