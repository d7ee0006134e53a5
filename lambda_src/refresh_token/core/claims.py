"""The claim on the refresh of a version: the port of the lock, and the outcomes of a claim."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed refresh of a version, kept beside the lock so that every process knows about it.

    ``reason`` is the class name of the error. Consumers do not reach the issuer again before ``retry_at``.
    ``refused``: the issuer has refused the grant. ``lost``: an answer of the issuer was not stored, so the version's
    access token is dead. Both stay set through later failures of the same version. ``count``: how often the issuer has
    refused this version without a reason, and ``since``: when it did so first. ``retry_after``: the seconds that the
    issuer asked to wait, which only a fleet heeds.
    """

    reason: str
    retry_at: datetime
    refused: bool = False
    lost: bool = False
    count: int = 0
    since: datetime | None = None
    retry_after: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """Our claim on the refresh of a version. Close it with exactly one of its methods.

    ``previous`` is the failure of the attempt before, which this claim has cleared.
    """

    version_id: str
    lock: "RefreshLock" = field(repr=False)
    previous: Failure | None = None

    def done(self) -> None:
        """Close the claim: the version has a successor."""
        self.lock.record_success(self.version_id)

    def failed(self, failure: Failure) -> None:
        """Close the claim and remember the failure."""
        self.lock.record_failure(self.version_id, failure)

    def release(self) -> None:
        """Close the claim as if it had never been made: the previous failure, if any, holds again."""
        if self.previous is None:
            self.lock.delete_claim(self.version_id)
        else:
            self.failed(self.previous)


@dataclass(frozen=True, slots=True)
class Held:
    """Someone else holds the claim, or has just released it. Try again."""


@dataclass(frozen=True, slots=True)
class Done:
    """The version was refreshed. A newer one is current, or is about to be."""


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """The last attempt failed a short while ago."""

    failure: Failure


Claim = HeldClaim | Held | Done | CoolingDown


class RefreshLock(Protocol):
    """Who may refresh a version. Every method may raise IssuerUnavailableException or ConfigurationException."""

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        """Try to claim the refresh of a version. A claim that nobody closes expires after ``seconds``."""
        ...

    def failure(self, version_id: str, *, now: datetime) -> Failure | None:
        """Return how the last refresh of a version failed, None if none has failed or one is running.

        A claim that expired unclosed counts as a lost answer: its holder died, perhaps after the issuer had answered.
        """
        ...

    def record_success(self, version_id: str) -> None:
        """Close the claim: the version has a successor. For `HeldClaim`."""
        ...

    def record_failure(self, version_id: str, failure: Failure) -> None:
        """Close the claim and remember the failure. For `HeldClaim`."""
        ...

    def delete_claim(self, version_id: str) -> None:
        """Close the claim and remember nothing. For `HeldClaim`."""
        ...
