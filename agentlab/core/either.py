"""A constructor that is a setter too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class on_either(Generic[P, T]):  # noqa: N801 - reads like classmethod
    """Is given the class when called on that, and makes one; or an instance, to change it.

    >>> class Cup:
    ...     size = 1
    ...     @on_either
    ...     def with_size(target, size):
    ...         cup = target() if isinstance(target, type) else target
    ...         cup.size = size
    ...         return cup
    >>> Cup.with_size(2).with_size(3).size
    3
    """

    def __init__(self, fn: Callable[Concatenate[Any, P], T]) -> None:
        self._fn = fn
        self.__doc__ = fn.__doc__

    def __get__(self, instance: Any, owner: Any) -> Callable[P, T]:
        bound = partial(self._fn, owner if instance is None else instance)
        return update_wrapper(bound, self._fn)
