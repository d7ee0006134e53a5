"""The issuers of a fleet's providers, each with a connection's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.values import Api, readable_api
from refresh_token.environment import ISSUER
from refresh_token.errors import ConfigurationException
from refresh_token.fleet.providers import ISSUER_PARAMS, Provider
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import AMPLIFY, AMPLIFY_ISSUED_BY
from refresh_token.oauth.profile_settings import ProfileSettings, own_app_settings
from refresh_token.oauth.templates import names
from refresh_token.oauth.variables import VariableReader
from tokenctl.connections.json_lines import Fault


@dataclass(frozen=True)
class Issuer:
    """Whose tokens the pairs of some connections are."""

    settings: OwnAppSettings | None
    """None: Amplify UI Builder's."""

    @cached_property
    def issued_by(self) -> IssuedBy:
        """Whose tokens they are."""
        return AMPLIFY_ISSUED_BY if self.settings is None else self.settings.issued_by

    def api(self, pair: TokenPair) -> Api:
        """Return how consumers call the provider's API; empty if that is the usual way, or not known yet."""
        if self.settings is None:
            return {}
        return _api(self.settings.profile.with_values(pair.values)) if pair.values else self._usual_api

    @cached_property
    def _usual_api(self) -> Api:
        return {} if self.settings is None else _api(self.settings.profile)


def _api(bound: BoundProfile) -> Api:
    return {} if any(map(names, bound.profile.api.headers.values())) else readable_api(bound.api(AppCredentials()))


class Issuers:
    """The issuers of a fleet. Those with equal parameters are made once."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self.providers = providers
        self._made: dict[tuple[str, frozenset[tuple[str, str]]], Issuer] = {}

    def of(self, provider: Provider, params: Mapping[str, str]) -> Issuer:
        """Return the issuer of a provider's connections that have these parameters; raises Fault."""
        key = provider.name, frozenset(params.items())
        if key not in self._made:
            self._made[key] = _issuer(provider, params)
        return self._made[key]


def _issuer(provider: Provider, params: Mapping[str, str]) -> Issuer:
    name = provider.variables.get(ISSUER) or AMPLIFY
    kind = None if name == AMPLIFY else own_app_settings(name)
    if params and (kind is None or not issubclass(kind, ProfileSettings)):
        raise Fault("`params` has no effect, because no profile describes this provider. Remove it")
    if kind is None:
        return Issuer(None)
    reader = VariableReader(provider.with_params(params))
    try:
        settings = kind.from_variables(reader)
        reader.check()
    except ConfigurationException as error:
        fault = str(error)
    else:
        return Issuer(settings)
    raise Fault(fault.partition("is wrong: ")[2].partition(". Run")[0].replace(ISSUER_PARAMS, "`params`"))
