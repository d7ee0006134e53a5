"""All requests to a token endpoint, from a profile: what is sent where, and in which form.

Of a request's parameters, those of the profile come last and replace the standard's.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from refresh_token.core.grant import Grant
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.client_auth import CLIENT_ID, CLIENT_SECRET, authenticate
from refresh_token.oauth.profile import CLIENT_CREDENTIALS, JWT_BEARER, REFRESH_TOKEN
from refresh_token.oauth.profile_requests import FORM, JSON, QUERY, Request, Step
from refresh_token.oauth.templates import DATE, fill_in

_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
_TYPES: Final = {FORM: "application/x-www-form-urlencoded", JSON: "application/json"}
_SENDABLE: Final = re.compile(r"[ -~]*")

_STANDARD: Final[Mapping[str, Mapping[str, str]]] = {
    REFRESH_TOKEN: {"grant_type": "refresh_token", "refresh_token": "{refresh_token}"},
    CLIENT_CREDENTIALS: {"grant_type": "client_credentials"},
    JWT_BEARER: {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "{assertion}"},
}
"""What each grant sends to renew a token: RFC 6749, 6 and 4.4.2; RFC 7523, 2.1."""

_CODE: Final = {
    "grant_type": "authorization_code",
    "code": "{code}",
    "redirect_uri": "{redirect_uri}",
    "code_verifier": "{code_verifier}",
}
"""RFC 6749, 4.1.3; RFC 7636, 4.5."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request. The repr shows nothing that may hold a secret."""

    url: str = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"
    format: str = FORM

    @property
    def address(self) -> str:
        """The address, with the parameters if they go into the query."""
        if self.format != QUERY or not self.parameters:
            return self.url
        parts = urlsplit(self.url)
        query = urlencode(self.parameters, doseq=True, quote_via=quote)
        return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, query) if part)))

    @property
    def body(self) -> bytes | None:
        """The encoded parameters; None for a GET."""
        if self.method == "GET":
            return None
        if self.format == QUERY:
            return b""
        return (
            json.dumps(self.parameters).encode()
            if self.format == JSON
            else urlencode(self.parameters, doseq=True).encode()
        )

    def all_headers(self, user_agent: str) -> dict[str, str]:
        """Return every header to send. Those of the request replace the usual ones, in any case of letters."""
        types = {"Content-Type": _TYPES[self.format]} if self.format in _TYPES else {}
        return _over({**_HEADERS, "User-Agent": user_agent, **types}, self.headers)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What differs from one request to the next: the time, a random text, and what was signed for it."""

    now: datetime
    random: str
    assertion: str = field(default="", repr=False)

    @property
    def values(self) -> dict[str, str]:
        """The values of the names that stand for them."""
        now = self.now.astimezone(UTC)
        times = {DATE: now.date().isoformat(), "now": f"{now:%Y-%m-%dT%H:%M:%SZ}", "epoch": str(int(now.timestamp()))}
        return {**times, "random": self.random, "assertion": self.assertion}


def refresh_request(bound: BoundProfile, app: AppCredentials, grant: Grant, occasion: Occasion) -> TokenRequest:
    """Return the request for a new access token.

    Raises:
        ValueError: a value is missing, or cannot be sent. The message shows none.

    """
    profile, scope = bound.profile, scope_text(bound)
    standard = dict(_STANDARD.get(profile.grant, {}))
    if scope and (profile.refresh.scope or profile.grant == CLIENT_CREDENTIALS):
        standard["scope"] = "{scope}"
    sent = {"refresh_token": grant.refresh_token, "access_token": grant.access_token, "scope": scope}
    address = profile.address.refresh or profile.address.token
    return built_request(bound, app, profile.refresh, standard, {**sent, **occasion.values}, address)


def code_request(  # noqa: PLR0913 - what a code is exchanged with
    bound: BoundProfile, app: AppCredentials, *, code: str, redirect_uri: str, verifier: str, occasion: Occasion
) -> TokenRequest:
    """Return the request for the first pair; raises as `refresh_request`. Without PKCE, `verifier` is ""."""
    sent = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier, "scope": scope_text(bound)}
    profile = bound.profile
    return built_request(bound, app, profile.code, _CODE, {**sent, **occasion.values}, profile.address.token)


def exchange_request(bound: BoundProfile, app: AppCredentials, grant: Grant, occasion: Occasion) -> TokenRequest | None:
    """Return the request that follows the exchange of a code, None if there is none. Raises ValueError, too."""
    exchange = bound.profile.exchange
    if exchange is None:
        return None
    sent = {"refresh_token": grant.refresh_token, "access_token": grant.access_token, "scope": scope_text(bound)}
    return built_request(bound, app, exchange, {}, {**sent, **occasion.values}, exchange.address)


def step_request(bound: BoundProfile, app: AppCredentials, step: Step, occasion: Occasion) -> TokenRequest:
    """Return the request of one step; the values of those before are among the bound ones. Raises ValueError, too."""
    request = Request(
        format=step.format, method=step.method, parameters=step.parameters, headers=step.headers, auth=step.auth
    )
    return built_request(bound, app, request, {}, {**occasion.values, "scope": scope_text(bound)}, step.address)


def scope_text(bound: BoundProfile) -> str:
    """Return the scopes to ask for as one text."""
    return bound.profile.sign_in.scope_separator.join(bound.scopes)


def built_request(  # noqa: PLR0913, PLR0917 - the parts of a request
    bound: BoundProfile,
    app: AppCredentials,
    kind: Request,
    standard: Mapping[str, str],
    sent: Mapping[str, str],
    address: str,
) -> TokenRequest:
    """Return a request of a kind: `standard` has the templates that `sent` and the app fill. Raises ValueError."""
    values, client = {**values_of(bound, app), **sent}, bound.profile.client
    authentication = authenticate(kind.auth or client.auth, app, assertion=sent["assertion"])
    names = {CLIENT_ID: client.id_name, CLIENT_SECRET: client.secret_name, **kind.names}
    own = fill_in(standard, values) if kind.standard else {}
    renamed = {names.get(name, name): value for name, value in {**own, **authentication.fields}.items()}
    return TokenRequest(
        bound.bound(address, clientId=app.client_id),
        {**{name: value for name, value in renamed.items() if name}, **fill_in(kind.parameters, values)},
        _headers(authentication.headers, fill_in(kind.headers, values)),
        kind.method,
        kind.format,
    )


def values_of(bound: BoundProfile, app: AppCredentials) -> dict[str, str]:
    """Return what `{names}` stand for in everything that is sent."""
    return {**bound.texts, **app.keys, "clientId": app.client_id, "clientSecret": app.client_secret}


def _headers(usual: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    headers = _over(usual, own)
    if unfit := [name for name, text in headers.items() if not _SENDABLE.fullmatch(text)]:
        raise ValueError(f"the header {unfit[0]} cannot carry its value, which has other characters than visible ASCII")
    return headers


def _over(usual: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the usual headers with our own in their place. The case of a name does not matter (RFC 9110, 5.1)."""
    names = {name.lower() for name in own}
    return {**{name: text for name, text in usual.items() if name.lower() not in names}, **own}
