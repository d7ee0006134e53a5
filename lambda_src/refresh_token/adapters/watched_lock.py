"""The lock of the single secret, if EventBridge is told of its states: it says how a refresh ends.

The lock knows how the refresh of a version failed before, so it knows whether a failure or a success is news: a tick
that fails like the tick before tells nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from refresh_token.adapters.idempotency_lock import IdempotencyLock
from refresh_token.core.claims import Claim, Failure, HeldClaim
from refresh_token.errors import RefreshTokenError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Moved = Callable[[Failure | None, Failure | None], None]


class WatchedLock(IdempotencyLock):
    """Calls ``moved`` when a claim ends, with the failure of the refresh before and of this one; None: it worked."""

    def __init__(self, table_name: str, secret_arn: str, client: "DynamoDBClient", moved: Moved) -> None:
        super().__init__(table_name, secret_arn, client)
        self._moved = moved
        self._before: dict[str, Failure | None] = {}

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        """Try to claim the refresh of a version."""
        claim = super().claim(version_id, seconds=seconds, now=now, ignore_cooldown=ignore_cooldown)
        if isinstance(claim, HeldClaim):
            self._before[version_id] = claim.previous
        return claim

    def record_success(self, version_id: str) -> None:
        """Close the claim: the version has a successor."""
        before = self._before.pop(version_id, None)
        super().record_success(version_id)
        self._moved(before, None)

    def record_failure(self, version_id: str, failure: Failure) -> None:
        """Close the claim and remember the failure."""
        before = self._before.pop(version_id, None)
        super().record_failure(version_id, failure)
        self._moved(before, failure)

    def delete_claim(self, version_id: str) -> None:
        """Close the claim and remember nothing."""
        self._before.pop(version_id, None)
        super().delete_claim(version_id)

    def is_news(self, what: str) -> bool:
        """Tell whether nobody has asked this before; False if the lock table does not say."""
        try:
            return self.note(what)
        except RefreshTokenError:
            return False
