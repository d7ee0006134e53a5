"""The stages that are deployed in an account and region."""

import re
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from refresh_token.signals import STACK_PREFIX, STAGE_NAME
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors

_ORDINARY: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")


def may_be_token(stage: str) -> bool:
    """Tell whether somebody may have put a token where the name of a stage belongs: it is long, or has capitals."""
    return not _ORDINARY.fullmatch(stage)


def deployed_stages(aws: AwsAccess) -> list[dict[str, str]]:
    """Return stage, stack, status and changedAt of each stage, in the order of their names.

    Raises:
        ServiceError, ConfigurationError: CloudFormation refuses to list the stacks.

    """
    client = aws.client("cloudformation")
    existing = sorted({*client.meta.service_model.shape_for("StackStatus").enum} - {"DELETE_COMPLETE"})
    with translate_aws_errors():
        pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=existing)
        found = [_stage(stack) for page in pages for stack in page["StackSummaries"] if _is_stage(stack)]
    return sorted(found, key=lambda stage: stage["stage"])


def _is_stage(stack: dict[str, Any]) -> bool:
    """Tell whether a stack is that of a stage. The stacks nested in one have longer names, and a parent."""
    return "ParentId" not in stack and bool(re.fullmatch(f"{STACK_PREFIX}{STAGE_NAME}", stack["StackName"]))


def _stage(stack: dict[str, Any]) -> dict[str, str]:
    return {
        "stage": stack["StackName"].removeprefix(STACK_PREFIX),
        "stack": stack["StackName"],
        "status": stack["StackStatus"],
        "changedAt": iso_utc(stack.get("LastUpdatedTime") or stack["CreationTime"]),
    }
