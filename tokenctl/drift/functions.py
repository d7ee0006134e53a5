"""The function, its alias, and how Lambda treats its asynchronous calls."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.statements import open_to_everybody
from tokenctl.drift.template import DeployedTemplate, Resource
from tokenctl.stack.side_by_side import all_in_time

_CONFIGURATION: Final = (
    *("Timeout", "MemorySize", "Handler", "Runtime", "Role", "Description", "Environment", "Layers", "VpcConfig"),
    *("TracingConfig", "LoggingConfig", "DeadLetterConfig", "EphemeralStorage", "SnapStart", "KmsKeyArn"),
)
"""What UpdateFunctionConfiguration sets, under the same names as in the template, but for the key's."""

OPEN: Final = "open to everybody"
"""The ids of the permissions that somebody has added to let everybody call it, as a public function URL does."""

_API_NAMES: Final = {"KmsKeyArn": "KMSKeyArn"}

_FUNCTION_DEFAULTS: Final[Mapping[str, Any]] = {
    "Environment": {"Variables": {}},
    "Layers": [],
    "VpcConfig": {},
    "DeadLetterConfig": {},
    "KmsKeyArn": None,
    "ReservedConcurrentExecutions": None,
    OPEN: [],
}
_NONE: Final[Mapping[str, Any]] = {
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
    "DeadLetterConfig": {"TargetArn": ""},
    "KmsKeyArn": "",
}
"""How UpdateFunctionConfiguration is told that there is none (Lambda API reference)."""


def _read_function(stack: DeployedTemplate, function: Resource) -> dict[str, Any] | None:
    client, name = stack.target.aws.client("lambda"), function.physical_id
    read = all_in_time(
        {
            "latest": partial(found, client.get_function_configuration, FunctionName=name),
            "concurrency": partial(found, client.get_function_concurrency, FunctionName=name),
            OPEN: partial(_open, stack, FunctionName=name),
        }
    )
    if (latest := read["latest"]) is None:
        return None
    live = {setting: latest.get(setting) for setting in _CONFIGURATION}
    live["KmsKeyArn"] = latest.get("KMSKeyArn")
    live["Layers"] = [layer["Arn"] for layer in latest.get("Layers", ())]
    network = latest.get("VpcConfig") or {}
    live["VpcConfig"] = {key: network[key] for key in ("SubnetIds", "SecurityGroupIds") if network.get(key)}
    live["ReservedConcurrentExecutions"] = read["concurrency"].get("ReservedConcurrentExecutions")
    live[OPEN] = read[OPEN]
    live["Code"] = function.properties["Code"] if _has_deployed_code(stack, name, latest) else {"S3Key": "other code"}
    return live


def _open(stack: DeployedTemplate, **names: str) -> list[str]:
    """Return the ids of the permissions that let everybody call a function, and that the stack has not given."""
    answer = found(stack.target.aws.client("lambda").get_policy, **names)
    given = stack.physical_ids("AWS::Lambda::Permission")
    called = f":function:{':'.join(name.rpartition(':')[2] for name in names.values())}"
    return [
        statement["Sid"]
        for statement in open_to_everybody(json.loads(answer["Policy"]) if answer else {})
        if statement["Sid"] not in given and statement["Resource"].endswith(called)
    ]


def _close(stack: DeployedTemplate, change: Change, **names: str) -> None:
    """Remove the permissions that let everybody call a function."""
    for permission in change.added(OPEN):
        stack.target.aws.client("lambda").remove_permission(**names, StatementId=permission)


def _has_deployed_code(stack: DeployedTemplate, name: str, latest: Mapping[str, Any]) -> bool:
    """Tell whether the next version would have the code that was deployed."""
    client = stack.target.aws.client("lambda")
    for version in stack.physical_ids("AWS::Lambda::Version"):
        if f":function:{name}:" in version:
            qualifier = version.rpartition(":")[2]
            deployed = found(client.get_function_configuration, FunctionName=name, Qualifier=qualifier)
            return deployed is None or deployed["CodeSha256"] == latest["CodeSha256"]
    return True


