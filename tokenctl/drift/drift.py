"""Finds out what is not as the stack deployed it, and restores it."""

from collections.abc import Iterator
from functools import partial

from tokenctl.drift.differences import differences
from tokenctl.drift.kind import Change, Kind
from tokenctl.drift.table import IMMUTABLE, KINDS
from tokenctl.drift.template import DeployedTemplate, Resource
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.side_by_side import side_by_side


def find_changes(stack: DeployedTemplate) -> list[Change]:
    """Return what differs from the template, in the order in which it is to be restored.

    Raises:
        ServiceError, ConfigurationError: something cannot be read.

    """
    kinds = {kind.type: kind for kind in KINDS}
    tasks = {
        resource.label: partial(_compare, stack, resource, kinds[resource.type])
        for resource in stack.resources
        if resource.type in kinds
    }

    def late(seconds: float) -> Change | None:
        raise TokenctlError(f"No answer within {seconds:g} seconds. Check the network, and run the command again.")

    changes = [change for _, change in side_by_side(tasks, late=late) if change is not None]
    order = [kind.type for kind in KINDS]
    return sorted(changes, key=lambda change: (order.index(change.resource.type), change.resource.label))


def not_compared(stack: DeployedTemplate) -> list[str]:
    """Return the labels of the resources about which `find_changes` says nothing."""
    types = {kind.type for kind in KINDS} | IMMUTABLE
    return [*(each.label for each in stack.resources if each.type not in types), *stack.unresolved]


def _compare(stack: DeployedTemplate, resource: Resource, kind: Kind) -> Change | None:
    wanted = kind.wanted(resource)
    with translate_aws_errors():
        live = kind.read(stack, resource)
    found = () if live is None else differences(wanted, live)
    if live is not None and not found:
        return None
    return Change(resource=resource, kind=kind, wanted=wanted, gone=live is None, differences=found)


def restore(stack: DeployedTemplate, changes: list[Change]) -> Iterator[Change]:
    """Restore one after the other, and yield each when it is done. Raises ServiceError."""
    for change in changes:
        with translate_aws_errors():
            change.kind.restore(stack, change)
        yield change
