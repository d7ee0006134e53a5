"""`tokenctl repair`: restores what somebody has changed by hand, as the stack deployed it."""

from dataclasses import replace
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.checks.stack import DEPLOYED
from tokenctl.commands.doctor import print_what_is_left
from tokenctl.drift.differences import shown
from tokenctl.drift.drift import find_changes, not_compared, restore
from tokenctl.drift.kind import Change
from tokenctl.drift.template import DeployedTemplate
from tokenctl.errors import ConfigurationError, TokenctlError, UsageError
from tokenctl.stack.deploy_command import how_to_recreate
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm

SAMPLE: Final = [
    {
        "resource": "Schedule",
        "type": "AWS::Scheduler::Schedule",
        "gone": False,
        "settings": [{"setting": "State", "now": "DISABLED", "deployed": "ENABLED"}],
        "restored": True,
    }
]
"""The answer of the command, to test a query with."""

EXAMPLES: Final = """\b
Examples:
  tokenctl repair --stage prod
  tokenctl repair --stage prod --dry-run
  tokenctl repair --stage prod --only Schedule --only RefreshLive --yes
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--only", metavar="RESOURCE", multiple=True, help="Restore only this resource. May be repeated.")
@click.option("--dry-run", is_flag=True, help="Only show what differs.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@output_options
def repair(*, target: Target, only: tuple[str, ...], dry_run: bool, yes: bool, output: Output) -> None:
    """Restore what somebody has changed by hand: schedule, alias, function, roles, alarms, queue and more.

    Compares the template that was deployed with what is there, shows what differs, asks, restores it, and runs
    the checks of the doctor. Leaves the secrets' values alone, and whatever the template does not mention.
    """
    output.check("repair", SAMPLE)
    stack = DeployedTemplate(target)
    _require_stable(stack)
    changes = _chosen(find_changes(stack), only)
    possible = [change for change in changes if not change.gone or change.kind.can_create]
    if not output.is_structured:
        click.echo("\n".join(map(_described, changes)) or "Everything is as the stack deployed it.")
        if unknown := not_compared(stack):
            click.echo(f"Not compared: {', '.join(unknown)}.")
    if possible and not dry_run:
        confirm(f"This restores {', '.join(change.resource.label for change in possible)}.", yes=yes)
        for change in restore(stack, possible):
            if not output.is_structured:
                click.echo(f"Restored {change.resource.label}.")
    if output.is_structured:
        output.print("repair", [_document(change, restored=change in possible and not dry_run) for change in changes])
    elif changes and not dry_run:
        print_what_is_left(replace(target), output)  # a copy remembers nothing of what was there before
    if lost := [change.resource.label for change in changes if change not in possible]:
        raise TokenctlError(f"Only a deployment creates {', '.join(lost)} again. To do so: {how_to_recreate(target)}.")


def _require_stable(stack: DeployedTemplate) -> None:
    _ = stack.body  # which refuses a target without a stack
    state = stack.target.description["StackStatus"]
    if state not in {*DEPLOYED, "UPDATE_ROLLBACK_COMPLETE"}:
        raise ConfigurationError(
            f"{stack.target.stack_name} is {state}, so its template may not be what is deployed. `tokenctl doctor "
            f"{stack.target.option}` says what to do first."
        )


def _chosen(changes: list[Change], only: tuple[str, ...]) -> list[Change]:
    labels = [change.resource.label for change in changes]
    if unknown := [name for name in only if name not in labels]:
        raise UsageError(
            f"{len(unknown)} of the resources that --only names {'is' if len(unknown) == 1 else 'are'} as deployed, or "
            f"unknown. What differs: {', '.join(labels) or 'nothing'}."
        )
    return [change for change in changes if not only or change.resource.label in only]


def _described(change: Change) -> str:
    if change.gone:
        return f"{change.resource.label} is gone."
    return "\n".join(f"{change.resource.label}  {difference}" for difference in change.differences)


def _document(change: Change, *, restored: bool) -> dict[str, Any]:
    return {
        "resource": change.resource.label,
        "type": change.resource.type,
        "gone": change.gone,
        "settings": [
            {"setting": ".".join(each.path), "now": shown(each, each.now), "deployed": shown(each, each.wanted)}
            for each in change.differences
        ],
        "restored": restored,
    }
