"""Small schemas, and what does not fit them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue, ToolArgumentError, ValidationError
from agentlab.tools.schema import arguments_line
from agentlab.tools.validator import (
    ParameterSpec,
    ParameterTypeHint,
    SchemaValidator,
    ToolCall,
    ToolSchema,
    type_name,
)

HINTS = [*ParameterTypeHint]
SEARCH = (
    ToolSchema("search", "Look things up.")
    .with_param(ParameterSpec.required("query", ParameterTypeHint.String, "What to look for."))
    .with_param(ParameterSpec.optional("limit", ParameterTypeHint.Number, "How many at most."))
)
VALUES: list[Any] = [None, True, 1, 1.5, "", [], {}]
NAMES = ["null", "boolean", "number", "number", "string", "array", "object"]


def test_w11_1() -> None:
    """A call that fits has no errors; keys nobody declared are ignored."""
    validator = SchemaValidator([SEARCH])
    for more in ({}, {"other": [1]}):
        call = ToolCall("search", {"query": "rust async", "limit": 10, **more})
        validator.validate(call)
        assert validator.validate_all(call) == []


def test_w11_2() -> None:
    """All that is wrong is told, in the order of the parameters, and the first is raised."""
    validator, call = SchemaValidator([SEARCH]), ToolCall("search", {"limit": "x"})

    assert validator.validate_all(call) == [
        ValidationError.MissingRequired("query"),
        ValidationError.TypeMismatch("limit", "number", "string"),
    ]
    with pytest.raises(ValidationError.MissingRequired, match="missing required parameter 'query'"):
        validator.validate(call)


def test_unknown_tools() -> None:
    """They are the only thing wrong, and are not found."""
    validator, call = SchemaValidator([SEARCH]), ToolCall("serch", {})

    assert validator.validate_all(call) == [ValidationError.UnknownTool("serch")]
    with pytest.raises(ValidationError.UnknownTool, match=r"^unknown tool 'serch'$") as caught:
        validator.validate(call)
    assert caught.value.kind == "not_found"


def test_what_is_missing_is_raised_before_what_misfits() -> None:
    """Even where the parameter that misfits was declared first."""
    schema = ToolSchema("t", "", SEARCH.params[::-1])
    validator, call = SchemaValidator([schema]), ToolCall("t", {"limit": "x"})

    with pytest.raises(ValidationError.MissingRequired):
        validator.validate(call)
    assert [type(each) for each in validator.validate_all(call)] == [
        ValidationError.TypeMismatch,
        ValidationError.MissingRequired,
    ]


@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize(("value", "name"), [*zip(VALUES, NAMES, strict=True)])
def test_types(hint: ParameterTypeHint, value: Any, name: str) -> None:
    """Each value is of one type; a truth value is no number; null fits nothing but any."""
    fits = hint in {"any", name}
    required = ToolSchema("t", "", (ParameterSpec.required("p", hint),))
    optional = ToolSchema("t", "", (ParameterSpec.optional("p", hint),))
    wrong = [] if fits else [ValidationError.TypeMismatch("p", hint.value, name)]

    assert type_name(value) == name
    assert required.errors({"p": value}) == wrong
    assert optional.errors({"p": value}) == ([] if value is None else wrong)
    assert str(ValidationError.TypeMismatch("p", "number", "string")) == (
        "parameter 'p': expected number, got string"
    )


@pytest.mark.parametrize("args", [None, 3, "query", [1], True])
def test_arguments_that_are_no_object(args: Any) -> None:
    """Every required parameter is missing."""
    assert SEARCH.errors(args) == [ValidationError.MissingRequired("query")]


SPECS = st.builds(
    ParameterSpec,
    st.sampled_from("abcdef"),
    st.sampled_from(HINTS),
    st.sampled_from(["", "What.", "<b>"]),
    st.booleans(),
)
SCHEMAS = st.builds(
    ToolSchema,
    st.text(max_size=5),
    st.text(max_size=5),
    st.lists(SPECS, unique_by=lambda each: each.name, max_size=5),
)
ARGUMENTS = st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from(VALUES)) | st.just("no")


@given(SCHEMAS, ARGUMENTS)
def test_laws(schema: ToolSchema, args: Any) -> None:
    """One error a parameter at most, in order; what is raised is one of them."""
    validator, call = SchemaValidator([schema]), ToolCall(schema.name, args)
    found: list[Any] = validator.validate_all(call)
    names = [each.name for each in schema.params]
    places = [names.index(each.param) for each in found]

    assert places == sorted(set(places))
    if found:
        with pytest.raises(ValidationError) as caught:
            validator.validate(call)
        assert caught.value in found
        assert isinstance(caught.value, ToolArgumentError)
    else:
        validator.validate(call)
    if isinstance(args, dict):
        assert schema.errors({**args, "undeclared": 1}) == found
        given_all = {name: VALUES[NAMES.index(hint_value(schema, name))] for name in names}
        assert schema.errors(given_all) == []


def hint_value(schema: ToolSchema, name: str) -> str:
    """Name a type that fits a parameter."""
    hint = next(each.hint for each in schema.params if each.name == name)
    return "string" if hint is ParameterTypeHint.Any else hint.value


@given(SCHEMAS)
def test_round_trips(schema: ToolSchema) -> None:
    """A schema survives as a JSON schema and as plain data."""
    assert ToolSchema.from_json_schema(schema.to_json_schema()) == schema
    assert ToolSchema.from_dict(schema.to_dict()) == schema


def test_json_schema() -> None:
    """What it looks like, and what the small form takes of one that says more."""
    assert SEARCH.to_json_schema() == {
        "title": "search",
        "description": "Look things up.",
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to look for."},
            "limit": {"type": "number", "description": "How many at most."},
        },
        "required": ["query"],
    }
    rich = {
        "properties": {
            "a": {"type": "integer", "minimum": 3},
            "b": {"type": ["string", "null"]},
            "c": {"anyOf": [{"type": "string"}]},
            "d": True,
            "e": {"type": {}},
        },
        "required": ["b"],
    }
    read = ToolSchema.from_json_schema(rich, name="t")
    assert [each.hint.value for each in read.params] == ["number", "any", "any", "any", "any"]
    assert [each.is_required for each in read.params] == [False, True, False, False, False]


def test_names() -> None:
    """Parameters have names, and each its own; a type is one of six, by name too."""
    twice = (ParameterSpec.required("a", ParameterTypeHint.Any),) * 2
    with pytest.raises(InvalidValue, match="schema 't' has two parameters named 'a'"):
        ToolSchema("t", "", twice)
    with pytest.raises(InvalidValue, match="a parameter cannot be named ''"):
        ParameterSpec.required("", ParameterTypeHint.Any)
    with pytest.raises(InvalidValue, match="no parameter is of type 'integer': it may be string, "):
        ParameterSpec("a", "integer")  # type: ignore[arg-type]
    assert ParameterSpec("a", "array").hint is ParameterTypeHint.Array  # type: ignore[arg-type]
    assert [each.value for each in HINTS] == [
        "string", "number", "boolean", "array", "object", "any",
    ]  # fmt: skip


def test_registering() -> None:
    """The same name replaces; schemas are listed by name."""
    validator = SchemaValidator([SEARCH, ToolSchema("a")])
    validator.register(ToolSchema("search"))

    assert validator.validate_all(ToolCall("search", {})) == []
    assert [each.name for each in validator.schemas()] == ["a", "search"]
    assert repr(validator) == "<SchemaValidator a, search>"
    assert repr(SchemaValidator()) == "<SchemaValidator empty>"


def test_reprs() -> None:
    """One line each, whatever is in them."""
    assert repr(SEARCH) == "<ToolSchema search(query: string, limit: number (optional))>"
    assert repr(SEARCH.params[1]) == "<ParameterSpec 'limit': number (optional)>"
    assert repr(ToolCall("t", {"a": "\n"})) == "ToolCall(tool_name='t', arguments={'a': '\\n'})"
    assert ToolCall.from_dict(ToolCall("t", {"a": [1]}).to_dict()) == ToolCall("t", {"a": [1]})
    assert ToolCall("t") == ToolCall("t", {})
    odd = ToolSchema("t\nt", "", (ParameterSpec.required("a\nb\ud800", ParameterTypeHint.Any),))
    assert "\n" not in arguments_line(odd.to_json_schema())
    assert len(arguments_line({"properties": {"x" * 9999: {}}})) < 400
    assert arguments_line({}) == ""
