"""Numbers that grow at the end, for many rows of which each is small.

A row costs a few bytes a number instead of an object; what is added waits in a list, so that
adding needs no NumPy, and is moved into one array when somebody reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SMALLEST = 64


class Column:
    """A growing array. It has no lock: whoever owns it has one.

    >>> column = Column("f8")
    >>> column.append(0.5)
    >>> column.array()
    array([0.5])

    Parameters
    ----------
    dtype : str
        What NumPy calls the kind of number.
    """

    __slots__ = ("_array", "_dtype", "_new", "_size", "append", "extend")

    def __init__(self, dtype: str, values: Iterable[float] = ()) -> None:
        self._dtype = dtype
        self._array: Any = None
        self._size = 0
        self._new: list[Any] = [*values]
        self.append = self._new.append
        self.extend = self._new.extend

    def __len__(self) -> int:
        return self._size + len(self._new)

    def array(self) -> Any:
        """Give all of it, to be read, or changed in place, before the next change of length."""
        if self._new or self._array is None:
            self._settle(self._new)
            self._new.clear()
        return self._array[: self._size]

    def take(self, array: Any) -> None:
        """Add many numbers at once, which are an array already."""
        self.array()
        self._settle(array)

    def keep(self, mask: Any) -> None:
        """Keep the rows where ``mask`` is true, in their order."""
        kept = self.array()[mask]
        self._array, self._size = kept, len(kept)

    def drop(self, row: int) -> None:
        """Close the gap that one row leaves."""
        array = self.array()
        array[row:-1] = array[row + 1 :]
        self._size -= 1

    def _settle(self, new: Any) -> None:
        import numpy as np

        size = self._size + len(new)
        if self._array is None or size > len(self._array):
            grown = np.empty(max(SMALLEST, size, 2 * self._size), self._dtype)
            if self._size:
                grown[: self._size] = self._array[: self._size]
            self._array = grown
        self._array[self._size : size] = new
        self._size = size
