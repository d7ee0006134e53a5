"""The pages that a sign-in can end with."""

from collections.abc import Mapping
from typing import Final

from tokenctl.sign_in.page import Page

_CLOSE: Final = "You can close this window and go back to the terminal."


def stored(facts: Mapping[str, str]) -> Page:
    """Return the page for a sign-in that worked."""
    return Page(
        title="You are signed in",
        paragraphs=("The token pair is stored. The stack keeps it alive from now on.", _CLOSE),
        tone="good",
        facts=facts,
    )


def failed(message: str, *, denied: bool = False) -> Page:
    """Return the page for a sign-in that did not work."""
    title = "Sign-in denied" if denied else "The sign-in did not work"
    return Page(title=title, paragraphs=(message, _CLOSE), status=403 if denied else 502, tone="bad")


FORGED: Final = Page(
    title="Redirect ignored",
    paragraphs=(
        "This redirect does not belong to the sign-in that tokenctl started. That sign-in is not affected.",
        "If you did not cause it, somebody may have tried to sign you in to their account.",
    ),
    status=400,
    tone="bad",
)

REPLAYED: Final = Page(
    title="Already answered",
    paragraphs=("This sign-in already has its answer. The second one was ignored.", "You can close this window."),
    status=409,
)

ENDED: Final = Page(
    title="Too late",
    paragraphs=("tokenctl was stopped before it could use this answer. Run the command again.", _CLOSE),
    status=503,
    tone="bad",
)

NOT_FOUND: Final = Page(
    title="Nothing here", paragraphs=("tokenctl only waits here for a sign-in to finish.",), status=404
)

NOT_ALLOWED: Final = Page(
    title="Wrong method", paragraphs=("A sign-in must end with a plain GET request.",), status=405
)

MISDIRECTED: Final = Page(
    title="Not for this address",
    paragraphs=("tokenctl only answers requests to this machine's loopback address.",),
    status=421,
    tone="bad",
)
