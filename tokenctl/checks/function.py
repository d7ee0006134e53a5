"""Checks of the function, of the alias that consumers call, and of the lock table."""

from collections.abc import Mapping
from typing import Any, Final

from refresh_token.environment import LOCK_TABLE, SECRET_ARN
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import ServiceError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_recreate
from tokenctl.stack.target import LIVE

_SETTINGS: Final = ("Timeout", "MemorySize", "Handler", "Runtime", "Role")
"""What is compared between two versions of the function, and its environment."""

_CHANGING: Final = frozenset({"Pending", "Deactivating", "Deleting"})
"""States of a function that do not last (Lambda API reference, FunctionConfiguration)."""

_KEY: Final = "id"
"""The key of the lock table."""


TABLE_FIXES: Final = {
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "enable the key that encrypts it, or let DynamoDB use it again",
    "ARCHIVED": "delete it with the AWS CLI, and run `tokenctl repair`",
}
"""What mends a table, by its state (DynamoDB API reference, TableDescription)."""


def check_function(subject: Subject) -> Finding:
    """Check that the function exists, and that what consumers call is as the stack has deployed it."""
    try:
        live = subject.target.function_configuration
    except ServiceError as error:
        if not error.code.startswith("ResourceNotFound"):
            raise
        return Finding(Level.FAIL, "the function is gone", how_to_recreate(subject.target))
    name, version = live["FunctionName"], subject.deployed.function_version
    state, why = live.get("State"), live.get("StateReason", "it gives no reason")
    if state == "Failed":
        return Finding(
            Level.FAIL, f"Lambda cannot run the function: {why}", how_to_recreate(subject.target), stops=False
        )
    if version is not None and (changed := _compared(subject, live, version)):
        return changed
    if state in _CHANGING:
        return Finding(Level.WARN, f"the function is {state}: {why}", "wait a minute, then run the doctor again")
    return Finding(Level.OK, f"{name} exists" if version is None else f"{name} is as it was deployed")


def _compared(subject: Subject, live: Mapping[str, Any], version: str) -> Finding | None:
    """Return the finding about what consumers call, or what the next version would be; None if both are as deployed."""
    client, name = subject.target.aws.client("lambda"), live["FunctionName"]
    with translate_aws_errors():
        latest = client.get_function_configuration(FunctionName=name)
        deployed = client.get_function_configuration(FunctionName=name, Qualifier=version)
    called = _changed(live, deployed)
    if elsewhere := [name for name in called if name in {SECRET_ARN, LOCK_TABLE}]:
        text = f"the version that consumers call does not use what is the stack's: see its {' and '.join(elsewhere)}"
        return Finding(Level.FAIL, text, subject.restore, stops=False)
    if called:
        text = f"{', '.join(called)} {'is' if len(called) == 1 else 'are'} not as deployed in the version that"
        return Finding(Level.WARN, f"{text} consumers call", subject.restore)
    if next_one := _changed(latest, deployed):
        text = f"{', '.join(next_one)} changed after the deployment; that takes effect with the next version"
        return Finding(Level.WARN, text, subject.restore)
    return None


def _changed(configuration: Mapping[str, Any], deployed: Mapping[str, Any]) -> list[str]:
    """Return the names of what differs, without values: an address in the environment may hold a key."""
    now, before = (each.get("Environment", {}).get("Variables", {}) for each in (configuration, deployed))
    settings = [setting for setting in _SETTINGS if configuration.get(setting) != deployed.get(setting)]
    return [*settings, *sorted(name for name in now | before if now.get(name) != before.get(name))]


def check_throttle(subject: Subject) -> Finding:
    """Check that Lambda lets anybody call the function."""
    client, name = subject.target.aws.client("lambda"), subject.target.function_configuration["FunctionName"]
    with translate_aws_errors(subject.target.function_name_secrets):
        reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    if reserved == 0:
        text = "the function's reserved concurrency is 0, as the button Throttle sets it, so nobody can call it"
        return Finding(Level.FAIL, text, subject.restore)
    limit = "without a limit of its own" if reserved is None else f"up to {reserved} times at once"
    return Finding(Level.OK, f"the function may run {limit}")


def check_alias(subject: Subject) -> Finding:
    """Check that the alias that consumers and the schedule call exists, and names the version of the stack."""
    from botocore.exceptions import ClientError

    client, name = subject.target.aws.client("lambda"), subject.target.function_configuration["FunctionName"]
    deployed = subject.deployed.function_version
    with translate_aws_errors(subject.target.function_name_secrets):
        try:
            alias = client.get_alias(FunctionName=name, Name=LIVE)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            text = f"the function has no alias `{LIVE}`, which consumers and the schedule call"
            return Finding(Level.FAIL, text, subject.restore)
    version, weights = alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    if deployed in {None, version} and not weights:
        return Finding(Level.OK, f"`{LIVE}` is version {version} of the function")
    others = f" and {', '.join(weights)}" if weights else ""
    text = f"`{LIVE}` is version {version}{others} of the function, but the stack has deployed {deployed or version}"
    return Finding(Level.WARN, text, f"{subject.restore}, unless you have gone back on purpose")


def check_lock_table(subject: Subject) -> Finding:
    """Check that the table exists in which the function claims a refresh."""
    from botocore.exceptions import ClientError

    name = subject.deployed.lock_table
    if name is None:
        return Finding(Level.WARN, f"the function's {LOCK_TABLE} is empty", "see the check `function`")
    client = subject.target.aws.client("dynamodb")
    with translate_aws_errors():
        try:
            table = client.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return Finding(Level.FAIL, f"{name} is gone, so nothing can be refreshed", subject.restore)
    state = table["TableStatus"]
    if [key["AttributeName"] for key in table["KeySchema"]] != [_KEY]:
        text = f"{name} has another key than `{_KEY}`, so nothing can be refreshed"
        return Finding(Level.FAIL, text, f"`aws dynamodb delete-table --table-name {name}`, then {subject.restore}")
    if state not in {"ACTIVE", "UPDATING"}:
        return Finding(Level.FAIL, f"{name} is {state}", TABLE_FIXES.get(state, "wait until it is ACTIVE"))
    return Finding(Level.OK, f"{name} is {state}")
