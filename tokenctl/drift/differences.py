"""Compares the settings that a resource should have with those that it has."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_LENGTH: Final = 120
"""Characters of a value that are shown."""

_HIDDEN: Final = frozenset({"Variables", "Input", "Value", "DashboardBody", "Endpoint"})
"""Settings whose values are never shown: somebody may have put a secret there."""


class _Complete(dict[str, Any]):
    """A mapping in which nothing else may be, such as the statements of a policy."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One setting that is not as it was deployed."""

    path: tuple[str, ...]
    now: Any
    wanted: Any

    @property
    def setting(self) -> str:
        """The setting of the resource of which this is a part."""
        return self.path[0]

    def __str__(self) -> str:
        """Return the path and both values, unless one may be a secret."""
        path = ".".join(self.path)
        return path if self.is_secret else f"{path}: {_text(self.now)} -> {_text(self.wanted)}"

    @property
    def is_secret(self) -> bool:
        """Whether a value may be a secret, and is never shown."""
        return bool(_HIDDEN & {*self.path, *_names_in(self.now), *_names_in(self.wanted)})


def _names_in(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        yield from value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _names_in(each)


def differences(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return where `live` differs from `wanted`. Settings that `wanted` does not have don't count."""
    return tuple(_differences(_normal("", dict(wanted)), _normal("", dict(live)), ()))


def shown(difference: Difference, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the value for a report: None instead of what may be a secret."""
    return None if difference.is_secret else value


def _differences(wanted: Any, live: Any, path: tuple[str, ...]) -> Iterator[Difference]:  # noqa: ANN401 - JSON
    if isinstance(wanted, dict) and isinstance(live, dict) and (wanted or not path):
        for name in sorted({*wanted, *live} if isinstance(wanted, _Complete) else wanted):
            yield from _differences(wanted.get(name), live.get(name), (*path, name))
    elif not _equal(wanted, live):
        yield Difference(path=path, now=live, wanted=wanted)


def _equal(wanted: Any, live: Any) -> bool:  # noqa: ANN401 - JSON
    if _is_empty(wanted) or _is_empty(live):
        return _is_empty(wanted) and _is_empty(live)
    if isinstance(wanted, list) and isinstance(live, list):
        return len(wanted) == len(live) and all(
            any(not [*_differences(item, other, ())] for other in live) for item in wanted
        )
    return bool(wanted == live) or str(wanted) == str(live)  # CloudFormation takes numbers as text


def _is_empty(value: Any) -> bool:  # noqa: ANN401 - JSON
    return value is None or value in ("", [], {})


def _normal(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the value with each policy as its statements by name, in one spelling."""
    if isinstance(value, list):
        return [_normal("", item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "Statement" in value:
        return _statements(value["Statement"])
    inside = {key: _normal(key, item) for key, item in value.items()}
    return _Complete(inside) if name == "Variables" else inside


def _statements(found: Any) -> _Complete:  # noqa: ANN401 - JSON
    statements = sorted(found if isinstance(found, list) else [found], key=_spelling)
    return _Complete(
        {statement.get("Sid") or f"statement {at}": _spelling(statement) for at, statement in enumerate(statements, 1)}
    )


def _spelling(statement: Mapping[str, Any]) -> str:
    """Return a statement as text: lists sorted, a list of one as the one, everybody as `*`."""

    def same(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, Mapping):
            return "*" if value == {"AWS": "*"} else {key: same(item) for key, item in value.items()}
        if isinstance(value, list):
            return same(value[0]) if len(value) == 1 else sorted(map(str, value))
        return value

    return json.dumps({key: same(item) for key, item in statement.items() if key != "Sid"}, sort_keys=True)


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    if _is_empty(value):
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."
