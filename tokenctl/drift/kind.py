"""What a kind of resource is: how it is read, and how it is restored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenctl.drift.differences import Difference
from tokenctl.drift.template import DeployedTemplate, Resource

Settings = Mapping[str, Any]
"""The settings of a resource, by their names in the template."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A resource that is not as its stack deployed it."""

    resource: Resource
    wanted: Settings
    gone: bool
    """Whether somebody has deleted the resource."""
    differences: tuple[Difference, ...]
    kind: "Kind"

    @property
    def restorable(self) -> bool:
        """Whether the resource can be restored without a deployment."""
        return not self.gone or self.kind.creates(self.resource)

    def touches(self, *names: str) -> bool:
        """Tell whether one of these settings differs, or the whole resource is gone."""
        return self.gone or any(difference.setting in names for difference in self.differences)

    @property
    def forbids(self) -> bool:
        """Whether it may keep the function or its schedule from working."""
        return self.touches(*self.kind.vital) if self.kind.vital else False

    def added(self, setting: str) -> list[str]:
        """Return the names of what somebody has added to a setting that should be empty."""
        return [name for difference in self.differences if difference.setting == setting for name in difference.now]


def _nothing_to_restore(_stack: DeployedTemplate, _change: Change) -> None:
    """Do nothing: such a resource has no settings that change, and is there or gone."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How the resources of one type are compared and restored. Errors are botocore's."""

    type: str
    read: Callable[[DeployedTemplate, Resource], Settings | None]
    """Returns the settings that the resource has now; None if it is gone."""
    restore: Callable[[DeployedTemplate, Change], None] = _nothing_to_restore
    settings: tuple[str, ...] = ()
    """What is compared."""
    defaults: Settings = field(default_factory=dict)
    """What those settings are that the template does not mention."""
    part_of: str = ""
    """The property that names the resource without which this one cannot be."""
    vital: tuple[str, ...] = ()
    """The settings whose change, or the loss of the resource, may keep the function or its schedule from working."""
    can_create: bool = True
    """Whether `restore` creates a resource that is gone."""
    backup: str = ""
    """The section of the runbook about the backup that has what was in such a resource, if it cannot be created."""

    def creates(self, _resource: Resource) -> bool:
        """Tell whether `restore` creates this resource if it is gone."""
        return self.can_create

    def wanted(self, resource: Resource) -> Settings:
        """Return the settings that the resource should have."""
        named = {name: resource.properties[name] for name in self.settings if name in resource.properties}
        return {**self.defaults, **named}


def found(call: Callable[..., Any], **parameters: Any) -> Any:  # noqa: ANN401 - boto3's answers
    """Return the answer; None if the service says that the thing does not exist."""
    from botocore.exceptions import ClientError

    try:
        return call(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if any(word in code for word in ("NotFound", "NoSuchEntity", "NonExistentQueue", "DoesNotExist")):
            return None
        raise
