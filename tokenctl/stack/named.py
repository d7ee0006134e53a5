"""Finding the deployment, or the fleet, that the operator named by its stack, or by its path in Parameter Store."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from refresh_token.environment import SECRET_ARN
from refresh_token.fleet.settings import PROVIDERS
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.target import LIVE, Target


@dataclass(frozen=True)
class Sought:
    """The functions that a command works with."""

    what: str
    """What messages call one of them."""

    outputs: frozenset[str]
    """The outputs of a stack with our outputs."""

    parameter: str
    """The name below a path of the parameter that holds the ARN of the alias."""

    variable: str
    """Each of them has it."""

    without: str = ""
    """None of them has it."""

    def is_one(self, variables: Mapping[str, str]) -> bool:
        """Tell whether a function with these variables is one of them."""
        return self.variable in variables and self.without not in variables


REFRESHER: Final = Sought("refresh function", frozenset({"FunctionName", "SecretArn"}), "function-arn", SECRET_ARN)
FLEET: Final = Sought(
    "function of a fleet", frozenset({"ConnectionsFunctionArn"}), "connections-function-arn", PROVIDERS, SECRET_ARN
)


def target_of_stack(aws: AwsAccess, name: str, sought: Sought, *, or_fleet: bool = False) -> Target:
    """Return a stack with our outputs or, if it has none, the deployment of the one function in it that is sought.

    With `or_fleet` it may be a fleet that stands alone, if there is no such function.

    Raises:
        ConfigurationError: there is no such stack, or it holds no such function, or several.
        ServiceError: AWS refuses to describe them.

    """
    target = Target(aws=aws, named_stack=name, found_by=f"--stack-name {name}")
    if sought.outputs <= target.outputs.keys():
        return target
    found = list(_functions(aws, name, sought))
    if not found and or_fleet and (found := list(_functions(aws, name, FLEET))):
        sought = FLEET
    if not found:
        raise ConfigurationError(f"The stack {name} holds no {sought.what}. Check --stack-name.")
    if len(found) > 1:
        names = ", ".join(sorted(function.split(":")[6] for function in found))
        plural = sought.what.replace("function", "functions")
        raise ConfigurationError(
            f"The stack {name} holds {len(found)} {plural}. Give one of {names} with --function-name."
        )
    if or_fleet and sought is FLEET:
        return Target(aws=aws, named_stack=name, fleet_function=found[0], found_by=target.found_by)
    return Target(aws=aws, named_function=found[0], found_by=target.found_by)


def with_fleet(target: Target) -> Target:
    """Return the stack of a fleet that stands alone if that is what a function names, and else the target.

    A function that cannot be read is left to the command, which may have more to say.

    Raises:
        ConfigurationError: CloudFormation knows no stack with the function.
        ServiceError: AWS refuses to describe it.

    """
    try:
        if target.named_function is None or not FLEET.is_one(target.function_variables):
            return target
    except TokenctlError:
        return target
    arn: str = target.function_configuration["FunctionArn"]
    function = arn.split(":")[6]
    stack = _stack_with(target.aws, function)
    alias = f"{arn.partition(function)[0]}{function}:{LIVE}"
    option = target.found_by or f"--function-name {function}"
    return Target(aws=target.aws, named_stack=stack, fleet_function=alias, found_by=option)


def _stack_with(aws: AwsAccess, function: str) -> str:
    from botocore.exceptions import ClientError

    client = aws.client("cloudformation")
    with translate_aws_errors():
        try:
            found: list[dict[str, str]] = client.describe_stack_resources(PhysicalResourceId=function)["StackResources"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            found = []
    if not found:
        raise ConfigurationError("CloudFormation knows no stack with the function of that fleet.")
    return found[0]["StackName"]


def target_of_path(aws: AwsAccess, path: str, sought: Sought, *, or_fleet: bool = False) -> Target:
    """Return the deployment whose alias's ARN is in Parameter Store below the path; with `or_fleet`, perhaps a fleet.

    Raises:
        ConfigurationError: there is no such parameter.
        ServiceError: Systems Manager refuses to read it.

    """
    client = aws.client("ssm")
    with translate_aws_errors((path,)):
        try:
            value: str = client.get_parameter(Name=f"{path.rstrip('/')}/{sought.parameter}")["Parameter"]["Value"]
        except client.exceptions.ParameterNotFound:
            if or_fleet:
                return target_of_path(aws, path, FLEET)
            raise ConfigurationError(
                f"There is no parameter {sought.parameter} below that path in {aws.session.region_name}. Check "
                "--parameter-path and --region."
            ) from None
    return Target(aws=aws, named_function=value, found_by=f"--parameter-path {path}")


def _functions(aws: AwsAccess, stack: str, sought: Sought) -> Iterator[str]:
    """Yield the ARN of the alias of each such function in the stack."""
    stacks, functions = aws.client("cloudformation"), aws.client("lambda")
    with translate_aws_errors():
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                alias = resource.get("PhysicalResourceId", "")
                if resource["ResourceType"] != "AWS::Lambda::Alias" or not alias.endswith(f":{LIVE}"):
                    continue
                configuration = functions.get_function_configuration(FunctionName=alias)
                if sought.is_one(configuration.get("Environment", {}).get("Variables", {})):
                    yield alias