def _restore_function(stack: DeployedTemplate, change: Change) -> None:
    client, name = stack.target.aws.client("lambda"), change.resource.physical_id
    if change.touches("Code"):
        client.update_function_code(FunctionName=name, **change.wanted["Code"])
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
    if changed := [setting for setting in _CONFIGURATION if change.touches(setting)]:
        wanted = {setting: change.wanted[setting] for setting in changed}
        if "Environment" in wanted:  # a parameter of the template may be a number
            variables = wanted["Environment"].get("Variables", {})
            wanted["Environment"] = {"Variables": {name: str(value) for name, value in variables.items()}}
        settings = {_API_NAMES.get(name, name): value or _NONE.get(name, value) for name, value in wanted.items()}
        client.update_function_configuration(FunctionName=name, **settings)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
    if change.touches("ReservedConcurrentExecutions"):
        reserved = change.wanted["ReservedConcurrentExecutions"]
        if reserved is None:
            client.delete_function_concurrency(FunctionName=name)
        else:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))
    _close(stack, change, FunctionName=name)


def _read_version(stack: DeployedTemplate, version: Resource) -> dict[str, Any] | None:
    name, _, number = version.physical_id.rpartition(":")
    call = stack.target.aws.client("lambda").get_function_configuration
    return None if found(call, FunctionName=name, Qualifier=number) is None else {}


def _read_layer(stack: DeployedTemplate, layer: Resource) -> dict[str, Any] | None:
    call = stack.target.aws.client("lambda").get_layer_version_by_arn
    return None if found(call, Arn=layer.physical_id) is None else {}


def _read_alias(stack: DeployedTemplate, alias: Resource) -> dict[str, Any] | None:
    client, wanted = stack.target.aws.client("lambda"), alias.properties
    alias_now = found(client.get_alias, FunctionName=wanted["FunctionName"], Name=wanted["Name"])
    return alias_now and {**alias_now, OPEN: _open(stack, **_names(alias))}


def _names(alias: Resource) -> dict[str, str]:
    return {"FunctionName": alias.properties["FunctionName"], "Qualifier": alias.properties["Name"]}


def _restore_alias(stack: DeployedTemplate, change: Change) -> None:
    client, wanted = stack.target.aws.client("lambda"), change.wanted
    call = client.create_alias if change.gone else client.update_alias
    call(
        **{key: change.resource.properties[key] for key in ("FunctionName", "Name")},
        FunctionVersion=wanted["FunctionVersion"],
        Description=wanted["Description"],
        RoutingConfig=wanted["RoutingConfig"] or {"AdditionalVersionWeights": {}},
    )
    _close(stack, change, **_names(change.resource))


def _read_invoke_config(stack: DeployedTemplate, config: Resource) -> dict[str, Any] | None:
    answer: dict[str, Any] | None = found(
        stack.target.aws.client("lambda").get_function_event_invoke_config,
        **{key: config.properties[key] for key in ("FunctionName", "Qualifier")},
    )
    if answer is not None:
        kept = {key: value for key, value in answer.get("DestinationConfig", {}).items() if value}
        answer["DestinationConfig"] = kept
    return answer


def _restore_invoke_config(stack: DeployedTemplate, change: Change) -> None:
    stack.target.aws.client("lambda").put_function_event_invoke_config(
        **{key: change.resource.properties[key] for key in ("FunctionName", "Qualifier")},
        **{key: value for key, value in change.wanted.items() if value != {}},
    )


FUNCTION: Final = Kind(
    type="AWS::Lambda::Function",
    read=_read_function,
    restore=_restore_function,
    settings=("Code", *_CONFIGURATION, "ReservedConcurrentExecutions"),
    defaults=_FUNCTION_DEFAULTS,
    can_create=False,  # its versions would be lost
)


class _AliasKind(Kind):
    def wanted(self, resource: Resource) -> dict[str, Any]:
        """Return the settings, with the weights as Lambda names them: by version."""
        wanted = {**super().wanted(resource)}
        if weights := wanted["RoutingConfig"].get("AdditionalVersionWeights"):
            by_version = {each["FunctionVersion"]: each["FunctionWeight"] for each in weights}
            wanted["RoutingConfig"] = {"AdditionalVersionWeights": by_version}
        return wanted


ALIAS: Final = _AliasKind(
    type="AWS::Lambda::Alias",
    read=_read_alias,
    restore=_restore_alias,
    part_of="FunctionName",
    settings=("FunctionVersion", "RoutingConfig", "Description"),
    defaults={"RoutingConfig": {}, "Description": "", OPEN: []},
)
VERSION: Final = Kind(type="AWS::Lambda::Version", read=_read_version, part_of="FunctionName", can_create=False)
LAYER: Final = Kind(type="AWS::Lambda::LayerVersion", read=_read_layer, can_create=False)
EVENT_INVOKE_CONFIG: Final = Kind(
    type="AWS::Lambda::EventInvokeConfig",
    read=_read_invoke_config,
    restore=_restore_invoke_config,
    part_of="FunctionName",
    settings=("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"),
    defaults={"DestinationConfig": {}},
)
