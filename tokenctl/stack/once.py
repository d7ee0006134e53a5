"""A property that is read once, however many threads ask for it at the same time."""

from collections.abc import Callable
from threading import RLock, Thread, current_thread
from typing import Any, Final, Generic, TypeVar, overload

from tokenctl.errors import TokenctlError
from tokenctl.stack.side_by_side import Worker

PATIENCE: Final = 0.1
"""Seconds between two looks at the thread that reads."""

T = TypeVar("T")


class Once(Generic[T]):
    """Like `functools.cached_property`, but threads wait for the first one's answer; it remembers a failure as well."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self._lock = RLock()
        self._reader: Thread | None = None
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
        if self._name not in kept:
            self._take()
            try:
                if self._name not in kept:
                    kept[self._name] = self._first_answer(instance)
            finally:
                self._lock.release()
        answer, failure = kept[self._name]
        if failure is not None:
            raise failure
        result: T = answer
        return result

    def _take(self) -> None:
        """Wait for the thread that reads; raises TokenctlError if nobody waits for that one any more."""
        while not self._lock.acquire(timeout=PATIENCE):
            if isinstance(self._reader, Worker) and self._reader.abandoned:
                raise TokenctlError("AWS gave no answer in time. Check the network, and AWS's health page.")
        self._reader = current_thread()

    def _first_answer(self, instance: object) -> tuple[Any, TokenctlError | None]:
        try:
            return self._read(instance), None
        except TokenctlError as error:
            return None, error
