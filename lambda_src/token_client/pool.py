"""A bounded collection of things that are made when they are first needed, one for each name."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from token_client import forks

T = TypeVar("T")


class Pool(Generic[T]):
    """Keeps the `size` things that were used last. Safe to use from several threads.

    A thing that somebody else still holds is found again even after many others were used, so there is never more than
    one for a name.
    """

    def __init__(self, make: Callable[[str], T], size: int) -> None:
        self._make, self._size = make, size
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, T] = OrderedDict()
        self._alive: weakref.WeakValueDictionary[str, T] = weakref.WeakValueDictionary()
        forks.note(self)

    def get(self, name: str) -> T:
        """Return the thing of this name, and make it if there is none."""
        with self._lock:
            thing = self._alive.get(name)
            if thing is None:
                thing = self._alive[name] = self._make(name)
            self._recent[name] = thing
            self._recent.move_to_end(name)
            dropped = self._recent.popitem(last=False) if len(self._recent) > self._size else None
        del dropped  # outside the lock: whatever its end does, it may use the pool
        return thing

    def after_fork(self) -> None:
        """In a child process, forget a lock that a thread of the parent may hold."""
        self._lock = threading.Lock()
