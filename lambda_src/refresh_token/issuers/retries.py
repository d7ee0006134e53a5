"""When to send a request again, and after which pause.

Repeating is safe while the issuer has not acted on the request. Only an answer tells whether it has:

    no connection                            not sent: repeat
    429, or 503 with Retry-After             not acted upon: repeat, but not before the time that the issuer names
    another 5xx; no answer after sending     perhaps acted upon: repeat only if that does no harm (``repeatable``)

A refresh token that is good for one call is spent by then. An issuer takes a second use for theft and revokes the
entire grant (RFC 9700, 4.14.2).
"""

import email.utils
import random
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from refresh_token.issuers.https_connection import NoReply, Reply
from refresh_token.oauth.refusals import is_failing

FIRST_PAUSE: Final = 0.2
_MAX_DIGITS: Final = 9


def pause_before_retry(got: Reply | NoReply, attempt: int, *, repeatable: bool) -> float | None:
    """Return the seconds to wait after an attempt, counted from 0; None if the request must not be repeated."""
    backoff: float = FIRST_PAUSE * 2**attempt * (0.5 + random.random() / 2)  # noqa: S311 - no secret
    if isinstance(got, NoReply):
        return backoff if got.trusted and (repeatable or not got.sent) else None
    named = retry_after(got.retry_after)
    ignored = got.status == HTTPStatus.TOO_MANY_REQUESTS or (
        got.status == HTTPStatus.SERVICE_UNAVAILABLE and named is not None
    )
    return max(backoff, named or 0.0) if ignored or (is_failing(got.status) and repeatable) else None


def retry_after(header: str | None) -> float | None:
    """Return the seconds that Retry-After names, as a number or a date (RFC 9110, 10.2.3); None if unreadable."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= _MAX_DIGITS else float("inf")
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
