"""Settings that read well after each other: on a class they begin a new object."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

S = TypeVar("S")
K = TypeVar("K")
P = ParamSpec("P")


class chained(Generic[S, P]):  # noqa: N801 - reads like a decorator
    """A method that changes an object and gives it back; called on the class, a new one.

    >>> class Box:
    ...     size = 1
    ...     @chained
    ...     def with_size(self, size: int) -> None:
    ...         self.size = size
    >>> Box.with_size(2).with_size(3).size
    3
    """

    def __init__(self, change: Callable[Concatenate[S, P], None]) -> None:
        self._change = change
        self.__doc__ = change.__doc__

    def __get__(self, thing: K | None, kind: type[K]) -> Callable[P, K]:
        change: Any = self._change

        @wraps(change)
        def changed(*args: P.args, **kwargs: P.kwargs) -> K:
            made = kind() if thing is None else thing
            change(made, *args, **kwargs)
            return made

        return changed
