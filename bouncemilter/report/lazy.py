"""Attributes that are computed when they are first asked for: functools.cached_property without its lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  (used like `property`)
    """Before Python 3.12 the lock of cached_property costs more than most of what it guards here.

    A message belongs to one thread.
    """

    def __init__(self, compute: Callable[..., T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, instance: object, owner: type | None = None) -> T:
        value = self._compute(instance)
        instance.__dict__[self._name] = value  # from now on found before this descriptor
        return value
