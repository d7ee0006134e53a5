"""The faults of a profile that no single key has: a grant without its address, a `{name}` that nothing brings."""

import re
from collections.abc import Iterator
from typing import Final

from refresh_token.core.values import MAX_VALUES
from refresh_token.oauth.address_templates import ANY, check_address
from refresh_token.oauth.profile import JWT_BEARER, STATIC, TWO_STEP, Profile
from refresh_token.oauth.profile_requests import JSON, QUERY, SHARED_SECRET_ALGORITHMS, Request, Step
from refresh_token.oauth.profile_templates import APP, SENT, present, template_faults

STANDARD_NAMES: Final = SENT - {"random", "date", "now", "epoch"} | {
    *("grant_type", "client_assertion", "client_assertion_type", "token_type_hint"),
}
CONSENT_NAMES: Final = frozenset(
    {"client_id", "response_type", "redirect_uri", "state", "code_challenge", "code_challenge_method"}
)


def faults_of(profile: Profile, *, allow_http: bool) -> Iterator[str]:
    """Yield a line for each fault: `key: rule`."""
    yield from _needs(profile)
    yield from _params(profile)
    yield from _addresses(profile, allow_http=allow_http)
    yield from _names(profile)
    yield from _requests(profile)
    yield from template_faults(profile)


def _without_fragment(key: str, address: str) -> str:
    """Return the part of a consent page that is sent: a page of one script may have its own path in the fragment."""
    return address.partition("#")[0] if key == "address.authorize" else address


def _needs(profile: Profile) -> Iterator[str]:
    grant, jwt = profile.grant, profile.jwt
    sends = grant not in (STATIC, TWO_STEP) and not (jwt and jwt.is_token)
    if sends and not (profile.address.token or profile.address.refresh):
        yield f"address.token: must be set for the grant {grant}"
    if (grant == TWO_STEP) != bool(profile.steps):
        yield f"steps: must be there for the grant {TWO_STEP}, and for no other"
    methods = {profile.client.auth, *(request.auth for request in present(profile).values())}
    if jwt is None and (grant == JWT_BEARER or "private_key_jwt" in methods):
        yield "jwt: must be there for the grant jwt_bearer and for private_key_jwt"
    if jwt and jwt.is_token and grant != JWT_BEARER:
        yield f"jwt.is_token: goes with the grant {JWT_BEARER} only"
    if jwt and (jwt.alg in SHARED_SECRET_ALGORITHMS) != bool(jwt.secret):
        yield f"jwt.secret: must be set for {', '.join(SHARED_SECRET_ALGORITHMS)}, and for no other jwt.alg"


def _params(profile: Profile) -> Iterator[str]:
    from_steps = {name for step in profile.steps for name in step.values}
    learned = {name for name, param in profile.params.items() if param.redirect or param.answer}
    if len(learned.union(profile.answer.values, profile.answer.redirect_values)) > MAX_VALUES:
        yield f"answer.values: must be {MAX_VALUES} at most, with the parameters that the provider says"
    for name, param in profile.params.items():
        if name in APP | SENT | set(profile.client.keys):
            yield f"params.{name}: must have another name, because {{{name}}} is something else"
        if param.default is not None and not re.fullmatch(param.pattern, param.default):
            yield f"params.{name}.default: must match params.{name}.pattern"
        if ANY in param.hosts and (param.redirect or param.answer or name in from_steps):
            yield f"params.{name}.hosts: must not be * for a value that does not come from an operator"


def _addresses(profile: Profile, *, allow_http: bool) -> Iterator[str]:
    others = {"clientId", *profile.answer.values, *profile.answer.redirect_values}
    named = {f"address.{key}": getattr(profile.address, key) for key in profile.address.__slots__}
    named |= {"api.base": profile.api.base, "api.user": profile.api.user}
    if profile.exchange:
        named["exchange.address"] = profile.exchange.address
    for index, step in enumerate(profile.steps):
        named[f"steps.{index + 1}.address"] = step.address
        others |= set(step.values)
    for key, text in named.items():
        if text:
            try:
                check_address(_without_fragment(key, text), profile.params, others, allow_http=allow_http)
            except ValueError as error:
                yield f"{key}: {error}"


def _names(profile: Profile) -> Iterator[str]:
    if unknown := set(profile.sign_in.names) - CONSENT_NAMES:
        yield f"sign_in.names.{min(unknown)}: must be one of {', '.join(sorted(CONSENT_NAMES))}"
    if profile.sign_in.names.get("state") == "":
        yield "sign_in.names.state: must not be empty, because the state protects the sign-in"
    for key, request in present(profile).items():
        if unknown := set(request.names) - STANDARD_NAMES:
            yield f"{key}.names.{min(unknown)}: must be one of {', '.join(sorted(STANDARD_NAMES))}"


def _requests(profile: Profile) -> Iterator[str]:
    requests: dict[str, Request | Step] = {**present(profile)}
    requests |= {f"steps.{index + 1}": step for index, step in enumerate(profile.steps)}
    for key, request in requests.items():
        if request.method == "GET" and request.format != QUERY:
            yield f"{key}.method: GET needs {key}.format = query"
        secret = profile.client.secret_name
        if isinstance(text := request.parameters.get(secret), str) and text and "{" not in text:
            yield f"{key}.parameters.{secret}: must be {{clientSecret}}, because a secret in a profile is readable"
        nested = [name for name, value in request.parameters.items() if not _is_field(value)]
        if nested and request.format != JSON:
            yield f"{key}.parameters.{nested[0]}: must be a text or a list of texts unless {key}.format = json"


def _is_field(value: object) -> bool:
    """Tell whether a form can carry a value. A list is one field several times."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
