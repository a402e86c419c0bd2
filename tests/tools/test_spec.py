"""From a function to a tool: name, description, schema, check."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import pytest

from agentlab.core.errors import InvalidValue, ToolArgumentError
from agentlab.tools.docstring import parameters, summary
from agentlab.tools.spec import ToolSpec, tool
from agentlab.tools.textual import as_spec
from agentlab.tools.validator import ParameterSpec, ParameterTypeHint, ToolSchema


def search(q: str, limit: int = 3) -> str:
    """Look things up in many places.

    And more.

    Parameters
    ----------
    q : str
        What to look for,
        in a few words.
    limit : int, optional
        How many at most.

    Returns
    -------
    str
        What was found.
    """
    return f"{q} {limit}"


def fetch(url: str, *, retries: int = 0) -> str:
    """Fetch a page.

    Args:
        url (str): Where it is:
            a full address.
        retries: How often to try again.
    """
    return f"{url} {retries}"


@dataclass
class Point:
    """Somewhere."""

    x: float
    y: float = 0.0


class Adder:
    """Something that can be called."""

    def __init__(self, base: int) -> None:
        self.base = base

    def __call__(self, n: int) -> int:
        """Add."""
        return self.base + n

    def method(self, n: int) -> int:
        """Add, as a method."""
        return self.base + n


def test_a_signature_is_a_schema() -> None:
    """Name, first paragraph, types, defaults, required fields, descriptions of the parameters."""
    spec = tool(search)

    assert (spec.name, spec.description) == ("search", "Look things up in many places.")
    assert spec.required_fields == ("q",)
    assert spec.schema == {
        "title": "search",
        "type": "object",
        "properties": {
            "q": {"type": "string", "description": "What to look for, in a few words."},
            "limit": {"type": "integer", "default": 3, "description": "How many at most."},
        },
        "required": ["q"],
        "additionalProperties": False,
    }
    assert tool(fetch).schema["properties"] == {
        "url": {"type": "string", "description": "Where it is: a full address."},
        "retries": {"type": "integer", "default": 0, "description": "How often to try again."},
    }


def test_a_tool_is_still_its_function() -> None:
    """It is called like it, and a notebook shows its signature and docstring."""
    spec = tool(search)

    assert spec("x") == spec("x", limit=3) == "x 3"
    assert inspect.signature(spec) == inspect.signature(search)
    assert inspect.getdoc(spec) == inspect.getdoc(search)
    assert repr(spec) == "<ToolSpec search(q: string, limit: integer = 3)>"


def test_settings() -> None:
    """The decorator takes what a tool has, and says no to what it has not."""
    find = tool(name="find", description="Find.", timeout_s=1, inline=True, cacheable=True)(search)

    assert (find.name, find.description, find.timeout_s) == ("find", "Find.", 1)
    assert find.inline
    assert find.cacheable
    assert tool()(search).name == "search"
    with pytest.raises(TypeError, match="nmae"):
        tool(nmae="find")(search)  # type: ignore[call-overload]


def test_whatever_can_be_called_by_name() -> None:
    """Methods, objects, partials and classes of one's own are functions too."""
    adder = Adder(20)
    many: list[Any] = [adder, adder.method, partial(pow, 2, mod=5), partial(search, limit=1)]
    specs = [tool(name="t")(each) for each in many]

    assert [spec.call_sync({"n": 1}) for spec in specs[:2]] == [21, 21]
    assert [spec.description for spec in specs[:2]] == ["Add.", "Add, as a method."]
    assert specs[2].call_sync({"exp": 3}) == 3
    assert specs[3].call_sync({"q": "x"}) == "x 1"
    assert tool(Adder(1)).name == "Adder"
    assert tool(partial(search)).name == "search"


def test_rich_types() -> None:
    """Nested records, choices, unions and containers are described, checked and converted."""

    def plot(at: Point, kind: Literal["dot", "line"], tags: list[str] | None = None) -> str:
        return f"{at.x + at.y} {kind} {tags}"

    spec = tool(plot)
    at = spec.schema["properties"]["at"]

    assert spec.schema["$defs"][at["$ref"].rpartition("/")[2]]["required"] == ["x"]
    assert spec.call_sync({"at": {"x": 1}, "kind": "dot"}) == "1.0 dot None"
    assert spec.call_sync({"at": {"x": 1}, "kind": "dot", "tags": None}) == "1.0 dot None"
    assert spec.arguments() == (
        'at: Point, kind: "dot" | "line", tags: array of string | null (optional)'
    )
    with pytest.raises(ToolArgumentError, match=r"Invalid enum value 'x' - at `\$.kind`"):
        spec.call_sync({"at": {"x": 1}, "kind": "x"})


