"""A property that is read once, however many threads ask for it at the same time."""

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar, overload

from tokenctl.errors import TokenctlError

T = TypeVar("T")


class Once(Generic[T]):
    """Like `functools.cached_property`, but threads wait for the first one's answer; it remembers a failure as well."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self._lock = RLock()
        self.__doc__ = read.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name under which an object keeps the answer."""
        self._name = f"{name} once"

    @overload
    def __get__(self, instance: None, owner: type) -> "Once[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "T | Once[T]":
        """Return the answer, or raise the failure, of the first call."""
        if instance is None:
            return self
        kept = vars(instance)
        with self._lock:
            if self._name not in kept:
                try:
                    kept[self._name] = self._read(instance), None
                except TokenctlError as error:
                    kept[self._name] = None, error
        answer, failure = kept[self._name]
        if failure is not None:
            raise failure
        result: T = answer
        return result
