"""What a tool may need leave for, and what tools declare of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from agentlab.core.bounds import a_name, a_text
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.text import suggestion

NAMES = {
    "file_read": "FileRead",
    "file_write": "FileWrite",
    "network": "Network",
    "database_read": "DatabaseRead",
    "database_write": "DatabaseWrite",
    "shell_exec": "ShellExec",
    "secret_access": "SecretAccess",
}
CUSTOM = "custom:"
KNOWN: dict[str, Any] = {}  # by label: there is one of each


class ToolPermission(str):
    """A label such as ``file_write``: one of the seven, or one of your own.

    >>> ToolPermission("file_write") is ToolPermission.FileWrite, ToolPermission.Custom("printer")
    (True, ToolPermission.Custom('printer'))

    Parameters
    ----------
    label : str
        ``file_read``, ``file_write``, ``network``, ``database_read``, ``database_write``,
        ``shell_exec``, ``secret_access``, or ``custom:`` and a name.

    Raises
    ------
    InvalidValue
        There is no such permission.
    """

    __slots__ = ()
    FileRead: ClassVar[ToolPermission]
    FileWrite: ClassVar[ToolPermission]
    Network: ClassVar[ToolPermission]
    DatabaseRead: ClassVar[ToolPermission]
    DatabaseWrite: ClassVar[ToolPermission]
    ShellExec: ClassVar[ToolPermission]
    SecretAccess: ClassVar[ToolPermission]

    def __new__(cls, label: str) -> Self:
        """Give the one of that label."""
        if not isinstance(label, str):
            raise InvalidValue(f"a permission is a ToolPermission or its label, got {label!r:.80}")
        if label in KNOWN:
            known: Self = KNOWN[label]
            return known
        if label in NAMES or (label.startswith(CUSTOM) and len(label) > len(CUSTOM)):
            return super().__new__(cls, label)
        raise InvalidValue(
            f"there is no permission {label!r:.80}{suggestion(label[:80], NAMES)}:"
            f" one of {', '.join(NAMES)}, or 'custom:NAME'"
        )

    def __repr__(self) -> str:
        if self.startswith(CUSTOM):
            return f"ToolPermission.Custom({self.removeprefix(CUSTOM)!r})"
        return f"ToolPermission.{NAMES[self]}"

    def __reduce__(self) -> tuple[type[ToolPermission], tuple[str]]:
        return ToolPermission, (str(self),)

    @property
    def label(self) -> str:
        """The label as a plain text."""
        return str(self)

    @classmethod
    def Custom(cls, name: str) -> ToolPermission:  # noqa: N802 - a case, as the others are
        """Give one of your own."""
        return cls(f"{CUSTOM}{a_name('name', name)}")


for _label, _name in NAMES.items():
    KNOWN[_label] = ToolPermission(_label)
    setattr(ToolPermission, _name, KNOWN[_label])


def permissions(given: Iterable[ToolPermission | str]) -> frozenset[ToolPermission]:
    """Give what was named as a set; one text alone is no list of them.

    Raises
    ------
    InvalidValue
        It is no list, or one of them is none.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        wanted = f": write [{given!r}]" if isinstance(given, str) else ""
        raise InvalidValue(f"permissions is a list of them, got {given!r:.80}{wanted}")
    return frozenset(map(ToolPermission, given))


@dataclass(frozen=True, init=False)
class ToolManifest(Displayable):
    """What a tool needs, as its owner says; it stands above what the tool itself declares.

    >>> ToolManifest("delete_file").require("file_write")
    ToolManifest('delete_file', ['file_write'])

    Parameters
    ----------
    name : str
        The tool's.
    required : iterable of ToolPermission
        What must be granted for it to be called.
    description : str
        Why, for whoever reads the sandbox.
    """

    name: str
    required: frozenset[ToolPermission] = frozenset()
    description: str = ""

    def __init__(
        self, name: str, required: Iterable[ToolPermission | str] = (), description: str = ""
    ) -> None:
        parts = {"name": a_name("name", name), "required": permissions(required)}
        self.__dict__.update(parts, description=a_text("description", description))

    def __repr__(self) -> str:
        about = f", description={self.description!r}" if self.description else ""
        return f"ToolManifest({self.name!r}, {list(map(str, sorted(self.required)))}{about})"

    def require(self, permission: ToolPermission | str) -> ToolManifest:
        """Give this manifest with one more needed."""
        return replace(self, required=self.required | permissions([permission]))

    def with_description(self, description: str) -> ToolManifest:
        """Give this manifest with a description."""
        return replace(self, description=description)
