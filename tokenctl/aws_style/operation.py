"""One operation of Amplify UI Builder as botocore's model describes it: its parameters, their check, samples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tokenctl.errors import UsageError, name

SERVICE: Final = "amplifyuibuilder"
_TYPES: Final = {str(str): "a string", str(dict): "a map"}
"""The types that the parameters of the two operations have, in botocore's words and in ours."""


@dataclass(frozen=True)
class Operation:
    """The operation called `name`, such as RefreshToken."""

    name: str

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 - the stubs know neither members nor metadata of a shape
        """Return botocore's OperationModel."""
        from botocore.loaders import Loader
        from botocore.model import ServiceModel

        return ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE).operation_model(self.name)

    @property
    def members(self) -> Mapping[str, Any]:
        """Return the shapes of the parameters."""
        members: Mapping[str, Any] = self.model.input_shape.members
        return members

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Hold the parameters against the model, with botocore's validator.

        Raises:
            UsageError: they do not fit. The faults are named without values.

        """
        from botocore.validate import ParamValidator

        faults: Any = ParamValidator().validate(parameters, self.model.input_shape)
        if faults.has_errors():
            told = "; ".join(_told(reason, where, more) for reason, where, more in faults._errors)  # noqa: SLF001 - its public report shows values
            raise UsageError(f"Parameter validation failed: {told}.")

    def secrets(self, parameters: Mapping[str, Any]) -> list[str]:
        """Return the values that the model calls sensitive."""
        return list(_secrets(self.model.input_shape, parameters))

    def input_skeleton(self) -> Mapping[str, Any]:
        """Return sample parameters."""
        from tokenctl.aws_style.aws_cli import ArgumentGenerator

        skeleton: Mapping[str, Any] = ArgumentGenerator().generate_skeleton(self.model.input_shape)
        return skeleton

    def sample_answer(self) -> Mapping[str, Any]:
        """Return a sample of the answer."""
        from tokenctl.aws_style.aws_cli import ArgumentGenerator

        shape = self.model.output_shape
        answer: Mapping[str, Any] = ArgumentGenerator(use_member_names=True).generate_skeleton(shape)
        return answer


def _told(reason: str, where: str, more: Mapping[str, Any]) -> str:
    place = where.removeprefix(".")
    inside = f" in {place}" if place else ""
    if reason == "missing required field":
        return f"`{more['required_name']}` is missing{inside}"
    if reason == "unknown field":
        return f"{name(more['unknown_param'])} is not known{inside}, known are {', '.join(more['valid_names'])}"
    if reason == "invalid type":
        return f"{place or 'the input'} must be {_TYPES.get(more['valid_types'][0], 'of another type')}"
    return f"{place or 'the input'} does not fit ({reason})"


def _secrets(shape: Any, value: object) -> Iterator[str]:  # noqa: ANN401 - botocore's shape
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for member, inner in shape.members.items():
            yield from _secrets(inner, value.get(member))
    elif shape.metadata.get("sensitive") and value is not None:
        yield str(value)
