"""Finding a stack in CloudFormation; if it is not there, which ones are."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from refresh_token.signals import STACK_PREFIX
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.stages import deployed_stages, may_be_token


def describe_stack(aws: AwsAccess, stage: str, named: str | None = None) -> Mapping[str, Any]:
    """Return what CloudFormation says about the stack of a stage, or about a stack that is named itself.

    Raises:
        ConfigurationError: there is no such stack. The message names those of other stages.
        ServiceError: CloudFormation answered with another error.

    """
    from botocore.exceptions import ClientError

    cloudformation, name = aws.client("cloudformation"), named or f"{STACK_PREFIX}{stage}"
    hidden = named or (stage if may_be_token(stage) else None)
    with translate_aws_errors((hidden,) if hidden else ()):
        try:
            stacks: list[dict[str, Any]] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            stacks = []
    if stacks:
        return stacks[0]
    if named:  # not shown: it may be a misplaced token
        raise ConfigurationError(
            f"There is no such stack in {aws.session.region_name}. Check --stack-name and --region."
        )
    stages, shown = _stages(aws), "<stage>" if hidden else stage
    missing = f"There is no stack {STACK_PREFIX}{shown} in {aws.session.region_name}."
    others = f" The stages there are {', '.join(stages)}." if stages else ""
    if similar := get_close_matches(stage, stages, n=1):
        raise ConfigurationError(f"{missing}{others} Did you mean --stage {similar[0]}?")
    raise ConfigurationError(
        f"{missing}{others} Deploy it with `cdk deploy -c stage={shown}`, or name another with --stage, "
        "--stack-name, --region or --profile."
    )


def read_template(aws: AwsAccess, name: str) -> Mapping[str, Any]:
    """Return the template that a stack was deployed with; raises TokenctlError if it cannot be read."""
    client = aws.client("cloudformation")
    with translate_aws_errors():
        try:
            template = client.get_template(StackName=name)["TemplateBody"]
            body: Mapping[str, Any] = json.loads(template) if isinstance(template, str) else template
        except (KeyError, ValueError):  # botocore raises KeyError for an answer to another operation
            raise TokenctlError("The stack's template is not the JSON that the CDK writes.") from None
    return body


def _stages(aws: AwsAccess) -> list[str]:
    """Return the stages that are deployed; none if the operator may not list stacks."""
    try:
        return [stage["stage"] for stage in deployed_stages(aws)]
    except (TokenctlError, KeyError):  # botocore raises KeyError for an answer to another operation
        return []
