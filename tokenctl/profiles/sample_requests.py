"""What a profile would send, request by request, with a `{name}` wherever a value or a secret would be.

The product's own functions make the requests, so this shows what really would be sent.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from refresh_token.core.grant import Grant
from refresh_token.oauth.app_credentials import CLIENT_ID, CLIENT_SECRET, AppCredentials
from refresh_token.oauth.app_keys import app_keys
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.other_requests import device_request, device_token_request, introspect_request, revoke_request
from refresh_token.oauth.profile import STATIC, Profile
from refresh_token.oauth.requests import (
    Occasion,
    TokenRequest,
    code_request,
    exchange_request,
    refresh_request,
    step_request,
)
from refresh_token.oauth.templates import names_in
from tokenctl.sign_in.authorization_request import AuthorizationRequest

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_GRANT: Final = Grant("{refresh_token}", "{access_token}", {})
_MOMENT: Final = datetime(2030, 1, 1, tzinfo=UTC)


class _Template(BoundProfile):
    """A profile whose names stand for themselves."""

    @property
    def texts(self) -> dict[str, str]:
        """What `{names}` stand for."""
        profile = self.profile
        sections = (profile.request, profile.code, profile.refresh, profile.exchange, profile.revoke, profile.api)
        trees = [asdict(section) for section in (*sections, *profile.steps, profile.jwt) if section]
        return {name: f"{{{name}}}" for name in names_in([trees, profile.sign_in.parameters]) | profile.params.keys()}

    def bound(self, template: str, **_more: str) -> str:
        """Return the address as the profile has it."""
        return template


def sample_requests(profile: Profile) -> list[dict[str, Any]]:
    """Return the requests of a profile in the order of a grant's life, as JSON."""
    return [*_sign_in(profile), *_tokens(profile)]


def sample_jwt(profile: Profile) -> dict[str, Any] | None:
    """Return the JWT that a profile signs, None if it signs none."""
    jwt = profile.jwt
    return None if jwt is None else {"alg": jwt.alg, "header": {**jwt.header}, "claims": {**jwt.claims}}


def _tokens(profile: Profile) -> Iterator[dict[str, Any]]:
    keys = {key: f"{{{key}}}" for key in app_keys(profile) if key not in {CLIENT_ID, CLIENT_SECRET}}
    app = AppCredentials("{clientId}", "{clientSecret}", None, keys)
    bound, occasion, address = _Template(profile=profile), Occasion(_MOMENT, "{random}", "{assertion}"), profile.address
    if address.device:
        yield _shown("device", device_request(bound, app, occasion))
        yield _shown("device code", device_token_request(bound, app, "{device_code}", occasion))
    if address.authorize and address.token:
        verifier = "" if profile.sign_in.pkce == "off" else "{code_verifier}"
        yield _shown(
            "code",
            code_request(
                bound, app, code="{code}", redirect_uri="{redirect_uri}", verifier=verifier, occasion=occasion
            ),
        )
        if exchange := exchange_request(bound, app, _GRANT, occasion):
            yield _shown("exchange", exchange)
    for number, step in enumerate(profile.steps, 1):
        yield _shown(f"step {number}", step_request(bound, app, step, occasion))
    signs_token = profile.jwt is not None and profile.jwt.is_token
    if (address.refresh or address.token) and not (profile.grant == STATIC or profile.steps or signs_token):
        yield _shown("refresh", refresh_request(bound, app, _GRANT, occasion))
    if address.revoke:
        yield _shown("revoke", revoke_request(bound, app, _GRANT, occasion))
    if address.introspect:
        yield _shown("introspect", introspect_request(bound, app, "{access_token}", occasion))


def _sign_in(profile: Profile) -> Iterator[dict[str, Any]]:
    """Yield the address that a browser opens."""
    page, rules = profile.address.authorize, profile.sign_in
    if not page:
        return
    request = AuthorizationRequest(
        consent_page=page,
        issuer_label=profile.title,
        client_id="{clientId}",
        redirect_uri="{redirect_uri}",
        scopes=rules.scopes,
        state="{state}",
        verifier="" if rules.pkce == "off" else "{code_verifier}",
        rules=rules,
        id_name=profile.client.id_name,
        parameters=rules.parameters,
    )
    parameters = dict(parse_qsl(request.address.removeprefix(page).lstrip("?&"), keep_blank_values=True))
    challenge = rules.names.get("code_challenge", "code_challenge")
    if challenge in parameters:
        parameters[challenge] = "{code_challenge}"
    yield {
        "request": "sign-in",
        "method": "GET",
        "address": page,
        "headers": {},
        "format": "query",
        "parameters": parameters,
    }


def _shown(name: str, request: TokenRequest) -> dict[str, Any]:
    return {
        "request": name,
        "method": request.method,
        "address": request.url,
        "headers": _readable(request.headers),
        "format": request.format,
        "parameters": _readable(request.parameters),
    }


def _readable(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """Return nested texts with `base64({names})` instead of that in Base64."""
    if isinstance(tree, Mapping):
        return {name: _readable(item) for name, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [_readable(item) for item in tree]
    return _BASE64.sub(_decoded, tree) if isinstance(tree, str) else tree


def _decoded(found: re.Match[str]) -> str:
    try:
        text = unquote(b64decode(found[0], validate=True).decode())
    except ValueError:
        return found[0]
    return f"base64({text})" if "{" in text and text.isprintable() else found[0]
