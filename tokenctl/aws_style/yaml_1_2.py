"""YAML 1.2, which the AWS CLI v2 reads and writes; there, `yes` and `on` are text. PyYAML itself implements 1.1."""

import json
import re
from typing import Any, Final, TextIO

import yaml


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """The core schema of YAML 1.2 (chapter 10.3.2), plus the dates and merge keys that ruamel.yaml supports."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401, FBT001, FBT002 - as PyYAML's
        """Return the mapping; a duplicate key is an error, as in the AWS CLI."""
        keys = [key.value for key, _ in node.value if isinstance(key.value, str)]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(problem="duplicate key")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


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


class _Dumper(yaml.CSafeDumper):  # type: ignore[misc] # PyYAML has no types
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
