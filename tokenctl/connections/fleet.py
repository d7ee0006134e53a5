"""The fleet of a deployment: its table, its key, and the function that consumers ask."""

from typing import Any, Final

from refresh_token.environment import CONNECTIONS_TABLE
from refresh_token.errors import ConfigurationException
from refresh_token.fleet.settings import CONNECTIONS_KEY, FleetSettings
from tokenctl.errors import ConfigurationError
from tokenctl.stack.once import Once
from tokenctl.stack.target import Target

AT_ONCE: Final = 16
"""How many calls are made at the same time, where there are many."""

MAX_ATTEMPTS: Final = 10
"""How often a call is made that AWS throttles, with growing pauses: about a minute in all."""


def has_fleet(target: Target) -> bool:
    """Tell whether a stack has a fleet beside its pair. Raises as `Target.outputs`."""
    return target.named_function is None and "ConnectionsTableName" in target.outputs


class Fleet:
    """What a deployment with connections=true has beside its secret. Each part is read once.

    Every property raises ConfigurationError if the deployment has no fleet, and ServiceError if it cannot be read.
    """

    def __init__(self, target: Target) -> None:
        self.target = target

    @Once
    def function(self) -> Target:
        """The alias of the function that consumers ask, as a target to invoke."""
        if self.target.named_function is not None:
            return self.target
        return Target(aws=self.target.aws, named_function=self._output("FunctionArn"), found_by=self.target.option)

    @property
    def table(self) -> str:
        """The name of the table."""
        named = self.target.named_function is not None
        return self._variable(CONNECTIONS_TABLE) if named else self._output("TableName")

    @property
    def key_arn(self) -> str:
        """The ARN of the key that seals the tokens."""
        named = self.target.named_function is not None
        return self._variable(CONNECTIONS_KEY) if named else self._output("KeyArn")

    @Once
    def settings(self) -> FleetSettings:
        """The settings of the fleet, with its providers, from the function's environment variables."""
        self._variable(CONNECTIONS_TABLE)
        try:
            return FleetSettings.from_environment(self.function.function_variables)
        except ConfigurationException as error:
            fault = str(error)
        raise ConfigurationError(fault)

    def client(self, service: str) -> Any:  # noqa: ANN401 - the caller names the type of client
        """Return a service's client that AT_ONCE threads can use, and that is patient with throttling."""
        retries = {"mode": "standard", "total_max_attempts": MAX_ATTEMPTS}
        return self.target.aws.client(service, max_pool_connections=AT_ONCE, retries=retries)

    def _output(self, name: str) -> str:
        """Return one of the stack's outputs, whose names begin with Connections."""
        found = self.target.outputs.get(f"Connections{name}")
        if found is None:
            raise ConfigurationError(
                f"The {self.target.label} keeps no fleet of connections. Deploy it with `-c connections=true`."
            )
        return found

    def _variable(self, name: str) -> str:
        value = self.function.function_variables.get(name)
        if not value:
            raise ConfigurationError(
                f"The function that you named has no variable {name}, so it is not the one that a fleet's consumers "
                "ask. Name that one, or the stack."
            )
        return value