@pytest.mark.parametrize("odd", ["`", "' - at `$.kind`", "`\n"])
def test_what_would_have_done(odd: str) -> None:
    """Is said of choices and of names; a model may read it, and write anything it likes."""

    def draw(kind: Literal["dot", "line"], wide: bool = False) -> None:  # noqa: FBT001, FBT002
        """Draw."""

    with pytest.raises(ToolArgumentError, match=r"it is one of 'dot', 'line'$"):
        tool(draw).call_sync({"kind": odd})
    with pytest.raises(ToolArgumentError, match=r"unknown field `colour`: it takes kind, wide$"):
        tool(draw).call_sync({"kind": "dot", "colour": odd})
    with pytest.raises(ToolArgumentError, match=r"unknown field `n`: it takes nothing$"):
        tool(name="one")(lambda: 1).call_sync({"n": 1})


def test_defaults_stay_the_functions_own() -> None:
    """Any object may be one, mutable too; null is allowed where None is the default."""
    marker = object()

    def keep(
        a: Any = marker,
        b: list[int] = [1],  # noqa: B006 - the case under test
        c: str = None,  # type: ignore[assignment] # noqa: RUF013
    ) -> list[Any]:
        return [a is marker, b, c]

    spec = tool(keep)

    assert spec.call_sync({}) == spec.call_sync({"c": None}) == [True, [1], None]
    assert spec.schema["properties"]["a"] == {}
    assert spec.schema["properties"]["b"]["default"] == [1]
    assert spec.required_fields == ()
    assert tool(lambda: 1, name="one").call_sync({}) == 1  # type: ignore[call-overload]


def test_what_a_hint_says() -> None:
    """A text in Annotated describes the parameter, before the docstring does."""

    def go(where: Annotated[str, "The town."]) -> str:
        """Go.

        Args:
            where: Somewhere.
        """
        return where

    assert tool(go).schema["properties"]["where"]["description"] == "The town."


@pytest.mark.parametrize(
    ("fn", "text"),
    [
        (print, r"\*args cannot be given by name"),
        (lambda a, /: a, r"a cannot be given by name"),
        (lambda **more: more, r"\*\*more cannot be given by name"),
        (lambda a: a, r"a tool cannot be named '<lambda>'"),
        (dict.fromkeys, "cannot be given by name"),
        (type, "has no signature to read"),
        (3, "a tool is made of a function, got 3"),
        ("search", "a tool is made of a function, got 'search'"),
    ],
)
def test_what_is_no_tool(fn: Any, text: str) -> None:
    """What could not be given as JSON fields is refused when the tool is made."""
    with pytest.raises(InvalidValue, match=text):
        tool(fn)


def test_types_that_json_has_not() -> None:
    """They are refused when the tool is made, and so are annotations that cannot be read."""

    def odd(adder: Adder) -> None:
        del adder

    def unknown(x: Nowhere) -> None:  # type: ignore[name-defined] # noqa: F821
        del x

    with pytest.raises(InvalidValue, match="tool 'odd': a parameter is of a type that JSON cannot"):
        tool(odd)
    with pytest.raises(
        InvalidValue, match=r"tool 'unknown': its annotations cannot .*Nowhere.*: define"
    ):
        tool(unknown)


@pytest.mark.parametrize("name", ["", "FINAL_ANSWER", "two words", "1st", "é", "a\n", None, 3])
def test_names(name: Any) -> None:
    """A model must be able to write it."""
    with pytest.raises(InvalidValue, match="cannot be named"):
        ToolSpec(name, "", print)


@pytest.mark.parametrize("name", ["a", "_", "FINAL_ANSWERS", "web.search-2", "FINAL_answer"])
def test_good_names(name: str) -> None:
    """Letters, digits, underscores, dots and hyphens, and a schema for each."""
    assert ToolSpec(name, "", print).name == name
    assert tool(name=name)(search).schema["required"] == ["q"]


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"timeout_s": float("inf")},
        {"cache_ttl_s": 1},
        {"cacheable": True, "cache_ttl_s": -1},
        {"required_fields": "q"},
        {"handler": 3},
        {"schema": ToolSchema("t")},
        {"examples": ["q"]},
        {"examples": [("q", "not arguments", 1)]},
        {"examples": [("q", {}, 1, 2)]},
    ],
)
def test_bad_settings(settings: dict[str, Any]) -> None:
    """What can never be right is refused at once."""
    with pytest.raises(InvalidValue):
        ToolSpec(**{"name": "t", "description": "", "handler": print, **settings})


