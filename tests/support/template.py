"""A stage's template as its snapshot holds it. tests/infra/test_snapshots.py compares it with what is deployed.

The snapshots hold one complete template, of `dev`, and what each other variant changes in the template of its parent.
So that a change stays small, they have statements of policies by their Sid, and text with references in one piece. They
leave out what differs everywhere: the hashes of bundles and versions, and the stage's name. They also leave out what
other tests check: tags (test_stack.py), whom an alarm tells (test_monitoring.py), the recorded settings
(test_deployed_settings.py), the smoke test's code (test_canary.py), and the CDK's own parameters and rules.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SNAPSHOTS = Path(__file__).parents[1] / "infra" / "snapshots"
PARENTS = {
    "dev": None,
    **dict.fromkeys(("prod", "local", "dev-oauth2"), "dev"),
    **dict.fromkeys(("prod-figma", "prod-static"), "prod"),
    **dict.fromkeys(("prod-signing", "prod-fleet"), "prod-figma"),
}
"""Each stage, and each other issuer, with the variant that its snapshot starts from."""

MAX_LINE = 120
SHORT_MEMBER = 60
SHORT = 4
"""The most parts of a text that stay a list."""
WIDGET = re.compile(r',(?={"type")')
"""Where the dashboard's text begins another line."""


@cache
def template(variant: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file(variant).read_text(encoding="utf-8"))
    parent = PARENTS[variant]
    return document if parent is None else _changed(json.loads(json.dumps(template(parent))), document)


def as_snapshot(template: str, stage: str) -> dict[str, Any]:
    """Return what a snapshot holds of a template."""
    text = re.sub(r"\b[0-9a-f]{64}\.zip\b", "<asset>.zip", template)
    text = re.sub(r"(CurrentVersion)[0-9a-f]{40}\b", r"\1<hash>", text)
    text = re.sub(rf"(RefreshToken[-/]){stage}\b", r"\1<stage>", text)
    document: dict[str, Any] = json.loads(text, object_hook=_shortened)
    return {part: document[part] for part in document if part not in ("Metadata", "Parameters", "Rules")}


def _shortened(node: dict[str, Any]) -> Any:
    """Return a part of a template in the form of the snapshots."""
    for key in ("Tags", "AlarmActions", "OKActions", "ZipFile"):
        node.pop(key, None)
    if node.get("UpdateReplacePolicy") == node.get("DeletionPolicy"):
        node.pop("UpdateReplacePolicy", None)
    match node:
        case {"Statement": statements, "Version": "2012-10-17"}:
            by_sid = all("Sid" in statement for statement in statements)
            return {statement.pop("Sid"): statement for statement in statements} if by_sid else statements
        case {"checkov": {"skip": skipped}}:
            return {"checkov": [check["id"] for check in skipped]}
        case {"Fn::Join": ["", parts]} if len(parts) > SHORT:
            return {"Fn::Sub": WIDGET.split("".join(map(_substituted, parts)))}
    return node


def _substituted(part: str | dict[str, Any]) -> str:
    """Return a part of a text as Fn::Sub has it: a reference in braces."""
    match part:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
    return str(part)


def write(variant: str, current: dict[str, Any]) -> None:
    """Make `current` the snapshot; the parent's snapshot must be written first."""
    parent = PARENTS[variant]
    document = current if parent is None else dict(_changes(template(parent), current))
    file(variant).write_text(_text(document) + "\n", encoding="utf-8")
    template.cache_clear()


def file(variant: str) -> Path:
    """Return the file that holds a variant's template or its changes."""
    return SNAPSHOTS / f"{variant}.{'changes' if PARENTS[variant] else 'template'}.json"


def _text(node: Any, indent: str = "") -> str:
    """Return JSON with one line for whatever fits into one; short members share a line.

    What is alone in its list or object opens on its line.
    """
    line = json.dumps(node)
    if len(indent + line) <= MAX_LINE or not isinstance(node, dict | list):
        return line
    keys = [f"{json.dumps(key)}: " for key in node] if isinstance(node, dict) else [""] * len(node)
    values = list(node.values()) if isinstance(node, dict) else node
    opening, closing = "{}" if isinstance(node, dict) else "[]"
    if len(values) == 1 and isinstance(values[0], dict | list):
        return f"{opening}{keys[0]}{_text(values[0], indent)}{closing}"
    deeper, lines = f"{indent} ", [""]
    for key, value in zip(keys, values, strict=True):
        member = f"{key}{_text(value, deeper)}"
        if len(member) <= SHORT_MEMBER and lines[-1] and len(f"{lines[-1]}, {member}") <= MAX_LINE:
            lines[-1] += f", {member}"
        else:
            lines.append(f"{deeper}{member}")
    return opening + ",\n".join(lines).removeprefix(",") + f"\n{indent}{closing}"


def _changes(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the new value of all that differs; None for what is gone."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from ((f"{path}/{key}", None) for key in old if key not in new)
        for key, value in new.items():
            yield from _changes(old.get(key), value, f"{path}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _changes(one, other, f"{path}/{place}")
    elif old != new:
        yield path, new


def _changed(node: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        *parents, last = path.strip("/").split("/")
        place: Any = node
        for key in parents:
            place = place[int(key) if isinstance(place, list) else key]
        if value is None:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    return node


def resources(variant: str, kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template(variant)["Resources"].values() if one["Type"] == kind]


def environment(variant: str) -> dict[str, Any]:
    functions = resources(variant, "AWS::Lambda::Function")
    (function,) = [one for one in functions if one["Handler"] == "refresh_token.handler.lambda_handler"]
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables
