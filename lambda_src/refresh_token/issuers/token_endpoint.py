"""An issuer's address for refresh tokens (RFC 6749, 3.2): a form goes there, JSON comes back; retries where it is safe.

To send a form again is safe while the issuer has not acted on it. Whether it has, only an answer tells:

    no connection                            not sent: again
    429, or 503 with Retry-After             refused unseen, or asked to: again, not before the time that it names
    another 5xx; no answer after sending     perhaps acted upon: again only if that does no harm (``repeatable``)

A refresh token that is good for one call only is spent by then. To send it twice is what an issuer takes for theft, and
answers by revoking the whole grant (RFC 9700, 4.14.2).
"""

import email.utils
import json
import os
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import Final, NoReturn
from urllib.parse import urlencode, urlsplit

from botocore.httpsession import where as botocores_bundle

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issuers.app_credentials import HOW_TO_FILL
from refresh_token.issuers.connection import CONNECT_TIMEOUT, READ_TIMEOUT, Connection, Lost, Reply

MOST_ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 0.2
LONGEST_ATTEMPT: Final = CONNECT_TIMEOUT + READ_TIMEOUT

SHORTEST_EXCHANGE: Final = 1.0
"""With fewer seconds than this left, nothing is sent: the answer would most likely come too late."""

SHORTEST_FINAL_EXCHANGE: Final = 2.0
"""The same where the form must not be sent twice, and so its answer not be missed."""

_TRY_LATER: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_REFUSED: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "refresh-token",
}
_MOST_DIGITS: Final = 9

CLIENT_CODES: Final = ("invalid_client", "unauthorized_client")
"""Error codes of RFC 6749, 5.2, that are about the app and not about the grant."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an issuer answered; ``document`` is empty where the body is no JSON object."""

    status: int
    document: Mapping[str, object] = field(repr=False)
    challenged: bool = False
    """Whether it asks for other client credentials than those that it was given."""

    @property
    def code(self) -> str:
        """The error code, if the answer has one of RFC 6749's form. It may be an echo of the request: never shown."""
        code = self.document.get("error")
        return code if isinstance(code, str) else ""

    @property
    def refused(self) -> bool:
        """Whether it is no token. Some issuers refuse with 200."""
        return self.status >= HTTPStatus.MULTIPLE_CHOICES or ("access_token" not in self.document and bool(self.code))


class TokenEndpoint:
    """Posts forms to ``url``. ``repeatable``: the same form may reach the issuer twice and do no harm."""

    def __init__(self, url: str, *, repeatable: bool) -> None:
        self._url = url
        self._repeatable = repeatable
        self._least = SHORTEST_EXCHANGE if repeatable else SHORTEST_FINAL_EXCHANGE

    def post(self, form: Mapping[str, str], headers: Mapping[str, str], *, seconds: float) -> Answer:
        """Post a form within ``seconds``, retries included, and return the answer: a token or a refusal.

        Raises:
            IssuerUnavailableException: throttled, failed or did not answer.
            IssuerProtocolException: a redirect, or a success whose body is no JSON object of a sensible size.
            ConfigurationException: there is nothing to check the issuer's certificate with.

        """
        ends = time.monotonic() + seconds
        body = urlencode(form).encode()
        for attempt in range(MOST_ATTEMPTS):
            left = ends - time.monotonic()
            got = self._connection.post(body, {**_HEADERS, **headers}, seconds=left, least=self._least)
            pause = self._pause(got, attempt)
            last = attempt + 1 == MOST_ATTEMPTS
            if last or pause is None or time.monotonic() + pause + LONGEST_ATTEMPT > ends:
                break
            time.sleep(pause)
        return _answer(got)

    @cached_property
    def _connection(self) -> Connection:
        return Connection(self._url, tls_context() if urlsplit(self._url).scheme == "https" else None)

    def _pause(self, got: Reply | Lost, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt; None if there must be none."""
        backoff: float = FIRST_PAUSE * 2**attempt * (0.5 + random.random() / 2)  # noqa: S311 - no secret
        if isinstance(got, Lost):
            return backoff if got.trusted and (self._repeatable or not got.sent) else None
        asked = _seconds(got.retry_after)
        unseen = got.status == HTTPStatus.TOO_MANY_REQUESTS or (
            got.status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None
        )
        failed = got.status >= HTTPStatus.INTERNAL_SERVER_ERROR or got.status in _TRY_LATER
        if unseen or (failed and self._repeatable):
            return max(backoff, asked or 0.0)
        return None


def tls_context() -> ssl.SSLContext:
    """Return what certificates are checked with, as the rest of the function does it.

    AWS_CA_BUNDLE, which botocore heeds, too; else the machine's authorities, which AWS keeps up to date with the
    runtime (SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's own matter); else, where the machine has none, botocore's.

    Raises:
        ConfigurationException: the file that AWS_CA_BUNDLE names cannot be used.

    """
    bundle = os.environ.get("AWS_CA_BUNDLE")
    paths = ssl.get_default_verify_paths()
    if not bundle and paths.cafile is None and paths.capath is None:
        bundle = botocores_bundle()
    try:
        return ssl.create_default_context(cafile=bundle or None)
    except (OSError, ValueError):
        pass
    raise ConfigurationException(
        "The certificate authorities in the file that AWS_CA_BUNDLE names cannot be read. Check the variable and the "
        "file, then deploy the stack again."
    )


def refusal(answer: Answer, *, client_at_fault: bool) -> RefreshTokenError:
    """Return what a refusal means; ``client_at_fault`` where the issuer's own words say that it is about the app."""
    what = f"HTTP {answer.status}"
    grant_at_fault = answer.code == "invalid_grant"
    client_at_fault = client_at_fault and answer.status in _REFUSED
    if not grant_at_fault and (client_at_fault or answer.challenged or answer.code in CLIENT_CODES):
        return ConfigurationException(
            f"The issuer refuses the app's credentials ({what}), or the app may not refresh tokens. Compare them with "
            f"those that the issuer shows. {HOW_TO_FILL}"
        )
    if grant_at_fault or answer.status in _REFUSED:
        return ReauthorizationRequiredException(
            f"The issuer refuses the refresh token ({what}). It was revoked, was used already, or belongs to another "
            "app. A person must sign in again and store the new pair; nothing was deleted."
        )
    return _nonsense(what)


def _answer(got: Reply | Lost) -> Answer:
    if isinstance(got, Lost):
        raise _unavailable(got.what, certain=got.trusted)
    if got.status in _TRY_LATER or got.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _unavailable(f"HTTP {got.status}")
    document = _document(got.body)
    if got.status < HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= got.status < HTTPStatus.BAD_REQUEST:
        raise _nonsense(f"HTTP {got.status}")
    if got.status < HTTPStatus.MULTIPLE_CHOICES and document is None:
        raise _nonsense("it is not a JSON object, or a far too long one")
    return Answer(got.status, document or {}, challenged=_challenged(got))


def _challenged(got: Reply) -> bool:
    """Tell whether the server asks for other client credentials, as RFC 6749, 5.2, has it for HTTP Basic."""
    return got.status == HTTPStatus.UNAUTHORIZED and (got.challenge or "").lower().startswith("basic")


def _document(body: bytes | None) -> Mapping[str, object] | None:
    """Read the body strictly: of two members of one name, another reader may take the other one."""
    if body is None:
        return None
    try:
        found = json.loads(body.decode(), object_pairs_hook=_members, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _seconds(retry_after: str | None) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date. None: there is none that can be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= _MOST_DIGITS else float("inf")
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _unavailable(what: str, *, certain: bool = True) -> RefreshTokenError:
    way = "the function's way to it (address, proxy)" if certain else "its address and AWS_CA_BUNDLE"
    return IssuerUnavailableException(
        f"The issuer could not be used ({what}), after retries where they are safe. Ask again later; if it stays, "
        f"check the issuer's status page and {way}."
    )


def _nonsense(why: str) -> RefreshTokenError:
    return IssuerProtocolException(
        f"The issuer's answer makes no sense: {why}. Nothing was stored, but the token before it may be dead. Check "
        "the issuer's address; if it is right, look for a newer version of this stack."
    )
