"""Turns the words of the command line into an operation's parameters, by the AWS CLI's rules.

The AWS CLI's messages repeat the values. Ours name the parameter and the position, but never a value.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from tokenctl.aws_style import aws_cli
from tokenctl.aws_style.yaml_1_2 import load
from tokenctl.errors import UsageError, quoted_name

FILE_PREFIXES: Final = tuple(aws_cli.LOCAL_PREFIX_MAP)


def parse_option(option: str, shape: Any, text: str) -> Any:  # noqa: ANN401 - botocore's shape, any JSON
    """Return the value of one parameter, written as text, `file://`, JSON or shorthand; raises UsageError."""
    value = load_text(option, text)
    if shape.type_name != "structure":
        return value
    if not isinstance(value, str):
        raise _parse_error(option, "fileb:// cannot be used here; use file://")
    if value.strip().startswith(("{", "[")):
        return _json(option, value)
    return _shorthand(option, shape, value)


def parse_document(option: str, text: str) -> dict[str, Any]:
    """Return all parameters from the document of `--cli-input-json` or `--cli-input-yaml`; raises UsageError."""
    document = _DOCUMENTS[option](option, load_text(option, text))
    if not isinstance(document, dict):
        raise _parse_error(option, f"expected a map of parameters{_file_hint(text)}")
    return document


def load_text(option: str, text: str) -> str | bytes:
    """Return the content of the file if `text` is `file://<path>`, else the text itself; raises UsageError."""
    try:
        loaded = aws_cli.get_paramfile(text, aws_cli.LOCAL_PREFIX_MAP)
    except aws_cli.ResourceLoadingError as error:
        fault = _parse_error(option, _unreadable_file(error))
    else:
        return text if loaded is None else loaded
    raise fault


def is_inline(text: str, secrets: list[str]) -> bool:
    """Tell whether the text itself contains one of the secrets that were read from it, rather than a file's name."""
    if text.startswith(FILE_PREFIXES):
        return False
    return any(secrets) if "@=" not in text else any(secret in text for secret in secrets if secret)


def _json(option: str, text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
    raise _parse_error(option, f"this is not JSON{place}{_file_hint(text)}")


def _yaml(option: str, text: str | bytes) -> Any:  # noqa: ANN401 - any YAML
    try:
        return load(text)
    except (ValueError, RecursionError):
        pass
    raise _parse_error(option, f"this is not YAML{_file_hint(text)}")


def _file_hint(text: str | bytes) -> str:
    """Return a hint if the text looks like a file's name instead of its content."""
    is_name = isinstance(text, str) and text.endswith((".json", ".yaml", ".yml"))
    return "; to read a file, give file://<path>" if is_name else ""


def _shorthand(option: str, shape: Any, text: str) -> Any:  # noqa: ANN401 - botocore's shape
    try:
        parsed = aws_cli.ShorthandParser().parse(text)
        aws_cli.BackCompatVisitor().visit(parsed, shape)
    except aws_cli.ShorthandParseSyntaxError as error:
        fault = f"expected {error.expected!r} at character {error.index + 1} of the shorthand"
    except aws_cli.DuplicateKeyInObjectError as error:
        fault = f"{quoted_name(error.key)} is given twice in the shorthand"
    except aws_cli.ResourceLoadingError as error:
        raise _parse_error(option, _unreadable_file(error)) from None
    except aws_cli.ShorthandParseError:
        fault = "the value is not valid shorthand"
    else:
        return parsed
    raise _parse_error(option, f"{fault}. Quote a value that contains a comma or a quote, or give JSON or file://")


def _unreadable_file(error: Exception) -> str:
    """Say why a file cannot be read, without its name: what follows file:// may be a misplaced value."""
    cause = error.__context__
    if isinstance(cause, OSError):
        return f"the file after file:// cannot be read ({cause.strerror})"
    if isinstance(cause, UnicodeError):
        return f"the file after file:// is not {os.environ.get('AWS_CLI_FILE_ENCODING') or 'UTF-8'} text"
    if isinstance(cause, LookupError):
        return "AWS_CLI_FILE_ENCODING does not name an encoding"
    return "the file after file:// cannot be read"


def _parse_error(option: str, why: str) -> UsageError:
    return UsageError(f"Error parsing parameter '{option}': {why}.")


_DOCUMENTS: Final[Mapping[str, Callable[[str, str | bytes], Any]]] = {
    "--cli-input-json": _json,
    "--cli-input-yaml": _yaml,
}
