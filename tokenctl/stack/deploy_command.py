"""How to deploy or restore a stack, with the settings that it was given on the command line, which no file has."""

import json
import shlex
from typing import Any

from refresh_token.signals import SETTINGS_RECORD, STACK_PREFIX
from tokenctl.errors import TokenctlError
from tokenctl.stack.described_stack import read_template
from tokenctl.stack.target import Target


def how_to_deploy(target: Target, *options: str) -> str:
    """Return the command for a stage of our app; without its recorded settings if the operator may not read them.

    Only its owner knows what deployed any other stack.
    """
    given = _given(target)
    if given is None:
        return "deploy it again as you did before"
    stage = target.stack_name.removeprefix(STACK_PREFIX)
    return f"`{' '.join([f'cdk deploy -c stage={stage}', *given, *options])}`"


def how_to_recreate(target: Target) -> str:
    """Return how to bring back what only a deployment creates; a plain one does not see that it is gone."""
    if _given(target) is None:
        return "deploy it again and revert its drift, see `What somebody changed by hand` in docs/runbook.md"
    return how_to_deploy(target, "--revert-drift")


def how_to_restore(target: Target) -> str:
    """Return how to restore what somebody has changed by hand."""
    is_ours = target.named_function is None and target.fleet_function is None
    return f"`tokenctl repair {target.stack_option}`" if is_ours else how_to_recreate(target)


def _given(target: Target) -> list[str] | None:
    """Return the recorded settings as options; None if our app has not deployed the stack."""
    if target.named_function is not None or target.fleet_function is not None:
        return None
    try:
        template = read_template(target.aws, target.stack_name)
    except TokenctlError:
        template = {}
    match template.get("Metadata", {}).get(SETTINGS_RECORD):
        case {"settings": dict() as values, "given": list() as given}:
            return [f"-c {key}={shlex.quote(_text(values.get(key, '...')))}" for key in given]
    return None if target.named_stack or "Resources" in template else []


def _text(value: Any) -> str:  # noqa: ANN401 - a value of JSON
    return value if isinstance(value, str) else json.dumps(value)