def test_required_fields_and_schema_are_one_list() -> None:
    """Where only one of the two is given, the other follows."""
    bare = ToolSpec("t", "", print)
    by_fields = bare.with_required_fields(["b", "a"])
    by_schema = ToolSpec("t", "", print, schema={"type": "object", "required": ["b", "a"]})

    for spec in (by_fields, by_schema):
        assert spec.required_fields == ("b", "a")
        assert spec.schema["required"] == ["b", "a"]
        assert spec.schema["properties"] == {"a": {}, "b": {}}
    described = {"properties": {"q": {"type": "string"}}}
    assert ToolSpec("t", "", print, ("q",), described).schema == {**described, "required": ["q"]}
    assert by_fields.with_required_fields([]).required_fields == ()
    assert bare.schema == {"type": "object"}
    assert tool(search).tool_schema() == ToolSchema(
        "search",
        "Look things up in many places.",
        (
            ParameterSpec.required(
                "q", ParameterTypeHint.String, "What to look for, in a few words."
            ),
            ParameterSpec.optional("limit", ParameterTypeHint.Number, "How many at most."),
        ),
    )


def test_changes_are_copies() -> None:
    """A spec never changes; specs with equal fields are equal, and can be in sets."""
    spec = ToolSpec("t", "", print)
    changed = spec.with_required_fields(["q"]).with_validators([print]).with_required_fields(["r"])

    assert (spec.required_fields, spec.validators) == ((), ())
    assert (changed.required_fields, changed.validators) == (("r",), (print,))
    assert spec == ToolSpec("t", "", print)
    assert len({spec, ToolSpec("t", "", print), changed}) == 2


def test_new_async() -> None:
    """The handler is awaited, be it an async function or one that gives something to await."""

    async def later(args: Any) -> Any:
        return args

    def given(args: Any) -> Any:
        return later(args)

    for handler in (later, given):
        assert ToolSpec.new_async("t", "", handler).call_sync({"a": 1}) == {"a": 1}


def test_as_spec() -> None:
    """Functions, text tools, whatever has the parts of a tool; and nothing else."""

    class Custom:
        name, description = "custom", "Of one's own."
        schema: dict[str, Any] = {"type": "object", "required": ["n"]}  # noqa: RUF012

        async def call(self, args: Any, /) -> Any:
            return args["n"]

    assert as_spec(Custom()).required_fields == ("n",)
    assert as_spec(Custom()).call_sync({"n": 3}) == 3
    assert as_spec(search).name == "search"
    spec = tool(search)
    assert as_spec(spec) is spec
    with pytest.raises(InvalidValue, match=r"3 is no tool: give a function"):
        as_spec(3)


DOCS = {
    "": ("", {}),
    "One.": ("One.", {}),
    "One\ntwo.\n\nThree.": ("One two.", {}),
    "Parameters\n----------\na : int\n    An a.": ("", {"a": "An a."}),
    "Go.\nArgs:\n  a: An a.": ("Go.", {"a": "An a."}),
    "Go.\n\nParameters\n----------\na, b : int\n    Both.\n*c\n    Rest.\nd\n\n"
    "Returns\n-------\ne\n    No.": ("Go.", {"a": "Both.", "b": "Both.", "c": "Rest."}),
    "Go.\n\nArgs:\n    a (list[str], optional): An a:\n        one\n\n        two.\n    b: B.\n\n"
    "Raises:\n    c: No.": ("Go.", {"a": "An a: one two.", "b": "B."}),
    "Go.\n\nOther Parameters\n----------------\na\n    Rare.": ("Go.", {"a": "Rare."}),
    "Go. See Args: there.\n\nArgs: not a section": ("Go. See Args: there.", {}),
    "Args:": ("", {}),
    "Parameters\n----------": ("", {}),
}


@pytest.mark.parametrize("doc", DOCS, ids=range(len(DOCS)))
def test_docstrings(doc: str) -> None:
    """Both manners are read, and what is in neither is no harm."""
    assert (summary(doc), parameters(doc)) == DOCS[doc]
