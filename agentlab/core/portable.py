"""Values that go through JSON and come back equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab.core.errors import InvalidValue

if TYPE_CHECKING:
    from typing import Self


class Portable:
    """A record (a struct or a dataclass of plain fields) with a plain form."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave; fields it does not name have their defaults.

        Raises
        ------
        InvalidValue
            ``data`` is not such a record.
        """
        try:
            return msgspec.convert(data, cls)
        except (msgspec.ValidationError, UnicodeError) as error:  # of a lone surrogate
            raise InvalidValue(f"not the data of a {cls.__name__}: {error}") from None
