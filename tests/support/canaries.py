"""Canaries that stand for secrets, and a search for them, in any spelling, in whatever comes out of the function."""

import base64
import dataclasses
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from refresh_token.errors import RefreshTokenError

CORE: Final = "CaNaRy7f3a"
"""A marker that is part of every canary and of nothing else."""

ACCESS: Final = f"figd_{CORE}_access-stored"
REFRESH: Final = f"figr_{CORE}_refresh-stored"
CLIENT: Final = f"{CORE}ClientId01"  # Figma's client ids are 22 letters and digits: they look like a name or an id
ISSUED: Final = f"figd_{CORE}_access-issued"
ROTATED: Final = f"figr_{CORE}_refresh-issued"
GIVEN: Final = f"figr_{CORE}_refresh-given"
GIVEN_CLIENT: Final = f"{CORE}ClientId02"
APP_ID: Final = f"{CORE}AppId03"
APP_SECRET: Final = f"{CORE}-app-secret"
NOTE: Final = f"{CORE}-in-a-key-that-is-not-ours"
BASIC: Final = base64.b64encode(f"{APP_ID}:{APP_SECRET}".encode()).decode()
"""The credentials that the app sends to identify itself."""

ALL: Final = (ACCESS, REFRESH, CLIENT, ISSUED, ROTATED, GIVEN, GIVEN_CLIENT, NOTE, APP_ID, APP_SECRET, BASIC)

ECHO: Final = json.dumps(ALL)
"""What a hostile or careless service sends back: every secret that it may have received."""

EXCERPT: Final = 60


def _spellings() -> Iterator[str]:
    yield CORE.lower()
    yield CORE.encode().hex()
    for offset in range(3):
        # Without the ends, where the bits of the neighbours would show.
        text = base64.b64encode(bytes(offset) + CORE.encode()).decode().rstrip("=")
        yield text[2 * offset : -1].lower()


SPELLINGS: Final = tuple(_spellings())


def leaks(text: str) -> list[str]:
    """Return where a canary shows in a text: plain in any case, in hex, in base64."""
    lower = text.lower()
    places = [lower.find(spelling) for spelling in SPELLINGS]
    return [text[max(0, place - EXCERPT) : place + EXCERPT] for place in places if place >= 0]


def assert_clean(error: BaseException) -> None:
    """Assert that an error shows no canary, and hides no other error that might."""
    assert "canary" not in "".join(traceback.format_exception(error))
    assert "canary" not in repr(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def clean_fault(call: Callable[[], object]) -> RefreshTokenError:
    """Return the error of ours that a call raises, after `assert_clean`."""
    with pytest.raises(RefreshTokenError) as caught:
        call()
    assert_clean(caught.value)
    traceback.clear_frames(caught.tb)  # they may hold a kept connection, which is closed when nobody holds it
    return caught.value


def texts_of(thing: object) -> list[str]:
    """Return every text that a log, a debugger or an error report would show of an object."""
    texts = [repr(thing), str(thing), f"{thing}", ascii(thing)]
    if isinstance(thing, BaseException):
        for link in chain_of(thing):
            texts += [repr(link), str(link), repr(link.args), repr(vars(link)), *getattr(link, "__notes__", ())]
        texts += traceback.format_exception(thing)
        # The chain once more: `raise ... from None` hides a cause from print, not from a debugger.
        texts += [
            line
            for link in chain_of(thing)
            for line in traceback.TracebackException.from_exception(link, capture_locals=False).format()
        ]
    return texts


def chain_of(error: BaseException) -> list[BaseException]:
    """Return an error and everything behind it: causes, contexts, also suppressed ones, and the parts of a group."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or any(link is known for known in found):
            continue
        found.append(link)
        waiting += [link.__cause__, link.__context__]
        waiting += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
    return found


@dataclasses.dataclass
class Sights:
    seen: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def add(self, where: str, text: str) -> None:
        self.seen.append((where, text))

    def leaks(self) -> list[str]:
        """Return where canaries show; empty is good."""
        return [f"{where}: …{excerpt}…" for where, text in self.seen for excerpt in leaks(text)]
