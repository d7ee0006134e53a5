"""A check and its result."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from refresh_token.core.ports import StoredPair
from tokenctl.connections.fleet import Fleet, has_fleet
from tokenctl.connections.fleet_parts import FleetParts
from tokenctl.connections.fleet_report import fleet_report
from tokenctl.errors import NONSENSE, ServiceError, TokenctlError, no_sense
from tokenctl.stack.deploy_command import how_to_restore
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.last_outcome import failure_of, last_outcome
from tokenctl.stack.once import Once
from tokenctl.stack.pair_secret import NoPairError, read_pair
from tokenctl.stack.secrets_manager import LostSecretError
from tokenctl.stack.side_by_side import side_by_side
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
    stops: bool = True
    """Whether a FAIL makes the checks that need this one senseless."""

    def to_document(self, check: str) -> dict[str, str]:
        """Return the finding of a check as JSON."""
        return {"check": check, "level": self.level.value, "text": self.text, "fix": self.fix}

    @property
    def blocks(self) -> bool:
        """Whether the checks that need this one are skipped."""
        return self.level is Level.SKIP or (self.level is Level.FAIL and self.stops)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the checks examine."""

    target: Target
    deployed: DeployedStack
    now: datetime
    planned_issuer: str | None = None
    """The issuer that the operator is about to deploy; None stands for the deployed one, or else the default."""

    probe_url: str | None = field(default=None, repr=False)
    """The page to ask with the stored token; None stands for the issuer's own."""

    @property
    def restore(self) -> str:
        """How to restore what somebody has changed by hand; a plain deployment does not."""
        return how_to_restore(self.target)

    @property
    def has_fleet(self) -> bool:
        """Whether the deployment has connections beside its pair."""
        return has_fleet(self.target)

    @property
    def keeps_connections_only(self) -> bool:
        """Whether the secret has never held a pair, because the stack has a fleet."""
        try:
            _ = self.stored
        except NoPairError as error:
            return error.not_seeded and self.has_fleet
        except TokenctlError:
            return False
        return False

    @Once
    def fleet(self) -> Fleet:
        """The deployment's fleet."""
        return Fleet(self.target)

    @Once
    def fleet_parts(self) -> FleetParts:
        """The functions of the fleet, and what invokes them."""
        return FleetParts(self.deployed)

    @Once
    def fleet_report(self) -> dict[str, Any]:
        """What `tokenctl status` says about the fleet; raises as `tokenctl.connections.fleet_report`."""
        return fleet_report(self.fleet, self.now)

    @Once
    def stored(self) -> StoredPair:
        """The current pair; raises as `read_pair`."""
        return read_pair(self.deployed)

    @Once
    def failure(self) -> dict[str, Any] | None:
        """The failure of the last refresh of the current version; None if there is none, or if it cannot be read."""
        try:
            return failure_of(self.stored.version_id, last_outcome(self.deployed, self.now))
        except (TokenctlError, *NONSENSE):
            return None


@dataclass(frozen=True)
class Check:
    """A check: its name, the checks that must pass before it makes sense, and the function that performs it."""

    name: str
    needs: tuple[str, ...]
    perform: Callable[[Subject], Finding]


def perform_checks(checks: Sequence[Check], subject: Subject) -> Iterator[tuple[str, Finding]]:
    """Perform the checks side by side; yield the name and the finding of each as it comes.

    All of them start at once, but a finding waits for those of the checks that it needs.
    """

    def late(seconds: float) -> Finding:
        return Finding(Level.WARN, f"no answer within {seconds:g} seconds", "check the network, and AWS's health page")

    found: dict[str, Finding] = {}
    told: dict[str, Finding] = {}
    for name, finding in side_by_side({check.name: partial(_perform, check, subject) for check in checks}, late=late):
        found[name] = finding
        for check in checks:
            if check.name in found and check.name not in told and all(need in told for need in check.needs):
                missing = [need for need in check.needs if told[need].blocks]
                told[check.name] = Finding(Level.SKIP, f"needs `{missing[0]}`") if missing else found[check.name]
                yield check.name, told[check.name]


def _perform(check: Check, subject: Subject) -> Finding:
    try:
        return check.perform(subject)
    except LostSecretError as error:
        return Finding(Level.FAIL, error.what, error.how)
    except ServiceError as error:
        denied = error.code.startswith("AccessDenied") or "Unauthorized" in error.code
        return Finding(Level.WARN, f"cannot be read: {error}", "check your permissions" if denied else "")
    except TokenctlError as error:  # it was read, and is wrong; the message says what to do
        return Finding(Level.WARN, str(error))
    except NONSENSE as error:
        return Finding(Level.WARN, f"cannot be read: {no_sense(error)}")
