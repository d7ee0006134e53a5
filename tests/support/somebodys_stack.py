"""A stack of somebody else's app, as a template."""

from typing import Any

from aws_cdk import App, Stack


def template_of(stack: Stack) -> dict[str, Any]:
    """Return the template. Fails where a deployment would."""
    template: dict[str, Any] = App.of(stack).synth().get_stack_by_name(stack.stack_name).template  # type: ignore[union-attr]
    return template


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]
