"""`tokenctl repair`: restores what somebody has changed by hand, as the stack deployed it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.checks.stack import DEPLOYED
from tokenctl.commands.doctor import print_what_is_left
from tokenctl.drift.differences import shown
from tokenctl.drift.drift import Comparison, comparable, compare, not_compared, restore
from tokenctl.drift.kind import Change
from tokenctl.drift.template import DeployedTemplate, Resource
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.stack.deploy_command import how_to_recreate
from tokenctl.stack.side_by_side import in_time
from tokenctl.stack.target import Target
from tokenctl.stack.verdict import Health
from tokenctl.terminal.confirm import confirm

SAMPLE: Final = [
    {
        "resource": "Schedule",
        "type": "AWS::Scheduler::Schedule",
        "gone": False,
        "settings": [{"setting": "State", "now": "DISABLED", "deployed": "ENABLED"}],
        "restored": True,
        "error": None,
    }
]
"""The answer of the command, to test a query with."""

MENDED: Final = 0
DIFFERS: Final = 1
"""Differences were found, or may be there, and are left."""
BROKEN: Final = 2
"""Something could not be restored, or the verdict is DEAD."""

EXAMPLES: Final = """\b
Examples:
  tokenctl repair --stage prod
  tokenctl repair --stage prod --dry-run
  tokenctl repair --stage prod --only Schedule --only RefreshLive --yes

\b
Exit codes: 0 nothing differs any more, 1 --dry-run found differences or something could not be compared,
2 something could not be restored or the verdict is DEAD.
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--only", metavar="RESOURCE", multiple=True, help="Compare and restore only this one. May be repeated.")
@click.option("--dry-run", is_flag=True, help="Only show what differs.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@output_options
def repair(*, target: Target, only: tuple[str, ...], dry_run: bool, yes: bool, output: Output) -> int:
    """Restore what somebody has changed by hand: schedule, alias, function, roles, alarms, queue and more.

    Compares the template that was deployed with what is there, shows what differs, asks, restores it, and runs
    the checks of the doctor. Leaves the secrets' values alone, and whatever the template does not mention.
    """
    output.check("repair", SAMPLE)
    stack = DeployedTemplate(target)
    in_time(partial(_require_stable, stack))
    _require_names(stack, only)
    compared = compare(stack, only)
    tell = partial(click.echo, err=output.is_structured)  # what a person has to see before the question
    for line in _report(stack, compared, only):
        tell(line)
    possible = [change for change in compared.changes if change.restorable]
    errors: dict[str, str | None] = {}
    if possible and not dry_run:
        confirm(f"This restores {_labels(possible)}.", yes=yes)
        for change, error in restore(stack, possible):
            label = change.resource.label
            errors[label] = error
            tell(f"{label} could not be restored: {error}" if error else f"Restored {label}.")
    if output.is_structured:
        output.print("repair", [*_documents(compared, errors)])
    if dry_run or not compared.changes:
        return DIFFERS if compared.changes or compared.unread else MENDED
    verdict = print_what_is_left(replace(target), output)  # a copy remembers nothing of what was there before
    if len(possible) < len(compared.changes) or any(errors.values()) or verdict.health is Health.DEAD:
        return BROKEN
    return DIFFERS if compared.unread else MENDED


def _require_stable(stack: DeployedTemplate) -> None:
    target = stack.target
    if target.named_function is None:
        _ = target.description  # which knows what to say about a stack that is not there
    _ = stack.body  # which refuses a target without a stack
    _ = stack.resources
    state = target.description["StackStatus"]
    if state not in {*DEPLOYED, "UPDATE_ROLLBACK_COMPLETE"}:
        raise ConfigurationError(
            f"{target.stack_name} is {state}, so its template may not be what is deployed. `tokenctl doctor "
            f"{target.option}` says what to do first."
        )


def _require_names(stack: DeployedTemplate, only: tuple[str, ...]) -> None:
    labels = [resource.label for resource in comparable(stack)]
    if unknown := [name for name in only if name not in labels]:
        raise UsageError(
            f"{len(unknown)} of the names given with --only {'is' if len(unknown) == 1 else 'are'} none of a resource "
            f"that can be compared. Those are: {', '.join(sorted(labels))}."
        )


def _report(stack: DeployedTemplate, compared: Comparison, only: tuple[str, ...]) -> Iterator[str]:
    for change in compared.changes:
        label = change.resource.label
        yield from (f"{label}  {difference}" for difference in change.differences)
        if change.gone:
            yield f"{label} is gone."
    for unread in compared.unread:
        yield f"{unread.resource.label} could not be compared: {unread.why}"
    if not compared.changes:
        what = ("What --only names" if only else "Everything") if not compared.unread else "The rest"
        yield f"{what} is as the stack deployed it."
    if not only and (unknown := not_compared(stack)):
        yield f"Not compared: {', '.join(unknown)}."
    lost = [change for change in compared.changes if not change.restorable]
    if deployed := [change for change in lost if not change.kind.backup]:
        deploy = how_to_recreate(stack.target)
        yield f"Only a deployment creates {_labels(deployed)} again. To do so: {deploy}, then repair again."
    for change in lost:
        if section := change.kind.backup:
            yield f"Only its backup brings {change.resource.label} back: see `{section}` in docs/runbook.md."


def _labels(changes: list[Change]) -> str:
    return ", ".join(change.resource.label for change in changes)


def _documents(compared: Comparison, errors: Mapping[str, str | None]) -> Iterator[dict[str, Any]]:
    for change in compared.changes:
        label = change.resource.label
        yield {
            **_names(change.resource),
            "gone": change.gone,
            "settings": [
                {"setting": ".".join(each.path), "now": shown(each, each.now), "deployed": shown(each, each.wanted)}
                for each in change.differences
            ],
            "restored": label in errors and errors[label] is None,
            "error": errors.get(label) if change.restorable else _only(change),
        }
    for unread in compared.unread:
        yield {**_names(unread.resource), "gone": False, "settings": [], "restored": False, "error": unread.why}


def _only(change: Change) -> str:
    return "Only its backup brings it back." if change.kind.backup else "Only a deployment creates it again."


def _names(resource: Resource) -> dict[str, str]:
    return {"resource": resource.label, "type": resource.type}
