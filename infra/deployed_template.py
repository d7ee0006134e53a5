"""Reads the template of a deployed stack, with the credentials that the CDK CLI found."""

import json
import os
from collections.abc import Mapping
from typing import Any

QUALIFIER = "hnb659fds"
"""What `cdk bootstrap` puts into the names of its roles by default."""
QUALIFIER_KEY = "@aws-cdk/core:bootstrapQualifier"
"""The key of the context with another qualifier."""


class UnreadTemplateError(Exception):
    """The template could not be read. The message says why."""


def deployed_template(
    stack_name: str, *, qualifier: str = QUALIFIER, use_callers_account: bool = False
) -> Mapping[str, Any] | None:
    """Return the template of the deployed stack; None if there is no such stack.

    The stack is in the account and the region that the CDK CLI found, or with `use_callers_account` in those of the
    environment. The operator's role may read the template, or assume the lookup role of `cdk bootstrap`.

    Raises:
        UnreadTemplateError: there are no credentials, or they do not suffice.

    """
    account, region = os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION")
    # The CLI found none. Looking for some takes seconds on a machine outside AWS.
    if not account and not use_callers_account:
        raise UnreadTemplateError("there are no AWS credentials")
    # Imported on use: it takes a third of a second, and a synthesis without credentials needs none of it.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        session = boto3.Session(region_name=region)
        region = session.region_name
        sts = session.client("sts", config=config)
        caller = sts.get_caller_identity()
        if use_callers_account:
            account = caller["Account"]
        if caller["Account"] != account:
            raise UnreadTemplateError(
                f"the app has credentials of account {caller['Account']} and not of {account}. "
                "Set AWS_PROFILE; the app does not see --profile"
            )
        try:
            return _template(session.client("cloudformation", config=config), stack_name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
                raise
        partition = caller["Arn"].split(":")[1]
        role = f"arn:{partition}:iam::{account}:role/cdk-{qualifier}-lookup-role-{account}-{region}"
        keys = sts.assume_role(RoleArn=role, RoleSessionName="deployed-settings")["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region)
        return _template(session.client("cloudformation", config=config), stack_name)
    except ClientError as error:
        raise UnreadTemplateError(f"AWS answered {error.response['Error']['Code']}") from None
    except BotoCoreError as error:
        raise UnreadTemplateError(str(error)) from None


def _template(client: Any, stack_name: str) -> Mapping[str, Any] | None:  # noqa: ANN401 - a boto3 client
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        body = client.get_template(StackName=stack_name)["TemplateBody"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # "Stack with id ... does not exist"
            return None
        raise
    template: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
    return template
