"""What an operator needs to know about a profile, as data and as lines."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from refresh_token.oauth.app_keys import app_keys
from refresh_token.oauth.bound_profile import is_learned
from refresh_token.oauth.profile import DOCUMENT, NOTHING, REFRESH_TOKEN, Profile
from tokenctl.stack.issuer import HOW_TO_REPORT

BASES: Final[Mapping[str, str]] = {
    DOCUMENT: "a document of the provider's",
    "client": "another client's source code",
    NOTHING: "nothing yet: nobody has tried it",
}
"""What the facts of a profile rest on, in words."""


def row(profile: Profile) -> dict[str, str]:
    """Return a profile's line in the list of all."""
    return {"name": profile.name, "title": profile.title, "grant": profile.grant, "restsOn": profile.rests_on}


def describe(profile: Profile) -> dict[str, Any]:
    """Return what an operator needs to know, as JSON."""
    address, life, api = profile.address, profile.refresh_token, profile.api
    places = {key: getattr(address, key) for key in address.__slots__}
    places |= {f"step {number}": step.address for number, step in enumerate(profile.steps, 1)}
    places |= {"exchange": profile.exchange.address} if profile.exchange else {}
    return {
        **row(profile),
        "checked": profile.checked and profile.checked.isoformat(),
        "sources": [*profile.sources],
        "notes": profile.notes,
        "addresses": {key: place for key, place in places.items() if place},
        "params": [
            {
                "name": name,
                "about": param.about,
                "default": param.default,
                "from": "provider" if is_learned(profile, name) else "issuer_params",
            }
            for name, param in profile.params.items()
        ],
        "appKeys": [*app_keys(profile)],
        "clientAuth": profile.client.auth,
        "signedWith": profile.jwt and profile.jwt.alg,
        "scopes": [*profile.sign_in.scopes],
        "needsScope": profile.sign_in.needs or None,
        "life": {
            "accessTokenSeconds": profile.answer.lifetime_seconds or None,
            "refreshTokenReplaced": life.replaced,
            "graceSeconds": life.grace_seconds,
            "idleDays": life.idle_days or None,
            "absoluteDays": life.absolute_days or None,
            "marginSeconds": life.margin_seconds,
        },
        "values": [*profile.answer.values, *profile.answer.redirect_values],
        "api": {"base": api.base, "header": api.header, "scheme": api.scheme, "headers": {**api.headers}},
    }


def lines(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield the same for people: a heading and its text, which is not empty."""
    found, api = describe(profile), profile.api
    read = f", read on {found['checked']}" if found["checked"] else ""
    needs = profile.sign_in.needs
    rows = [
        ("name", f"{profile.name}; set issuer={profile.name}"),
        ("grant", profile.grant),
        (
            "rests on",
            f"{BASES[profile.rests_on]}{read}. {HOW_TO_REPORT if profile.rests_on == NOTHING else ''}".strip(),
        ),
        *(("source", source) for source in profile.sources),
        ("note", profile.notes),
        *((f"{key} address", place) for key, place in found["addresses"].items()),
        *((f"param {param['name']}", _param(param)) for param in found["params"]),
        ("app's secret", ", ".join(found["appKeys"]) or "none is needed"),
        ("client sends", profile.client.auth),
        ("signs with", found["signedWith"] or ""),
        ("scopes", " ".join(profile.sign_in.scopes)),
        ("needs scope", f"{needs}, or there is no refresh token" if needs else ""),
        ("access token", _access_token(profile)),
        ("refresh token", _refresh_token(profile) if profile.grant == REFRESH_TOKEN else ""),
        ("values", ", ".join(found["values"])),
        ("API", api.base),
        ("API header", " ".join(part for part in (f"{api.header}:", api.scheme, "<token>") if part)),
        *(("API header", f"{name}: {text}") for name, text in api.headers.items()),
    ]
    yield from ((heading, text) for heading, text in rows if text)


def _param(param: Mapping[str, Any]) -> str:
    if param["from"] == "provider":
        how = "the provider tells it"
    elif param["default"] is None:
        how = "required, in issuer_params"
    else:
        how = f"optional, in issuer_params; default: {param['default'] or 'empty'}"
    return f"{param['about']} ({how})" if param["about"] else how


def _access_token(profile: Profile) -> str:
    seconds = profile.answer.lifetime_seconds
    life = f"lives {seconds} seconds" if seconds else "does not expire"
    return f"{life}, unless the answer says otherwise"


def _refresh_token(profile: Profile) -> str:
    life = profile.refresh_token
    parts = (
        ("is replaced by each refresh" if life.replaced else "stays the same", True),
        (f"the old one works {life.grace_seconds} seconds more", life.grace_seconds),
        (f"dies after {life.idle_days} days without a refresh", life.idle_days),
        (f"dies {life.absolute_days} days after the sign-in", life.absolute_days),
        (f"works only in the last {life.margin_seconds} seconds of the access token", life.margin_seconds),
    )
    return "; ".join(text for text, applies in parts if applies)
