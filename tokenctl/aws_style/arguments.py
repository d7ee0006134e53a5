"""From the words of the command line to the operation's parameters, by the AWS CLI's rules.

Its own messages repeat what was given; ours name the parameter and the place, never a value.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from tokenctl.aws_style import aws_cli
from tokenctl.aws_style.yaml_1_2 import load
from tokenctl.errors import UsageError, name

FILES: Final = tuple(aws_cli.LOCAL_PREFIX_MAP)


def from_option(option: str, shape: Any, text: str) -> Any:  # noqa: ANN401 - botocore's shape, any JSON
    """Return the value of one parameter given as text, `file://`, JSON or shorthand.

    Raises:
        UsageError: it is none of these.

    """
    value = content(option, text)
    if shape.type_name != "structure":
        return value
    if not isinstance(value, str):
        raise _wrong(option, "fileb:// cannot be used here; use file://")
    if value.strip().startswith(("{", "[")):
        return _json(option, value)
    return _shorthand(option, shape, value)


def from_document(option: str, text: str) -> dict[str, Any]:
    """Return all parameters given as one document with `--cli-input-json` or `--cli-input-yaml`.

    Raises:
        UsageError: it is no document of that kind, or not a map.

    """
    document = _DOCUMENTS[option](option, content(option, text))
    if not isinstance(document, dict):
        raise _wrong(option, f"a map of parameters is expected{_meant_a_file(text)}")
    return document


def content(option: str, text: str) -> str | bytes:
    """Return the content of the file that a `file://` names, other text as it is; raises UsageError."""
    try:
        loaded = aws_cli.get_paramfile(text, aws_cli.LOCAL_PREFIX_MAP)
    except aws_cli.ResourceLoadingError as error:
        fault = _wrong(option, _unreadable(error))
    else:
        return text if loaded is None else loaded
    raise fault


def is_inline(text: str, secrets: list[str]) -> bool:
    """Tell whether one of the secrets that were read from this text stands in it: not in a file that it names."""
    if text.startswith(FILES):
        return False
    return any(secrets) if "@=" not in text else any(secret in text for secret in secrets if secret)


def _json(option: str, text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
    raise _wrong(option, f"this is not JSON{place}{_meant_a_file(text)}")


def _yaml(option: str, text: str | bytes) -> Any:  # noqa: ANN401 - any YAML
    try:
        return load(text)
    except (ValueError, RecursionError):
        pass
    raise _wrong(option, f"this is not YAML{_meant_a_file(text)}")


def _meant_a_file(text: str | bytes) -> str:
    """Return a hint where a file's name seems to stand in the place of its content."""
    looks_so = isinstance(text, str) and text.endswith((".json", ".yaml", ".yml"))
    return "; to read a file, give file://<path>" if looks_so else ""


def _shorthand(option: str, shape: Any, text: str) -> Any:  # noqa: ANN401 - botocore's shape
    try:
        parsed = aws_cli.ShorthandParser().parse(text)
        aws_cli.BackCompatVisitor().visit(parsed, shape)
    except aws_cli.ShorthandParseSyntaxError as error:
        fault = f"expected {error.expected!r} at character {error.index + 1} of the shorthand"
    except aws_cli.DuplicateKeyInObjectError as error:
        fault = f"{name(error.key)} stands twice in the shorthand"
    except aws_cli.ResourceLoadingError as error:
        raise _wrong(option, _unreadable(error)) from None
    except aws_cli.ShorthandParseError:
        fault = "this is not shorthand"
    else:
        return parsed
    raise _wrong(option, f"{fault}. Put a value that holds a comma or a quote into quotes, or give JSON or file://")


def _unreadable(error: Exception) -> str:
    """Say why a file cannot be read, without its name: what stands after file:// may be a value."""
    fault = error.__context__
    if isinstance(fault, OSError):
        return f"the file that stands after file:// cannot be read ({fault.strerror})"
    if isinstance(fault, UnicodeError):
        return "the file that stands after file:// is not UTF-8 text"
    return "what stands after file:// cannot be read"


def _wrong(option: str, why: str) -> UsageError:
    return UsageError(f"Error parsing parameter '{option}': {why}.")


_DOCUMENTS: Final[Mapping[str, Callable[[str, str | bytes], Any]]] = {
    "--cli-input-json": _json,
    "--cli-input-yaml": _yaml,
}
