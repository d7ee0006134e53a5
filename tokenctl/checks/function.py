"""Checks of the function, of the alias that consumers call, and of the lock table."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from refresh_token.environment import LOCK_TABLE
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import ServiceError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.target import LIVE

_OPTIONS: Final = {
    "Timeout": "--timeout",
    "MemorySize": "--memory-size",
    "Handler": "--handler",
    "Runtime": "--runtime",
    "Role": "--role",
}
"""What UpdateFunctionConfiguration sets, as GetFunctionConfiguration and the AWS CLI call it."""


def check_function(subject: Subject) -> Finding:
    """Check that the function exists and is as the stack has deployed it."""
    try:
        latest = subject.target.function_configuration
    except ServiceError as error:
        if not error.code.startswith("ResourceNotFound"):
            raise
        return Finding(Level.FAIL, "the function is gone", subject.restore)
    client = subject.target.aws.client("lambda")
    name, version = latest["FunctionName"], subject.deployed.function_version
    if version is None:
        return Finding(Level.OK, f"{name} exists")
    with translate_aws_errors():
        deployed = client.get_function_configuration(FunctionName=name, Qualifier=version)
    changed = [setting for setting in _OPTIONS if latest.get(setting) != deployed.get(setting)]
    variables = sorted(_changed_variables(latest, deployed))
    if not changed and not variables:
        return Finding(Level.OK, f"{name} is as it was deployed")
    options = " ".join(f"{_OPTIONS[setting]} {shlex.quote(str(deployed[setting]))}" for setting in changed)
    if variables:  # not their values: an address may hold a key
        options += f' --environment "$(aws lambda get-function-configuration --function-name {name}'
        options += f' --qualifier {version} --query Environment --output json)"'
    text = f"{', '.join([*changed, *variables])} changed after the deployment; that takes effect with the next version"
    fix = f"aws lambda update-function-configuration --function-name {name} {options.strip()}"
    return Finding(Level.WARN, text, f"`{fix}`")


def check_throttle(subject: Subject) -> Finding:
    """Check that Lambda lets anybody call the function."""
    client, name = subject.target.aws.client("lambda"), subject.target.function_configuration["FunctionName"]
    with translate_aws_errors(subject.target.function_name_secrets):
        reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    if reserved == 0:
        text = "the function's reserved concurrency is 0, as the button Throttle sets it, so nobody can call it"
        return Finding(Level.FAIL, text, f"`aws lambda delete-function-concurrency --function-name {name}`")
    limit = "without a limit of its own" if reserved is None else f"up to {reserved} times at once"
    return Finding(Level.OK, f"the function may run {limit}")


def _changed_variables(latest: Mapping[str, Any], deployed: Mapping[str, Any]) -> Iterator[str]:
    now, before = (each.get("Environment", {}).get("Variables", {}) for each in (latest, deployed))
    yield from (name for name in now | before if now.get(name) != before.get(name))


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
            alias = None
        if alias is None and deployed is None:
            deployed = _newest_version(client, name)
    option = f"--function-name {name} --name {LIVE} --function-version {deployed}"
    if alias is None:
        text = f"the function has no alias `{LIVE}`, which consumers and the schedule call"
        if deployed is None:
            publish = f"`aws lambda publish-version --function-name {name}`, then run the doctor again"
            return Finding(Level.FAIL, f"{text}, and no version", publish)
        return Finding(Level.FAIL, text, f"`aws lambda create-alias {option}`")
    version, weights = alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    if deployed in {None, version} and not weights:
        return Finding(Level.OK, f"`{LIVE}` is version {version} of the function")
    others = f" and {', '.join(weights)}" if weights else ""
    text = f"`{LIVE}` is version {version}{others} of the function, but the stack has deployed {deployed or version}"
    fix = f"aws lambda update-alias {option.replace('None', version)} --routing-config AdditionalVersionWeights={{}}"
    return Finding(Level.WARN, text, f"`{fix}`, unless you have gone back on purpose")


def _newest_version(client: Any, name: str) -> str | None:  # noqa: ANN401 - a boto3 client
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [int(each["Version"]) for page in pages for each in page["Versions"] if each["Version"].isdecimal()]
    return str(max(versions)) if versions else None


def check_lock_table(subject: Subject) -> Finding:
    """Check that the table exists in which the function claims a refresh."""
    from botocore.exceptions import ClientError

    name = subject.deployed.lock_table
    if name is None:
        return Finding(Level.WARN, f"the function's {LOCK_TABLE} is empty", "see the check `function`")
    client = subject.target.aws.client("dynamodb")
    with translate_aws_errors():
        try:
            state = client.describe_table(TableName=name)["Table"]["TableStatus"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            fix = (
                f"aws dynamodb create-table --table-name {name} --billing-mode PAY_PER_REQUEST --attribute-definitions "
                "AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH && "
                f"aws dynamodb wait table-exists --table-name {name} && "
                f"aws dynamodb update-time-to-live --table-name {name} "
                "--time-to-live-specification Enabled=true,AttributeName=expiration"
            )
            return Finding(Level.FAIL, f"{name} is gone, so nothing can be refreshed", f"`{fix}`")
    if state not in {"ACTIVE", "UPDATING"}:
        return Finding(Level.FAIL, f"{name} is {state}", "wait until it is ACTIVE")
    return Finding(Level.OK, f"{name} is {state}")
