"""Roles and resource policies allow what is needed and nothing else, and no policy document escapes these checks."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.policies import CHECKS
from tests.support.synthesised import VARIANTS, Synthesised

pytestmark = pytest.mark.xdist_group("synth")


@pytest.mark.parametrize("check", CHECKS)
def test_every_policy_is_exactly_as_intended(check: Callable[[Synthesised], None], every_stage: Synthesised) -> None:
    check(every_stage)


@pytest.mark.parametrize("variant", VARIANTS)
def test_any_wider_statement_is_noticed(synthesised: Callable[[str], Synthesised], variant: str) -> None:
    stack = synthesised(variant)
    unnoticed, tried = [], 0
    for number, document in enumerate(documents(stack.template)):
        for place, statement in enumerate(document["Statement"]):
            for wider in widenings(statement):
                broken = copy.deepcopy(stack.template)
                list(documents(broken))[number]["Statement"][place : place + 1] = wider
                tried += 1
                if wider != [statement] and not is_noticed(replace(stack, template=broken)):
                    unnoticed.append((statement, wider))
    assert unnoticed == []
    assert tried > 60


def is_noticed(stack: Synthesised) -> bool:
    for check in CHECKS:
        try:
            check(stack)
        except (AssertionError, KeyError, ValueError):
            return True
    return False


def documents(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every policy document in a template."""
    if isinstance(node, dict):
        if "Statement" in node:
            yield node
        for value in node.values():
            yield from documents(value)
    elif isinstance(node, list):
        for value in node:
            yield from documents(value)


def widenings(statement: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield what allows more, or denies less, than the statement: statements to put in its place."""
    yield [statement, {"Effect": "Allow", "Action": "*", "Resource": "*"}]
    if statement["Effect"] == "Deny":
        yield []
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    for action in (f"{actions[0].partition(':')[0]}:*", "*", "iam:PassRole"):
        yield [{**statement, "Action": [*actions, action]}]
    if statement.get("Resource", "*") != "*":
        yield [{**statement, "Resource": "*"}]
        yield [{**statement, "Resource": [statement["Resource"], "arn:aws:s3:::other"]}]
    if "Condition" in statement:
        yield [{key: value for key, value in statement.items() if key != "Condition"}]
        for operator, conditions in statement["Condition"].items():
            for key in conditions:
                left = {name: value for name, value in conditions.items() if name != key}
                yield [{**statement, "Condition": {operator: left}}]
    if "Principal" in statement:
        yield [{**statement, "Principal": "*"}]
        yield [{**statement, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}]
