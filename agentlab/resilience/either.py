"""What makes a thing, or changes one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class either(Generic[T]):  # noqa: N801 - reads like classmethod
    """A method that sets something; called on the class, it makes a thing so set.

    The keywords it is given there are those the class takes.
    """

    def __init__(self, method: Callable[..., T]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, thing: object, kind: type[Any]) -> Callable[..., T]:
        @wraps(self._method)
        def bound(*args: Any, **settings: Any) -> T:
            if thing is not None:
                return self._method(thing, *args, **settings)
            return self._method(kind(**settings), *args)

        return bound
