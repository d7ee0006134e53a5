"""What a command prints as JSON, in Markdown, from the command's schema in `tokenctl/schemas`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.markdown import table

SCHEMAS: Final = Path(__file__).resolve().parent.parent / "tokenctl" / "schemas"
_KINDS: Final = {
    "string": "text",
    "integer": "a number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}

_Schema = Mapping[str, Any]


def named(command: str) -> _Schema | None:
    """Return the schema of a command, None if it has none."""
    file = SCHEMAS / f"{command}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def of_command(command: str) -> str:
    """Return the tables of what a command prints; empty if it prints no JSON."""
    schema = named(command)
    return keys_tables(schema) if schema else ""


def keys_tables(schema: _Schema) -> str:
    """Return a table of the keys, or one for each form of the answer that has a title.

    A dot stands before the keys of an object in an object, and `[]` after a list.
    """
    forms = [
        (f"`{form['title']}`:\n\n" if "title" in form and form is not schema else "") + _table(_keys(form, ""))
        for form in _variants(schema)
    ]
    shared = [f"{about['description']}:\n\n{_table(_keys(about, ''))}" for about in schema.get("$defs", {}).values()]
    return "\n\n".join([*forms, *shared])


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return table(("key", "what it is"), ((f"`{key}`", said) for key, said in rows))


def _keys(schema: _Schema, prefix: str) -> Iterator[tuple[str, str]]:
    for variant in _variants(schema):
        for key, about in variant.get("properties", {}).items():
            below = list(_keys(about, f"{prefix}{key}."))
            if not below or "description" in about:
                yield f"{prefix}{key}", _said(about, optional=key not in variant.get("required", ()))
            yield from below
        if "items" in variant:
            yield from _keys(variant["items"], f"{prefix.removesuffix('.')}[]." if prefix else "")


def _variants(schema: _Schema) -> list[_Schema]:
    return [each for key in ("anyOf", "oneOf") for each in schema.get(key, ())] or [schema]


def _said(about: _Schema, *, optional: bool) -> str:
    """Return what a key is: its values and its description, or its kind if it has neither."""
    variants = _variants(about)
    values = [value for each in variants for value in each.get("enum", ())]
    kinds = [kind for each in variants for kind in _list(each.get("type", ()))]
    kind = "a time" if any("format" in each for each in variants) else _KINDS.get(next(iter(kinds), ""), "")
    described = next((each["description"] for each in (about, *variants) if "description" in each), "")
    choice = ", ".join(f"`{value}`" for value in values if value is not None)
    said = "; ".join(filter(None, (choice, described))) or kind
    nullable = "null" in kinds or None in values
    notes = (*(["or null"] if nullable and "null" not in said else []), *(["optional"] if optional else []))
    return said + (f" ({', '.join(notes)})" if notes else "")


def _list(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else list(kind)
