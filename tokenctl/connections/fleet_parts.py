"""The functions of a fleet, and what invokes them."""

from collections.abc import Mapping
from typing import Any, Final

from refresh_token.environment import CONNECTIONS_TABLE
from tokenctl.errors import GoneError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.once import Once

ASK: Final = "connections_handler"
WORKER: Final = "worker_handler"
DISPATCHER: Final = "dispatcher_handler"
"""The modules of the handlers, by which the functions are told apart."""

PARTS: Final = {"ask": ASK, "worker": WORKER, "dispatcher": DISPATCHER}
"""The functions by the words of an operator: the first is the one that consumers ask."""


class FleetParts:
    """What a stack has deployed for its fleet; whatever cannot be read raises ServiceError."""

    def __init__(self, deployed: DeployedStack) -> None:
        self._deployed = deployed
        self._aws = deployed.target.aws

    @Once
    def functions(self) -> Mapping[str, Mapping[str, Any]]:
        """The configuration of each function that is there, by the module of its handler."""
        client, found = self._aws.client("lambda"), dict[str, Mapping[str, Any]]()
        with translate_aws_errors():
            for name in self._deployed.resources.get("AWS::Lambda::Function", ()):
                try:
                    answer = client.get_function_configuration(FunctionName=name)
                except client.exceptions.ResourceNotFoundException:
                    continue
                module = answer.get("Handler", "").rpartition(".")[0].rpartition(".")[2]
                if self._is_ours(module, answer):
                    found[module] = answer
        return found

    def _is_ours(self, module: str, configuration: Mapping[str, Any]) -> bool:
        """Tell whether a function is one of this fleet's: another app's stack may hold several fleets."""
        target = self._deployed.target
        if target.fleet_function is None:
            return True
        variables = configuration.get("Environment", {}).get("Variables", {})
        return module in self.of_fleet and variables.get(CONNECTIONS_TABLE) == target.output("ConnectionsTableName")

    of_fleet: Final = frozenset(PARTS.values())
    """The modules of the functions that are the fleet's own; a stack has one more."""

    def log_group(self, module: str) -> str:
        """Return the log group of a function; raises GoneError if there is no such function."""
        if module not in self.functions:
            name = next(name for name, each in PARTS.items() if each == module)
            raise GoneError(f"the function `{name}` of the fleet")
        return str(self.functions[module]["LoggingConfig"]["LogGroup"])

    @Once
    def mappings(self) -> list[Mapping[str, Any]]:
        """What takes messages from the queue to the worker."""
        client, found = self._aws.client("lambda"), list[Mapping[str, Any]]()
        queue = self._deployed.target.output("ConnectionsQueueUrl").rpartition("/")[2]
        with translate_aws_errors():
            for uuid in self._deployed.resources.get("AWS::Lambda::EventSourceMapping", ()):
                try:
                    mapping = client.get_event_source_mapping(UUID=uuid)
                except client.exceptions.ResourceNotFoundException:
                    continue
                if mapping["EventSourceArn"].rpartition(":")[2] == queue:
                    found.append(mapping)
        return found

    @Once
    def other_mappings(self) -> list[str]:
        """The ids of what else takes messages from the queue."""
        client, ours = self._aws.client("lambda"), {mapping["UUID"]: mapping for mapping in self.mappings}
        queues = {mapping["EventSourceArn"] for mapping in ours.values()}
        with translate_aws_errors():
            return [
                found["UUID"]
                for queue in queues
                for page in client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue)
                for found in page["EventSourceMappings"]
                if found["UUID"] not in ours
            ]

    @property
    def schedules(self) -> list[dict[str, Any]]:
        """The schedules that invoke the dispatcher, as EventBridge Scheduler describes them."""
        dispatcher = f":function:{self.functions[DISPATCHER]['FunctionName']}:"
        return [each for each in self._deployed.other_schedules if dispatcher in f"{each['Target']['Arn']}:"]
