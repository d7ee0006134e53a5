"""YAML 1.2, which the AWS CLI v2 reads and writes; there, `yes` and `on` are text. PyYAML itself implements 1.1."""

import json
import re
from typing import Any, Final, TextIO

import yaml


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """The core schema of YAML 1.2 (chapter 10.3.2), plus the dates and merge keys that ruamel.yaml supports."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's
    bool_values: dict[str, bool] = {**yaml.SafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012 - PyYAML's

    def process_directives(self) -> Any:  # noqa: ANN401 - PyYAML's
        """Read the directives. `%YAML 1.1` asks for the older version, as in the AWS CLI."""
        found = super().process_directives()
        if self.yaml_version == (1, 1):
            self.yaml_implicit_resolvers = _Version11.yaml_implicit_resolvers
        elif self.yaml_version not in {None, (1, 2)}:
            raise yaml.parser.ParserError(problem="unknown version")
        return found

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401, FBT001, FBT002 - as PyYAML's
        """Return the mapping; a duplicate key is an error, as in the AWS CLI."""
        keys = [key.value for key, _ in node.value if isinstance(key.value, str)]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(problem="duplicate key")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class _Version11(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """YAML 1.1 with what PyYAML leaves out of it: `y` and `n`, and numbers such as `1e3`."""


_Version11.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]\Z"), list("yYnN"))
_Version11.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+\Z"), list("-+0123456789")
)

_INT: Final = r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)"
_NUMBER: Final = r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
_FLOAT: Final = rf"{_NUMBER}|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_TIME: Final = r"[Tt \t]+\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?"
_KINDS: Final = {
    "bool": ("true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (_INT, "-+0123456789"),
    "float": (_FLOAT, "-+0123456789."),
    "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]),
    "timestamp": (rf"\d{{4}}-\d\d-\d\d|\d{{4}}-\d\d?-\d\d?{_TIME}", "0123456789"),
    "merge": ("<<", "<"),
    "value": ("=", "="),
}
"""For each kind of plain scalar, its pattern and the characters that it may begin with."""

for _kind, (_pattern, _first) in _KINDS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # only built with libyaml
    """Quotes the text that _Loader would not read as text, and writes numbers as YAML 1.2 does."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    def represent_float(self, number: float) -> Any:  # noqa: ANN401 - a node of PyYAML
        """Represent a finite number without the fraction that YAML 1.1 needs before an exponent."""
        return self.represent_scalar("tag:yaml.org,2002:float", repr(number))


_Dumper.add_representer(float, _Dumper.represent_float)


def load(text: str | bytes) -> Any:  # noqa: ANN401 - any YAML
    """Parse the single document in `text`; raises ValueError."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError:
        pass
    raise ValueError("not YAML")


def dump(value: Any, stream: TextIO) -> None:  # noqa: ANN401 - any JSON
    """Write `value` as the AWS CLI does: in sorted blocks, or as JSON if it is a scalar."""
    if value is None or isinstance(value, str | int | float):
        stream.write(json.dumps(value, ensure_ascii=False) + "\n")
    else:
        yaml.dump(value, stream, _Dumper, default_flow_style=False, allow_unicode=True)
