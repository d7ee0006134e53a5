"""A profile: one provider, and how its endpoints expect requests and answer them, as data.

`profile_file` reads it from TOML; `docs/profiles.md` is the reference. Three modules have the sections about addresses,
requests and answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final

from refresh_token.oauth import profile_rules as rules
from refresh_token.oauth.profile_addresses import Addresses, Param
from refresh_token.oauth.profile_answers import Answer, Api, RefreshTokenLife, Refusals
from refresh_token.oauth.profile_requests import (
    AUTHENTICATIONS,
    ExchangeRequest,
    Jwt,
    RefreshRequest,
    Request,
    RevokeRequest,
    Step,
)
from refresh_token.oauth.profile_rules import Key
from refresh_token.oauth.rules import choice

REFRESH_TOKEN: Final = "refresh_token"
CLIENT_CREDENTIALS: Final = "client_credentials"
JWT_BEARER: Final = "jwt_bearer"
TOKEN_EXCHANGE: Final = "token_exchange"
TWO_STEP: Final = "two_step"
STATIC: Final = "static"
GRANTS: Final = (REFRESH_TOKEN, CLIENT_CREDENTIALS, JWT_BEARER, TOKEN_EXCHANGE, TWO_STEP, STATIC)

DOCUMENT: Final = "document"
NOTHING: Final = "nothing"

CLIENTLESS: Final = (JWT_BEARER, TWO_STEP, STATIC)
"""Grants whose requests carry no client id unless the profile says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How requests carry the app's credentials."""

    auth: Annotated[
        str,
        Key(
            rule=choice(AUTHENTICATIONS),
            about="`basic` (RFC 6749, 2.3.1), `basic-unescaped`, `basic-secret` (HTTP Basic with the secret alone), "
            "`post`, `none` (a public client: the id alone), `private_key_jwt` (RFC 7523) or `off` (nothing). Default: "
            "`basic`; `off` for the grants `jwt_bearer`, `two_step` and `static`.",
        ),
    ] = "basic"
    id_name: Annotated[
        str, Key(rule=rules.NAME_OR_NONE, about="The client id's name, also on the consent page; empty: none.")
    ] = "client_id"
    secret_name: Annotated[str, Key(rule=rules.NAME, about="The name of the client secret.")] = "client_secret"
    keys: Annotated[
        tuple[str, ...],
        Key(
            rule=rules.Several(rules.IDENTIFIER),
            about="Further keys that the app's secret must have, usable as `{names}`.",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What the consent page gets, and what its redirect brings."""

    scopes: Annotated[
        tuple[str, ...], Key(rule=rules.Several(rules.SCOPE), about="The scopes that are always requested.")
    ] = ()
    scope_separator: Annotated[str, Key(rule=rules.SEPARATOR, about="What stands between two scopes.")] = " "
    scope_name: Annotated[
        str, Key(rule=rules.NAME_OR_NONE, about="The name of the parameter with the scopes; empty sends none.")
    ] = "scope"
    pkce: Annotated[str, Key(rule=choice(("S256", "plain", "off")), about="The method of PKCE (RFC 7636).")] = "S256"
    parameters: Annotated[
        Mapping[str, str],
        Key(rule=rules.Table(rules.NAME, rules.TEXT), about="Further parameters of the consent page.", hidden=True),
    ] = field(default_factory=dict)
    names: Annotated[Mapping[str, str], rules.OTHER_NAMES] = field(default_factory=dict)
    code_name: Annotated[str, Key(rule=rules.NAME, about="The redirect's parameter with the code.")] = "code"
    needs: Annotated[
        str, Key(rule=rules.SCOPE, about="A scope without which there is no refresh token; checked before the sign-in.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One provider."""

    name: Annotated[str, Key(rule=rules.PROFILE_NAME, about="The profile's name; in the catalogue, its file's name.")]
    title: Annotated[str, Key(rule=rules.WORDS, about="What people call the provider.")]
    grant: Annotated[str, Key(rule=choice(GRANTS), about="How a token is renewed.")]
    rests_on: Annotated[
        str,
        Key(
            rule=choice((DOCUMENT, "client", NOTHING)),
            about="What the requests rest on: a `document` of the provider's, another's `client` where only a part of "
            "the document could be read, or `nothing`.",
        ),
    ] = NOTHING
    checked: Annotated[date | None, Key(rule=rules.Day(), about="When the facts were read.")] = None
    sources: Annotated[tuple[str, ...], Key(rule=rules.Several(rules.WORDS), about="Where the facts stand.")] = ()
    notes: Annotated[str, Key(rule=rules.TEXT, about="A sentence that operators need.")] = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    address: Addresses = field(default_factory=Addresses)
    client: Client = field(default_factory=Client)
    sign_in: SignIn = field(default_factory=SignIn)
    request: Request = field(default_factory=Request)
    code: Request = field(default_factory=Request)
    refresh: RefreshRequest = field(default_factory=RefreshRequest)
    exchange: ExchangeRequest | None = None
    """One more request right after the sign-in, whose answer replaces that of the code."""

    revoke: RevokeRequest = field(default_factory=RevokeRequest)
    steps: tuple[Step, ...] = ()
    jwt: Jwt | None = None
    answer: Answer = field(default_factory=Answer)
    refresh_token: RefreshTokenLife = field(default_factory=RefreshTokenLife)
    refusals: Refusals = field(default_factory=Refusals)
    api: Api = field(default_factory=Api)
