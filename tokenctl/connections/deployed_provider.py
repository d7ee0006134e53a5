"""One provider of a fleet, as if it were the issuer of a stack of its own: its settings, and its app's secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from refresh_token.fleet.providers import Provider, provider_named
from refresh_token.oauth.variables import APP_SECRET_ARN
from tokenctl.connections.fleet import Fleet
from tokenctl.errors import UsageError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target


@dataclass(frozen=True, kw_only=True)
class ProviderTarget(Target):
    """The deployment, with the variables of one provider. It has no secret with a pair."""

    provider: Provider
    variables: Mapping[str, str] = field(repr=False)
    only: bool = False
    """Whether the fleet has no other provider."""

    @property
    def option(self) -> str:
        """The options to repeat in the command that a message names."""
        return super().option if self.only else f"{super().option} --provider {self.provider.name}"

    @property
    def function_variables(self) -> Mapping[str, str]:
        """The variables of the functions, as the provider's issuer reads them."""
        return self.variables

    @property
    def app_secret_arn(self) -> str | None:
        """The ARN of the secret with the app's credentials; None if the provider has none."""
        return self.variables.get(APP_SECRET_ARN)


class DeployedProvider(DeployedStack):
    """One provider of a fleet, as a deployment."""

    def __init__(self, target: ProviderTarget) -> None:
        super().__init__(target)
        self.provider = target.provider


def provider_of(fleet: Fleet, name: str | None, params: Mapping[str, str] | None = None) -> DeployedProvider:
    """Return a provider of the fleet, by default its only one, with the parameters of a connection.

    Raises:
        UsageError: the fleet has no such provider, or has several and none is named.
        ConfigurationError, ServiceError: the fleet cannot be read.

    """
    providers, target = fleet.settings.providers, fleet.target
    provider = provider_named(name, providers)
    if provider is None:
        fault = "The fleet has no such provider." if name else "--provider is missing."
        raise UsageError(f"{fault} Name one of the fleet's with --provider: {', '.join(sorted(providers))}.")
    return DeployedProvider(
        ProviderTarget(
            **{each.name: getattr(target, each.name) for each in fields(target)},
            provider=provider,
            variables={**fleet.function.function_variables, **provider.with_params(params or {})},
            only=len(providers) == 1,
        )
    )
