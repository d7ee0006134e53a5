"""The stages that are deployed in an account and region."""

import re
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors

STACK_PREFIX: Final = "RefreshToken-"
"""What the name of a stage's stack begins with; the name of the stage follows."""

STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")


def deployed_stages(aws: AwsAccess) -> list[dict[str, str]]:
    """Return stage, stack, status and changedAt of each stage, in the order of their names.

    Raises:
        ServiceError, ConfigurationError: CloudFormation refuses to list the stacks.

    """
    client = aws.client("cloudformation")
    existing = sorted({*client.meta.service_model.shape_for("StackStatus").enum} - {"DELETE_COMPLETE"})
    with translate_aws_errors():
        pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=existing)
        found = [_stage(stack) for page in pages for stack in page["StackSummaries"] if _is_stage(stack["StackName"])]
    return sorted(found, key=lambda stage: stage["stage"])


def _is_stage(stack: str) -> bool:
    return stack.startswith(STACK_PREFIX) and bool(STAGE_NAME.fullmatch(stack.removeprefix(STACK_PREFIX)))


def _stage(stack: dict[str, Any]) -> dict[str, str]:
    return {
        "stage": stack["StackName"].removeprefix(STACK_PREFIX),
        "stack": stack["StackName"],
        "status": stack["StackStatus"],
        "changedAt": iso_utc(stack.get("LastUpdatedTime") or stack["CreationTime"]),
    }
