"""Finding the deployment that the operator named by its stack, or by its path in Parameter Store."""

from collections.abc import Iterator
from typing import Final

from refresh_token.environment import SECRET_ARN
from tokenctl.errors import ConfigurationError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.target import LIVE, Target

PARAMETER: Final = "function-arn"
"""The name below the path of the parameter that holds the ARN of the alias."""


def target_of_stack(aws: AwsAccess, name: str) -> Target:
    """Return a stack with our outputs or, if it has none, the deployment of the one refresh function in it.

    Raises:
        ConfigurationError: there is no such stack, or it holds no refresh function, or several.
        ServiceError: AWS refuses to describe them.

    """
    target = Target(aws=aws, named_stack=name, found_by=f"--stack-name {name}")
    if {"FunctionName", "SecretArn"} <= target.outputs.keys():
        return target
    found = list(_refresh_functions(aws, name))
    if not found:
        raise ConfigurationError(f"The stack {name} holds no refresh function. Check --stack-name.")
    if len(found) > 1:
        names = ", ".join(sorted(function.split(":")[6] for function in found))
        raise ConfigurationError(
            f"The stack {name} holds {len(found)} refresh functions. Give one of {names} with --function-name."
        )
    return Target(aws=aws, named_function=found[0], found_by=target.found_by)


def target_of_path(aws: AwsAccess, path: str) -> Target:
    """Return the deployment whose alias's ARN is in Parameter Store below the path.

    Raises:
        ConfigurationError: there is no such parameter.
        ServiceError: Systems Manager refuses to read it.

    """
    client = aws.client("ssm")
    with translate_aws_errors((path,)):
        try:
            value: str = client.get_parameter(Name=f"{path.rstrip('/')}/{PARAMETER}")["Parameter"]["Value"]
        except client.exceptions.ParameterNotFound:
            raise ConfigurationError(
                f"There is no parameter {PARAMETER} below that path in {aws.session.region_name}. Check "
                "--parameter-path and --region."
            ) from None
    return Target(aws=aws, named_function=value, found_by=f"--parameter-path {path}")


def _refresh_functions(aws: AwsAccess, stack: str) -> Iterator[str]:
    """Yield the ARN of the alias of each refresh function in the stack."""
    stacks, functions = aws.client("cloudformation"), aws.client("lambda")
    with translate_aws_errors():
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                alias = resource.get("PhysicalResourceId", "")
                if resource["ResourceType"] != "AWS::Lambda::Alias" or not alias.endswith(f":{LIVE}"):
                    continue
                configuration = functions.get_function_configuration(FunctionName=alias)
                if SECRET_ARN in configuration.get("Environment", {}).get("Variables", {}):
                    yield alias
