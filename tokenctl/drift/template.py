"""The template that CloudFormation has deployed, with the physical names of its resources."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from tokenctl.drift.intrinsics import Resolver, UnresolvedError
from tokenctl.errors import ConfigurationError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.described_stack import read_template
from tokenctl.stack.once import Once
from tokenctl.stack.target import Target

_DIGITS: Final = re.compile(r"[0-9A-F]{8}([0-9a-f]{32})?$")
"""Of the path and, for a version of a function, of its code."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of the stack."""

    label: str
    """The logical id, without the digits that the CDK adds if no other resource is called the same then."""
    type: str
    physical_id: str
    properties: Mapping[str, Any]
    """As in the template, without its functions."""


class DeployedTemplate:
    """The template of a target's stack; it is read once."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @Once
    def body(self) -> Mapping[str, Any]:
        """The template. Raises ServiceError, and ConfigurationError if there is no stack to read it from."""
        if self.target.named_function is not None:
            raise ConfigurationError(
                f"Only the template of one of our stacks says what its resources should be like, and "
                f"{self.target.option} names none. Give --stage or, for a stack of your own, run `cdk deploy "
                "--revert-drift`."
            )
        return read_template(self.target.aws, self.target.stack_name)

    @Once
    def physical(self) -> Mapping[str, str]:
        """The physical id of each resource, by logical id."""
        client = self.target.aws.client("cloudformation")
        with translate_aws_errors():
            pages = client.get_paginator("list_stack_resources").paginate(StackName=self.target.stack_name)
            return {
                resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
                for page in pages
                for resource in page.get("StackResourceSummaries", [])
            }

    def physical_ids(self, kind: str) -> list[str]:
        """Return the physical ids of the resources of a type."""
        return [self.physical[name] for name, definition in self._definitions.items() if definition["Type"] == kind]

    @property
    def _definitions(self) -> Mapping[str, Any]:
        definitions: Mapping[str, Any] = self.body.get("Resources", {})
        return definitions

    @Once
    def resources(self) -> list[Resource]:
        """The resources of the stack that can be compared; `unresolved` has the others."""
        resolver, found = self._resolver(), []
        for name, definition in self._definitions.items():
            if name not in self.physical:
                continue  # its condition does not hold
            with suppress(UnresolvedError):
                properties = resolver.resolve(definition.get("Properties", {}))
                found.append(
                    Resource(
                        label=self._labels[name],
                        type=definition["Type"],
                        physical_id=self.physical[name],
                        properties=properties,
                    )
                )
        return found

    @property
    def unresolved(self) -> list[str]:
        """The labels of the resources whose definition says more than is understood here."""
        known = {resource.label for resource in self.resources}
        return [label for name, label in self._labels.items() if name in self.physical and label not in known]

    @Once
    def _labels(self) -> Mapping[str, str]:
        """The label of each resource, by logical id."""
        short = {name: _DIGITS.sub("", name) for name in self._definitions}
        used = Counter(short.values())
        return {name: label if used[label] == 1 else name for name, label in short.items()}

    def _resolver(self) -> Resolver:
        description = self.target.description
        _, partition, _, region, account, *_ = description["StackId"].split(":")
        pseudo = {
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::AccountId": account,
            "AWS::StackName": self.target.stack_name,
            "AWS::StackId": description["StackId"],
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }
        types = {name: definition["Type"] for name, definition in self._definitions.items()}
        parameters = dict(self._parameters(description.get("Parameters", ())))
        return Resolver(pseudo=pseudo, parameters=parameters, types=types, physical=self.physical)

    def _parameters(self, given: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, Any]]:
        """Yield the values of the parameters, except those that CloudFormation does not tell (`NoEcho`)."""
        definitions = self.body.get("Parameters", {})
        for parameter in given:
            name, value = parameter["ParameterKey"], parameter.get("ResolvedValue") or parameter["ParameterValue"]
            if not definitions.get(name, {}).get("NoEcho"):
                yield name, int(value) if definitions.get(name, {}).get("Type") == "Number" else value
