"""What takes messages from the queue of a fleet to the worker."""

from typing import Any, Final

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.template import DeployedTemplate, Resource

ENABLED: Final = frozenset({"Enabled", "Enabling", "Updating", "Creating"})
"""States of an event source mapping that takes messages, or will in a moment (Lambda API reference)."""

_DEFAULTS: Final = {
    "Enabled": True,
    "BatchSize": 10,
    "MaximumBatchingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
    "ScalingConfig": {},
    "FilterCriteria": {},
}
"""What UpdateEventSourceMapping sets, apart from the function, and what it is that the template does not mention."""


def _read(stack: DeployedTemplate, mapping: Resource) -> dict[str, Any] | None:
    answer = found(stack.target.aws.client("lambda").get_event_source_mapping, UUID=mapping.physical_id)
    if answer is None:
        return None
    named = {name: answer.get(name) for name in _DEFAULTS}
    return {
        **named,
        "FunctionName": answer["FunctionArn"].partition(":function:")[2],
        "Enabled": answer["State"] in ENABLED,
        "FilterCriteria": {key: value for key, value in (answer.get("FilterCriteria") or {}).items() if value},
    }


def _restore(stack: DeployedTemplate, change: Change) -> None:
    changed = {name: value for name, value in change.wanted.items() if change.touches(name)}
    stack.target.aws.client("lambda").update_event_source_mapping(UUID=change.resource.physical_id, **changed)


MAPPING: Final = Kind(
    type="AWS::Lambda::EventSourceMapping",
    read=_read,
    restore=_restore,
    settings=("FunctionName", *_DEFAULTS),
    defaults=_DEFAULTS,
    can_create=False,  # its id would be another one
)
