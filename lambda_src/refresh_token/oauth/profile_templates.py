"""What the texts of a profile need: which value each request has."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from refresh_token.oauth.profile import REFRESH_TOKEN, TOKEN_EXCHANGE, Profile
from refresh_token.oauth.profile_requests import Request
from refresh_token.oauth.templates import names_in

APP: Final = frozenset({"clientId", "clientSecret"})
OCCASION: Final = frozenset({"random", "date", "now", "epoch", "scope"})
_CODE: Final = frozenset({"code", "redirect_uri", "code_verifier"})
_SPENT: Final[Mapping[str, str]] = {REFRESH_TOKEN: "refresh_token", TOKEN_EXCHANGE: "access_token"}
_BOTH: Final = frozenset({"refresh_token", "access_token"})
SENT: Final = OCCASION | _CODE | _BOTH | {"assertion", "token"}
"""Names that requests have beside the app's and the parameters."""

_REQUESTS: Final = ("request", "code", "refresh", "exchange", "revoke")


def present(profile: Profile) -> dict[str, Request]:
    """Return the sections about requests that a profile has, by their names."""
    return {key: request for key in _REQUESTS if (request := getattr(profile, key)) is not None}


def template_faults(profile: Profile) -> Iterator[str]:
    """Yield a line for each text that needs a value which nothing brings."""
    values = {*profile.params, *profile.answer.values, *profile.answer.redirect_values}
    own = values | APP | set(profile.client.keys)
    yield from _unknown("sign_in.parameters", profile.sign_in.parameters, values | {"clientId", "random"})
    yield from _unknown("api.headers", profile.api.headers, own - {"clientSecret"})
    own |= OCCASION | ({"assertion"} if profile.jwt else set())
    for key, request in present(profile).items():
        if key == "code" and not profile.address.authorize:
            continue  # no code is exchanged
        brought = own | _tokens(profile.grant, key)
        found = [*_unknown(f"{key}.parameters", request.parameters, brought)]
        found += _unknown(f"{key}.headers", request.headers, brought)
        yield from found
        if key == "request" and found:
            break  # the other requests have what is in this one
    for index, step in enumerate(profile.steps):
        yield from _unknown(f"steps.{index + 1}.parameters", step.parameters, own)
        yield from _unknown(f"steps.{index + 1}.headers", step.headers, own)
        own |= set(step.values)
    if profile.jwt:
        signed: dict[str, Mapping[str, Any] | str] = {
            "header": profile.jwt.header,
            "claims": profile.jwt.claims,
            "secret": profile.jwt.secret,
        }
        for key, tree in signed.items():
            yield from _unknown(f"jwt.{key}", tree, own - {"assertion"})


def _tokens(grant: str, key: str) -> frozenset[str]:
    """Return what a request has of a pair or of a sign-in. A refresh has only the token that its grant spends."""
    spent = frozenset({_SPENT[grant]} if grant in _SPENT else ())
    own = {"code": _CODE, "refresh": spent, "request": _CODE | spent, "revoke": _BOTH | {"token"}}
    return own.get(key, _BOTH)


def _unknown(key: str, tree: Mapping[str, Any] | str, known: set[str]) -> Iterator[str]:
    try:
        unknown = names_in(tree) - known
    except ValueError as error:
        yield f"{key}: {error}"
    else:
        if unknown:
            yield f"{key}: holds {{{min(unknown)}}}, which nothing brings"
