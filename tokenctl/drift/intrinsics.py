"""Resolves the functions of a deployed CloudFormation template, without asking a resource that may be gone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_SUBSTITUTED: Final = re.compile(r"\$\{([^}!]+)\}")

_ARNS: Final = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::Scheduler::ScheduleGroup": "scheduler:{region}:{account}:schedule-group/{name}",
}
"""The attribute `Arn` of each type, after `arn:` and the partition."""

_SAME_AS_REF: Final = {("AWS::SecretsManager::Secret", "Id"), ("AWS::SNS::Topic", "TopicArn")}
_LAST_PART: Final = {("AWS::Lambda::Version", "Version"), ("AWS::SQS::Queue", "QueueName")}
"""Attributes that are the last part of the physical id."""


class UnresolvedError(Exception):
    """The template uses a function, or an attribute, that is not known here."""


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """Resolves the functions of one stack's template."""

    pseudo: Mapping[str, str]
    """The values of `AWS::Region` and its like."""
    parameters: Mapping[str, Any]
    """The values of the template's parameters that are known."""
    types: Mapping[str, str]
    """The type of each resource, by logical id."""
    physical: Mapping[str, str]
    """The physical id of each resource, by logical id."""

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 - a part of a template
        """Return the value without functions; raises UnresolvedError."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
            if name.startswith("Fn::"):
                raise UnresolvedError(name)
        return {key: self.resolve(item) for key, item in value.items()}

    def ref(self, name: str) -> Any:  # noqa: ANN401 - a parameter may be a number
        """Return what `Ref` is: of a resource, its physical id."""
        for values in (self.pseudo, self.parameters, self.physical):
            if name in values:
                return values[name]
        raise UnresolvedError(name)

    def attribute(self, name: str, attribute: str) -> str:
        """Return what `Fn::GetAtt` is."""
        kind, physical = self.types.get(name, ""), str(self.ref(name))
        if (kind, attribute) in _SAME_AS_REF:
            return physical
        last = re.split("[:/]", physical)[-1]
        if (kind, attribute) in _LAST_PART:
            return last
        if attribute != "Arn" or kind not in _ARNS:
            raise UnresolvedError(f"{kind}.{attribute}")
        arn = _ARNS[kind].format(
            region=self.pseudo["AWS::Region"],
            account=self.pseudo["AWS::AccountId"],
            name=last if kind == "AWS::SQS::Queue" else physical,
        )
        return f"arn:{self.pseudo['AWS::Partition']}:{arn}"

    def substitute(self, text: str) -> str:
        """Return the text of `Fn::Sub` with its variables filled in."""
        return _SUBSTITUTED.sub(lambda found: self._variable(found[1]), text)

    def _variable(self, name: str) -> str:
        resource, _, attribute = name.partition(".")
        return self.attribute(resource, attribute) if attribute else str(self.ref(name))

    def _join(self, argument: Any) -> str:  # noqa: ANN401 - a part of a template
        separator, parts = argument
        return str(separator).join(map(str, self.resolve(parts)))

    def _select(self, argument: Any) -> Any:  # noqa: ANN401 - a part of a template
        index, items = argument
        return self.resolve(items)[int(index)]

    def _split(self, argument: Any) -> list[str]:  # noqa: ANN401 - a part of a template
        separator, text = argument
        return str(self.resolve(text)).split(separator)

    def _sub(self, argument: Any) -> str:  # noqa: ANN401 - a part of a template
        if isinstance(argument, str):
            return self.substitute(argument)
        raise UnresolvedError("Fn::Sub")


_FUNCTIONS: Final[Mapping[str, Callable[[Resolver, Any], Any]]] = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": lambda resolver, argument: resolver.attribute(*argument),
    "Fn::Join": Resolver._join,  # noqa: SLF001 - a table of the class's own methods
    "Fn::Select": Resolver._select,  # noqa: SLF001
    "Fn::Split": Resolver._split,  # noqa: SLF001
    "Fn::Sub": Resolver._sub,  # noqa: SLF001
}
