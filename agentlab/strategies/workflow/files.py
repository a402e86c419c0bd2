"""A workflow as plain data, as TOML or JSON, and as a file of either."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.files import path_of, replacing
from agentlab.core.text import suggestion

if TYPE_CHECKING:
    from typing import Self

    from agentlab.strategies.workflow.steps import WorkflowStep

MOST = 1_000_000  # bytes of a file
SUFFIXES = (".toml", ".json")


class Form(NamedTuple):
    """What a record must have, and may have."""

    must: tuple[str, ...]
    may: tuple[str, ...] = ()


FORMS = {
    "task": Form(("name", "prompt"), ("tool",)),
    "branch": Form(("condition", "if_true"), ("if_false",)),
    "parallel": Form(("steps",), ("max_concurrency",)),
    "loop": Form(("body", "max_iters"), ("until",)),
}


class Written:
    """A workflow's plain forms."""

    __slots__ = ()
    name: str
    steps: tuple[WorkflowStep, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON.

        Raises
        ------
        InvalidValue
            A task has a strategy, which is an object and cannot be written down.
        """
        return {"name": self.name, "steps": listed(self.steps, "steps")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        InvalidValue
            It is not the data of a workflow; the place is named.
        """
        fields(data, "the workflow", Form(("name", "steps")))
        flow: Self = made("the workflow", cls, data["name"], steps_read(data["steps"], "steps"))
        return flow

    def to_toml(self) -> str:
        """Write it as TOML."""
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read what :meth:`to_toml` wrote, or somebody by hand.

        Raises
        ------
        InvalidValue
            It is no TOML, or not that of a workflow; the place is named.
        """
        return cls.from_dict(parsed(text, "TOML", tomllib.loads))

    def to_json(self) -> str:
        """Write it as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=2).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote, or somebody by hand.

        Raises
        ------
        InvalidValue
            It is no JSON, or not that of a workflow; the place is named.
        """
        return cls.from_dict(parsed(text, "JSON", msgspec.json.decode))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, ``.toml`` or ``.json``, and give where that is.

        It takes the place of a file that is there; its folder is made where it is missing.

        Raises
        ------
        InvalidValue
            The path is neither, or a task has a strategy.
        PersistenceError
            It cannot be written; what was there before still is.
        """
        target = file_of(path)
        text = self.to_toml() if target.suffix == ".toml" else self.to_json() + "\n"
        try:
            with replacing(target) as file:
                file.write(text.encode())
        except OSError as error:
            raise PersistenceError(f"{target} cannot be written: {error.strerror}") from error
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file, ``.toml`` or ``.json``.

        Raises
        ------
        InvalidValue
            It is not that of a workflow; file and place are named.
        PersistenceError
            It cannot be read, or is longer than a million bytes.
        """
        target = file_of(path)
        read = cls.from_toml if target.suffix == ".toml" else cls.from_json
        try:
            return read(text_in(target))
        except InvalidValue as error:
            raise InvalidValue(f"{target}: {error}") from None


def file_of(path: str | os.PathLike[str]) -> Path:
    """Give the path of a file that can hold a workflow."""
    target = path_of(path, "path")
    if target.suffix not in SUFFIXES:
        raise InvalidValue(f"path must end in {' or '.join(SUFFIXES)}, got {target.name!r:.80}")
    return target


def text_in(path: Path) -> str:
    """Read a file that is not too long."""
    try:
        if not path.is_file():
            raise PersistenceError(f"{path} is no file")
        with path.open("rb") as file:
            data = file.read(MOST + 1)
        if len(data) > MOST:
            raise PersistenceError(f"{path} is longer than a workflow may be, {MOST:,} bytes")
        return data.decode()
    except OSError as error:
        raise PersistenceError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"no text of UTF-8: {error.reason} at byte {error.start}") from None


def parsed(text: str, form: str, parse: Callable[[str], Any]) -> Any:
    """Read a text, and say where it cannot be."""
    if not isinstance(text, str):
        raise InvalidValue(f"a text of {form} is needed, got {text!r:.80}")
    if len(text) > MOST:
        raise InvalidValue(f"a workflow may have {MOST:,} letters, got {len(text):,}")
    try:
        return parse(text)
    except RecursionError:
        raise InvalidValue(f"not {form}: it is nested too deeply") from None
    except ValueError as error:  # of both, and of numbers and dates that cannot be
        raise InvalidValue(f"not {form}: {error}") from None


def listed(steps: Iterable[WorkflowStep], where: str) -> list[dict[str, Any]]:
    """Give steps as plain data."""
    return [plain(step, f"{where}[{i}]") for i, step in enumerate(steps)]


def plain(step: Any, where: str) -> dict[str, Any]:
    """Give a step as plain data."""
    if getattr(step, "strategy", None) is not None:
        raise InvalidValue(
            f"{where}: task {step.name!r:.80} has a strategy, {step.strategy.strategy_name!r:.80},"
            " which cannot be written down: keep the workflow in Python, or give the task a tool"
        )
    form = FORMS[step.kind]
    told: dict[str, Any] = {"kind": step.kind}
    for name in (*form.must, *form.may):
        value = getattr(step, name)
        if value is None:
            continue
        if name == "steps":
            value = listed(value, f"{where}.steps")
        elif hasattr(value, "kind"):
            value = plain(value, f"{where}.{name}")
        told[name] = value
    return told


def steps_read(data: Any, where: str) -> list[WorkflowStep]:
    """Read a list of steps."""
    if not isinstance(data, list | tuple):
        raise InvalidValue(f"{where}: a list of steps is needed, got {data!r:.80}")
    return [step_read(each, f"{where}[{i}]") for i, each in enumerate(data)]


def step_read(data: Any, where: str) -> WorkflowStep:
    """Read a step, and those in it."""
    from agentlab.strategies.workflow.steps import DEEPEST, WorkflowStep

    if where.count(".") > DEEPEST:
        raise InvalidValue(f"{where[:80]}…: steps are nested deeper than {DEEPEST}")
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(kind, str) or kind not in FORMS:
        near = suggestion(kind, FORMS) if isinstance(kind, str) else ""
        raise InvalidValue(
            f"{where}: the kind of a step must be one of {', '.join(FORMS)},"
            f" got {(data if kind is None else kind)!r:.80}{near}"
        )
    form = FORMS[kind]
    fields(data, f"{where}: a {kind}", Form(("kind", *form.must), form.may))
    told = {name: inner(name, value, where) for name, value in data.items() if name != "kind"}
    step: WorkflowStep = made(where, getattr(WorkflowStep, kind.title()), **told)
    return step


def inner(name: str, value: Any, where: str) -> Any:
    """Read a field of a step, which may hold steps."""
    if name == "steps":
        return steps_read(value, f"{where}.steps")
    if name in ("if_true", "body") or (name == "if_false" and value is not None):
        return step_read(value, f"{where}.{name}")
    return value


def fields(data: Any, what: str, form: Form) -> None:
    """See that a record has what it must, and nothing that nobody would read."""
    if not isinstance(data, Mapping):
        raise InvalidValue(f"{what} must be a table, got {data!r:.80}")
    for name in form.must:
        if name not in data:
            raise InvalidValue(f"{what} needs {name!r}, got {', '.join(map(repr, data))!s:.200}")
    for name in data:
        if name not in (*form.must, *form.may):
            near = suggestion(name, (*form.must, *form.may)) if isinstance(name, str) else ""
            raise InvalidValue(f"{what} has no {name!r:.80}{near}")


def made(where: str, kind: Callable[..., Any], *args: Any, **told: Any) -> Any:
    """Make a value, and say where it cannot be."""
    try:
        return kind(*args, **told)
    except InvalidValue as error:
        raise InvalidValue(f"{where}: {error}") from None
