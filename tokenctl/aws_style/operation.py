"""An operation of Amplify UI Builder as botocore's model describes it: its parameters, their validation, samples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tokenctl.errors import UsageError, quoted_name

SERVICE: Final = "amplifyuibuilder"
_TYPES: Final = {str(str): "a string", str(dict): "a map"}
"""The types of the two operations' parameters: botocore's words, then ours."""


@dataclass(frozen=True)
class Operation:
    """The operation called `name`, such as RefreshToken."""

    name: str

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 - the stubs know neither members nor metadata of a shape
        """The OperationModel that botocore has of it."""
        from botocore.loaders import Loader
        from botocore.model import ServiceModel

        return ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE).operation_model(self.name)

    @property
    def members(self) -> Mapping[str, Any]:
        """The shapes of the parameters, by name."""
        members: Mapping[str, Any] = self.model.input_shape.members
        return members

    def validate(self, parameters: Mapping[str, Any]) -> None:
        """Validate the parameters with botocore's validator; raises UsageError, which shows no values."""
        from botocore.validate import ParamValidator

        report: Any = ParamValidator().validate(parameters, self.model.input_shape)
        if report.has_errors():
            errors = report._errors  # noqa: SLF001 - botocore's public report shows values
            faults = "; ".join(_fault(reason, path, details) for reason, path, details in errors)
            raise UsageError(f"Parameter validation failed: {faults}.")

    def without_empty_options(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters without the optional texts that are empty, as a skeleton has them."""
        return _without_empty_options(self.model.input_shape, parameters)

    def secrets_in(self, parameters: Mapping[str, Any]) -> list[str]:
        """Return the values of the parameters that the model marks as sensitive."""
        return list(_sensitive_values(self.model.input_shape, parameters))

    def input_skeleton(self) -> Mapping[str, Any]:
        """Return sample parameters."""
        from tokenctl.aws_style.aws_cli import ArgumentGenerator

        skeleton: Mapping[str, Any] = ArgumentGenerator().generate_skeleton(self.model.input_shape)
        return skeleton

    def likely_answer(self) -> Mapping[str, Any]:
        """Return a sample answer with numbers as they really are, to test a query and a format with."""
        return {name: value or 7_776_000 for name, value in self.sample_answer().items()}

    def sample_answer(self) -> Mapping[str, Any]:
        """Return a sample answer."""
        from tokenctl.aws_style.aws_cli import ArgumentGenerator

        shape = self.model.output_shape
        answer: Mapping[str, Any] = ArgumentGenerator(use_member_names=True).generate_skeleton(shape)
        return answer


def _fault(reason: str, path: str, details: Mapping[str, Any]) -> str:
    place = path.removeprefix(".")
    inside = f" in {place}" if place else ""
    if reason == "missing required field":
        return f"`{details['required_name']}` is missing{inside}"
    if reason == "unknown field":
        known = ", ".join(details["valid_names"])
        return f"{quoted_name(details['unknown_param'])} is not known{inside}; the known ones are {known}"
    if reason == "invalid type":
        return f"{place or 'the input'} must be {_TYPES.get(details['valid_types'][0], 'of another type')}"
    return f"{place or 'the input'} does not fit ({reason})"


def _without_empty_options(shape: Any, value: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - botocore's shape
    return {
        member: _without_empty_options(shape.members[member], inner) if isinstance(inner, Mapping) else inner
        for member, inner in value.items()
        if not (inner == "" and member not in shape.required_members)
    }


def _sensitive_values(shape: Any, value: object) -> Iterator[str]:  # noqa: ANN401 - botocore's shape
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for member, inner in shape.members.items():
            yield from _sensitive_values(inner, value.get(member))
    elif shape.metadata.get("sensitive") and value is not None:
        yield str(value)
