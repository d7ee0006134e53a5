"""Binding a profile to a deployment's parameters, and what is wrong with them."""

import re
from collections.abc import Iterator, Mapping

from refresh_token.oauth.bound_profile import BoundProfile, UnboundError, is_learned
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.templates import names


def faults_of_params(profile: Profile, given: Mapping[str, str], *, allow_http: bool = False) -> Iterator[str]:
    """Yield a line for each value that a profile's addresses cannot take, or that they miss. It shows no value."""
    for name in given:
        if name not in profile.params:
            known = f"; they are {', '.join(profile.params)}" if profile.params else ", which has none"
            yield f"{name} is no parameter of {profile.title}{known}"
    bad = set()
    for name, param in profile.params.items():
        about = f": {param.about}" if param.about else ""
        if name not in given and param.default is None and not is_learned(profile, name):
            yield f"{name} must be set{about}"
        elif name in given and not re.fullmatch(param.pattern, given[name]):
            bad.add(name)
            yield f"{name} must match {param.pattern}{about}"
    bound = BoundProfile(profile=profile, params=given, allow_http=allow_http)
    for where, template in _addresses(profile).items():
        if names(template) <= bound.texts.keys() - bad:
            try:
                bound.bound(template)
            except UnboundError as error:
                yield f"{where}: {error}"


def _addresses(profile: Profile) -> dict[str, str]:
    found = {f"address.{key}": getattr(profile.address, key).partition("#")[0] for key in profile.address.__slots__}
    found |= {f"steps.{index + 1}.address": step.address for index, step in enumerate(profile.steps)}
    return {**found, "api.base": profile.api.base, "api.user": profile.api.user}


def bind(
    profile: Profile,
    params: Mapping[str, str],
    values: Mapping[str, object] | None = None,
    *,
    scopes: tuple[str, ...] = (),
    allow_http: bool = False,
) -> BoundProfile:
    """Return the profile with a deployment's parameters, and what a grant's own values add.

    Raises:
        UnboundError: a parameter is missing, unknown or not allowed. The message shows no value.

    """
    if faults := list(faults_of_params(profile, params, allow_http=allow_http)):
        raise UnboundError("; ".join(faults))
    return BoundProfile(profile=profile, params=params, learned=values or {}, more_scopes=scopes, allow_http=allow_http)
