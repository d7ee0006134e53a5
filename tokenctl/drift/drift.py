"""Finds out what is not as the stack deployed it, and restores it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from tokenctl.drift.differences import differences
from tokenctl.drift.kind import Change, Kind
from tokenctl.drift.table import KINDS
from tokenctl.drift.template import DeployedTemplate, Resource
from tokenctl.errors import NONSENSE, TokenctlError, no_sense
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.side_by_side import side_by_side

_KINDS: Final = {kind.type: kind for kind in KINDS}
_ORDER: Final = [*_KINDS]


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A resource that could not be compared."""

    resource: Resource
    why: str
    """One or more sentences."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was found, in the order in which it is to be restored."""

    changes: list[Change]
    unread: list[Unread]


def comparable(stack: DeployedTemplate) -> list[Resource]:
    """Return the resources that `compare` can compare."""
    return [resource for resource in stack.resources if resource.type in _KINDS]


def not_compared(stack: DeployedTemplate) -> list[str]:
    """Return the labels of the resources about which `compare` says nothing."""
    return [*(each.label for each in stack.resources if each.type not in _KINDS), *stack.unresolved]


def compare(stack: DeployedTemplate, labels: Collection[str] = (), *, limit: float | None = None) -> Comparison:
    """Compare the resources that have these labels, by default all, with the template. Reads no other resource.

    `limit` is in seconds, that of `side_by_side` by default.

    Raises:
        ServiceError, ConfigurationError: the template cannot be read.

    """
    chosen = [resource for resource in comparable(stack) if not labels or resource.label in labels]
    chosen.sort(key=lambda resource: (_ORDER.index(resource.type), resource.label))
    tasks = {resource.label: partial(_compare, stack, resource, _KINDS[resource.type]) for resource in chosen}
    results = dict(side_by_side(tasks, late=_late, limit=limit))
    changes, unread = [], []
    for resource in chosen:
        result = results[resource.label]
        if isinstance(result, Change):
            changes.append(result)
        elif result is not None:
            unread.append(Unread(resource=resource, why=result))
    lost = {change.resource.physical_id for change in changes if not change.restorable}
    return Comparison(changes=[each for each in changes if not _belongs_to(lost, each)], unread=unread)


def _belongs_to(lost: Collection[str], change: Change) -> bool:
    """Tell whether the resource is a part of one of these, which a deployment creates again with all parts."""
    return change.resource.properties.get(change.kind.part_of) in lost


def _late(seconds: float) -> str:
    return f"No answer within {seconds:g} seconds. Check the network, and run the command again."


def _compare(stack: DeployedTemplate, resource: Resource, kind: Kind) -> Change | str | None:
    """Return what differs: None if nothing does, and a text if the resource cannot be read."""
    wanted = kind.wanted(resource)
    try:
        with translate_aws_errors():
            live = kind.read(stack, resource)
    except TokenctlError as error:
        return str(error)
    except NONSENSE as error:
        return no_sense(error)
    found = () if live is None else differences(wanted, live)
    if live is not None and not found:
        return None
    return Change(resource=resource, kind=kind, wanted=wanted, gone=live is None, differences=found)


def restore(stack: DeployedTemplate, changes: list[Change]) -> Iterator[tuple[Change, str | None]]:
    """Restore one after the other; yield each when it is done, with the error if it could not be restored."""
    for change in changes:
        try:
            with translate_aws_errors():
                change.kind.restore(stack, change)
        except TokenctlError as error:
            yield change, str(error)
        else:
            yield change, None
