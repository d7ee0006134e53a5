"""Checks requests against botocore's own service model of Amplify UI Builder."""

import json
import re
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, StructureShape
from botocore.validate import ParamValidator
from werkzeug import Request

SERVICE = "amplifyuibuilder"
_MODEL = ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/(?P<service>[a-z0-9-]+)/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}"
)


class AwsError(Exception):
    """An error that an AWS service answers: HTTP status, error type, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def parameters(operation: str, provider: str, request: Request) -> dict[str, Any]:
    """Return the members of the operation's body.

    Raises `AwsError` if the request is not signed or does not match the model. No message shows a value.
    """
    _check_signature(request)
    # The type stubs do not describe the input of these operations.
    shape: Any = _MODEL.operation_model(operation).input_shape
    if provider not in shape.members["provider"].enum:
        valid = ", ".join(shape.members["provider"].enum)
        raise _invalid(f"provider: the only valid value is {valid}")
    payload: str = shape.serialization["payload"]
    return _checked(payload, shape.members[payload], _json_object(payload, request))


def _check_signature(request: Request) -> None:
    """Check the form of Signature Version 4, but not the signature itself: no real secret key exists."""
    header = request.headers.get("Authorization")
    if not header:
        raise AwsError(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(header)
    if not match:
        raise AwsError(403, "IncompleteSignatureException", "The Authorization header is not Signature Version 4")
    if match["service"] != SERVICE:
        raise AwsError(403, "InvalidSignatureException", f"Credential should be scoped to correct service: '{SERVICE}'")


def _json_object(payload: str, request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise AwsError(400, "SerializationException", "The body is not JSON") from None
    if not isinstance(body, dict):
        raise _invalid(f"{payload} must be a JSON object")
    return body


def _checked(payload: str, shape: StructureShape, body: dict[str, Any]) -> dict[str, Any]:
    for name in body:
        if name not in shape.members:
            raise _invalid(f"{payload} has an unknown member {name!r}")
    for name in shape.required_members:
        if name not in body:
            raise _invalid(f"{payload}.{name} is required")
    for name, value in body.items():
        if ParamValidator().validate(value, shape.members[name]).has_errors():
            raise _invalid(f"{payload}.{name} must be a {shape.members[name].type_name}")
    return body


def _invalid(message: str) -> AwsError:
    return AwsError(400, "InvalidParameterException", message)
