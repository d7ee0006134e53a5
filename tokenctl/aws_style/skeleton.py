"""Skeletons to fill in for `--cli-input-json` and `--cli-input-yaml`, as `--generate-cli-skeleton` prints them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tokenctl.aws_style.operation import Operation

_TAG: Final = re.compile(r"<[^>]+>")


def input_json(operation: Operation) -> str:
    """Return the JSON skeleton, as the AWS CLI prints it."""
    from tokenctl.aws_style.aws_cli import json_encoder

    return json.dumps(operation.input_skeleton(), indent=4, default=json_encoder)


def input_yaml(operation: Operation) -> str:
    """Return the YAML skeleton, as the AWS CLI v2 prints it, with a comment on each parameter."""
    return "\n".join(_lines(operation.model.input_shape, operation.input_skeleton(), indent=""))


def _lines(shape: Any, skeleton: Mapping[str, Any], *, indent: str) -> Iterator[str]:  # noqa: ANN401 - botocore's shape
    gap = "  "
    for member, inner in shape.members.items():
        value = skeleton[member]
        nested = isinstance(value, Mapping)
        shown = "" if nested else f" {value}" if value else " ''"
        yield f"{indent}{member}:{shown}{gap}# {_comment(inner, required=member in shape.required_members)}"
        if nested:
            yield from _lines(inner, value, indent=f"{indent}  ")
        gap = " "  # the AWS CLI's YAML library puts two spaces before a map's first comment only


def _comment(shape: Any, *, required: bool) -> str:  # noqa: ANN401 - botocore's shape
    sentence = re.split(r"\.(?:\s|$)", _TAG.sub("", shape.documentation), maxsplit=1)[0]
    parts = ["[REQUIRED]"] if required else []
    parts.append(f"{sentence}.")
    if values := getattr(shape, "enum", None):
        parts.append(f"Valid values are: {', '.join(values)}.")
    return " ".join(parts)
