"""What the statements of a policy that somebody has added by hand do to a deployment."""

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tokenctl.drift.template import Resource

Statement = Mapping[str, Any]

_WITHOUT_TLS: Final = {"Bool": {"aws:SecureTransport": "false"}}


def statements_of(document: Mapping[str, Any]) -> list[Statement]:
    """Return the statements; a policy with only one may have it without a list."""
    return _listed(document.get("Statement", []))


def allowed_actions(role: Resource) -> set[str]:
    """Return the actions that the inline policies of a role in the template allow."""
    documents = [policy["PolicyDocument"] for policy in role.properties.get("Policies", ())]
    allowed = [each for document in documents for each in statements_of(document) if each["Effect"] == "Allow"]
    return {action for statement in allowed for action in _listed(statement.get("Action", []))}


def denials(document: Mapping[str, Any], actions: set[str]) -> list[Statement]:
    """Return the statements that may deny one of the actions, for whatever resources and under whatever conditions.

    Those that deny only calls without TLS don't count: AWS's clients make none.
    """
    return [
        statement
        for statement in statements_of(document)
        if statement.get("Effect") == "Deny"
        and statement.get("Condition") != _WITHOUT_TLS
        and any(_concerns(statement, action) for action in actions)
    ]


def open_to_everybody(document: Mapping[str, Any]) -> Iterator[Statement]:
    """Yield the statements that allow something to everybody on AWS.

    A condition on one of AWS's global keys, such as `aws:PrincipalOrgID`, narrows that. Those of a function URL do not.
    """
    for statement in statements_of(document):
        keys = {key.lower() for test in statement.get("Condition", {}).values() for key in test}
        narrowed = any(key.startswith("aws:") for key in keys)
        if statement.get("Effect") == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}) and not narrowed:
            yield statement


def _concerns(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(_matches(action, pattern) for pattern in _listed(statement["NotAction"]))
    return any(_matches(action, pattern) for pattern in _listed(statement.get("Action", [])))


def _matches(action: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(action.lower(), pattern.lower())


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]
