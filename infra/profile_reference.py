"""The reference of the profile format, in Markdown, from the sections themselves."""

from dataclasses import MISSING, Field, fields
from typing import Any

from refresh_token.oauth.profile import Client, Profile, SignIn
from refresh_token.oauth.profile_addresses import Addresses, Param
from refresh_token.oauth.profile_answers import Answer, Api, RefreshTokenLife, Refusals
from refresh_token.oauth.profile_file import keys_of
from refresh_token.oauth.profile_requests import ExchangeRequest, Jwt, RefreshRequest, Request, RevokeRequest, Step

SECTIONS: dict[str, tuple[type, str]] = {
    "At the top of the file": (Profile, ""),
    "`[params.<name>]`": (Param, "One section for each `{name}` that the addresses and templates use."),
    "`[address]`": (Addresses, ""),
    "`[client]`": (Client, ""),
    "`[sign_in]`": (SignIn, ""),
    "`[request]`": (Request, "What `[code]` and `[refresh]` have in common; each may add to it or override it."),
    "`[code]`": (Request, "The exchange of a code for the first pair. The keys are those of `[request]`."),
    "`[refresh]`": (RefreshRequest, "The keys of `[request]`, and:"),
    "`[exchange]`": (ExchangeRequest, "The keys of `[request]`, of which it takes over nothing, and:"),
    "`[revoke]`": (RevokeRequest, "The keys of `[request]`, of which it takes over nothing, and:"),
    "`[[steps]]`": (Step, "For the grant `two_step`: one section for each request, in their order."),
    "`[jwt]`": (Jwt, ""),
    "`[answer]`": (Answer, ""),
    "`[refresh_token]`": (RefreshTokenLife, ""),
    "`[refusals]`": (Refusals, ""),
    "`[api]`": (Api, ""),
}
_HEAD = "| key | default | what it is | it must be |\n|---|---|---|---|"


def reference() -> str:
    """Return a heading, a sentence and a table for each section."""
    return "\n\n".join(_section(title, kind, about) for title, (kind, about) in SECTIONS.items())


def _section(title: str, kind: type, about: str) -> str:
    keys, told = keys_of(kind), set(keys_of(Request)) if issubclass(kind, Request) and kind is not Request else set()
    known = {each.name: each for each in fields(kind)}
    rows = [
        f"| `{name}` | {_default(known[name])} | {key.about} | {str(key.rule).removeprefix('must be ')} |"
        for name, key in keys.items()
        if name not in told
    ]
    table = [] if title == "`[code]`" else [f"{_HEAD}\n" + "\n".join(rows)]
    return "\n\n".join([f"### {title}", about or (kind.__doc__ or ""), *table])


def _default(field: Field[Any]) -> str:
    default = field.default
    if default is MISSING:
        return "required" if field.default_factory is MISSING else ""
    if default in ("", (), None):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
