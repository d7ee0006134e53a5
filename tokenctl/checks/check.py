"""A check and its result."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.stack.deploy_command import deploy_command
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.last_outcome import failure_of, last_outcome
from tokenctl.stack.pair_secret import read_pair
from tokenctl.stack.target import Target


class Level(StrEnum):
    """The result of a check, from best to worst."""

    OK = "OK"
    SKIP = "SKIP"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """What a check found, and how to fix it."""

    level: Level
    text: str
    fix: str = ""
    urgent: bool = True
    """Whether it counts for the exit code."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the checks examine."""

    target: Target
    deployed: DeployedStack
    now: datetime
    planned_issuer: str | None = None
    """The issuer that the operator is about to deploy; None stands for the deployed one, or else the default."""

    @property
    def restore(self) -> str:
        """The command that brings back a resource that somebody has deleted or changed; a plain deployment does not."""
        return f"{deploy_command(self.target)} --revert-drift"

    @cached_property
    def failure(self) -> dict[str, Any] | None:
        """The failure of the last refresh of the current version; None if there is none, or if it cannot be read."""
        try:
            return failure_of(read_pair(self.deployed).version_id, last_outcome(self.deployed, self.now))
        except TokenctlError:
            return None


@dataclass(frozen=True)
class Check:
    """A check: its name, the checks that must pass before it makes sense, and the function that performs it."""

    name: str
    needs: tuple[str, ...]
    perform: Callable[[Subject], Finding]


def perform_checks(checks: Iterable[Check], subject: Subject) -> Iterator[tuple[str, Finding]]:
    """Perform the checks in order; yield the name and the finding of each."""
    blocked: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in blocked]
        if missing:
            finding = Finding(Level.SKIP, f"needs `{missing[0]}`")
        else:
            try:
                finding = check.perform(subject)
            except ServiceError as error:
                finding = Finding(Level.WARN, f"cannot be read: {error}", "check your permissions")
            except TokenctlError as error:  # it was read, and is wrong; the message says what to do
                finding = Finding(Level.WARN, str(error))
        if finding.level in {Level.FAIL, Level.SKIP}:
            blocked.add(check.name)
        yield check.name, finding
