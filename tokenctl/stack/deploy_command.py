"""The command that deploys a stage again with the settings it was given on the command line, which no file has."""

import json
import shlex
from typing import Any

from refresh_token.signals import SETTINGS_RECORD
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.target import Target


def deploy_command(target: Target) -> str:
    """Return `cdk deploy` for the target's stage; without the recorded settings if the operator may not read them."""
    if target.named_function is not None:
        return "cdk deploy"
    return f"cdk deploy -c stage={target.stage}{''.join(_given(target))}"


def _given(target: Target) -> list[str]:
    client = target.aws.client("cloudformation")
    try:
        with translate_aws_errors():
            template = client.get_template(StackName=target.stack_name)["TemplateBody"]
    except (TokenctlError, KeyError):  # botocore raises KeyError for an answer to another operation
        return []
    metadata = (json.loads(template) if isinstance(template, str) else template).get("Metadata", {})
    match metadata.get(SETTINGS_RECORD):
        case {"settings": dict() as values, "given": list() as given}:
            return [f" -c {key}={shlex.quote(_text(values.get(key, '...')))}" for key in given]
    return []


def _text(value: Any) -> str:  # noqa: ANN401 - a value of JSON
    return value if isinstance(value, str) else json.dumps(value)
