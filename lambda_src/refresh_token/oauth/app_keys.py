"""Which keys the secret with the app's credentials must have, so that every request of a profile can be made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from refresh_token.oauth.app_credentials import CLIENT_ID, CLIENT_SECRET, KEYS
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.templates import names_in

if TYPE_CHECKING:
    from refresh_token.oauth.profile_requests import Request, Step

_BY_AUTHENTICATION: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("basic", "basic-unescaped", "post"), KEYS),
    "basic-secret": (CLIENT_SECRET,),
    **dict.fromkeys(("none", "private_key_jwt"), (CLIENT_ID,)),
    "off": (),
}


def app_keys(profile: Profile) -> tuple[str, ...]:
    """Return the keys, those that have a name of their own first."""
    methods = {request.auth or profile.client.auth for request in _requests(profile)}
    wanted = {
        *profile.client.keys,
        *_named_in(profile),
        *(key for method in methods for key in _BY_AUTHENTICATION[method]),
    }
    if profile.address.authorize:
        wanted.add(CLIENT_ID)  # the consent page gets it
    return tuple(key for key in (*KEYS, *profile.client.keys) if key in wanted)


def _named_in(profile: Profile) -> frozenset[str]:
    sent = [part for request in _requests(profile) for part in (request.parameters, request.headers)]
    addresses = [getattr(profile.address, name) for name in profile.address.__slots__]
    addresses += [step.address for step in profile.steps]
    signed = [profile.jwt.header, profile.jwt.claims, profile.jwt.secret] if profile.jwt else []
    return names_in([sent, addresses, signed, profile.sign_in.parameters, profile.api.headers])


def _requests(profile: Profile) -> "list[Request | Step]":
    """Return the requests that the profile's grant and addresses make use of."""
    signs_in, address = bool(profile.address.authorize), profile.address
    found: list[Request | Step] = [*profile.steps]
    found += [profile.refresh] if address.token or address.refresh else []
    found += [profile.code, *([profile.exchange] if profile.exchange else [])] if signs_in else []
    return [*found, *([profile.revoke] if address.revoke else [])]
