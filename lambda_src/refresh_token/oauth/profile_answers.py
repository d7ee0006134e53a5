"""The sections of a profile about what comes back: answers, the life of tokens, refusals, and what consumers need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from refresh_token.oauth import profile_rules as rules
from refresh_token.oauth.profile_rules import Key
from refresh_token.oauth.rules import choice

UNITS = ("seconds", "milliseconds", "minutes", "moment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Where the members of a token answer are: names, with dots between them. The standard's place is the fallback."""

    access_token: Annotated[
        str, Key(rule=rules.PATH_OR_NONE, about="The access token. Empty: the whole body is the token.")
    ] = "access_token"
    refresh_token: Annotated[str, Key(rule=rules.PATH, about="The new refresh token.")] = "refresh_token"
    expires_in: Annotated[
        str, Key(rule=rules.PATH, about="When the access token expires; by default also `expires_on` and `expires_at`.")
    ] = "expires_in"
    expires_unit: Annotated[
        str, Key(rule=choice(UNITS), about="What `expires_in` is. A `moment` is ISO 8601, or a number since 1970.")
    ] = "seconds"
    lifetime_seconds: Annotated[
        int,
        Key(rule=rules.SECONDS, about="The life of a token if the answer does not state it; 0: it does not expire."),
    ] = 3600
    refresh_expires_in: Annotated[str, Key(rule=rules.PATH, about="When the refresh token expires.")] = (
        "refresh_token_expires_in"
    )
    scope: Annotated[str, Key(rule=rules.PATH, about="The scopes that were granted.")] = "scope"
    token_type: Annotated[str, Key(rule=rules.PATH, about="The type of the token.")] = "token_type"
    inside: Annotated[
        str, Key(rule=rules.PATH, about="The member that all of these are looked up in first, and then at the top.")
    ] = ""
    values: Annotated[
        Mapping[str, str],
        Key(
            rule=rules.Table(rules.IDENTIFIER, rules.PATH),
            about="What consumers need beside the token, and where it stands; texts and numbers, never a token.",
        ),
    ] = field(default_factory=dict)
    redirect_values: Annotated[
        Mapping[str, str],
        Key(rule=rules.Table(rules.IDENTIFIER, rules.NAME), about="The same from the redirect of the sign-in."),
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenLife:
    """How long a refresh token lives, and what a refresh does to it."""

    replaced: Annotated[
        bool,
        Key(
            rule=rules.Flag(),
            about="Whether each refresh brings a new one, and the old one must never be sent twice (RFC 9700, 4.14.2).",
        ),
    ] = True
    grace_seconds: Annotated[int, Key(rule=rules.SECONDS, about="How long the replaced one still works.")] = 0
    idle_days: Annotated[int, Key(rule=rules.DAYS, about="Days without a refresh after which it dies; 0: never.")] = 0
    absolute_days: Annotated[int, Key(rule=rules.DAYS, about="Days after the sign-in when it dies; 0: never.")] = 0
    margin_seconds: Annotated[
        int,
        Key(rule=rules.SECONDS, about="How long before the access token's expiry a refresh is accepted; 0: always."),
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Codes or phrases of this provider's refusals, beside those that are known (`oauth/refusal_codes.py`)."""

    grant: Annotated[
        tuple[str, ...], Key(rule=rules.Several(rules.WORDS), about="The grant is dead: a person signs in again.")
    ] = ()
    app: Annotated[tuple[str, ...], Key(rule=rules.Several(rules.WORDS), about="The app's credentials are wrong.")] = ()
    settings: Annotated[
        tuple[str, ...], Key(rule=rules.Several(rules.WORDS), about="The request is wrong: a setting or the profile.")
    ] = ()
    later: Annotated[
        tuple[str, ...], Key(rule=rules.Several(rules.WORDS), about="The same request may succeed later.")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What consumers need to call the provider."""

    base: Annotated[str, Key(rule=rules.ADDRESS, about="The address that calls begin with.")] = ""
    header: Annotated[str, Key(rule=rules.HEADER_NAME, about="The header that carries the token.")] = "Authorization"
    scheme: Annotated[str, Key(rule=rules.SCHEME, about="The word before the token; empty sends the token alone.")] = (
        "Bearer"
    )
    headers: Annotated[Mapping[str, str], rules.FURTHER_HEADERS] = field(default_factory=dict)
    user: Annotated[str, Key(rule=rules.ADDRESS, about="A harmless GET that says whose token it is.")] = ""
    user_keys: Annotated[
        tuple[str, ...], Key(rule=rules.Several(rules.PATH), about="Where that answer names the user, the best first.")
    ] = ()
