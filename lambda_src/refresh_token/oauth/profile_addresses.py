"""The sections of a profile about its addresses, and the parameters that may stand in them."""

from dataclasses import dataclass
from typing import Annotated, Final

from refresh_token.oauth import profile_rules as rules
from refresh_token.oauth.profile_rules import Key

LABEL: Final = "[A-Za-z0-9][A-Za-z0-9-]{0,62}"
"""A DNS label: no dot, slash, colon or `@`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A `{name}` whose value the deployment gives, or a redirect or an answer of the provider."""

    about: Annotated[str, Key(rule=rules.TEXT, about="What to write there, for people.")] = ""
    pattern: Annotated[str, Key(rule=rules.PATTERN, about="The whole value must match this regular expression.")] = (
        LABEL
    )
    default: Annotated[
        str | None, Key(rule=rules.TEXT, about="The value if there is none. Without it, it must be set.")
    ] = None
    hosts: Annotated[
        tuple[str, ...],
        Key(
            rule=rules.Several(rules.HOST),
            about="The hosts of the addresses that the parameter is in. A parameter that is a whole host, or stands in "
            "one of its last two labels, needs them; `*` is any host, for values that only an operator sets.",
        ),
    ] = ()
    redirect: Annotated[
        str, Key(rule=rules.NAME, about="The parameter of the sign-in's redirect that brings the value.")
    ] = ""
    answer: Annotated[str, Key(rule=rules.PATH, about="The member of the token answer that brings the value.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the provider is. An address may hold `{names}`; none can lead to another host than the profile allows."""

    authorize: Annotated[str, Key(rule=rules.ADDRESS, about="The consent page.")] = ""
    token: Annotated[str, Key(rule=rules.ADDRESS, about="Where a code, or the app's credentials, bring a token.")] = ""
    refresh: Annotated[
        str, Key(rule=rules.ADDRESS, about="Where a refresh token brings a token. Default: `token`.")
    ] = ""
    revoke: Annotated[str, Key(rule=rules.ADDRESS, about="Where a token is revoked (RFC 7009).")] = ""
    introspect: Annotated[str, Key(rule=rules.ADDRESS, about="Where a token is looked up (RFC 7662).")] = ""
    device: Annotated[str, Key(rule=rules.ADDRESS, about="Where a device asks for its code (RFC 8628).")] = ""
    register: Annotated[str, Key(rule=rules.ADDRESS, about="Where a client registers itself (RFC 7591).")] = ""
    manage: Annotated[str, Key(rule=rules.ADDRESS, about="The page where a person ends the access by hand.")] = ""
