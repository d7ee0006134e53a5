"""Writing a version of a secret and making it current, if another version still is.

A write has two steps. The first puts the pair as a new version that nobody reads yet. The second makes it current by
moving the label AWSCURRENT *from the version that was read*: Secrets Manager refuses the move if the label is no longer
there. So a write never overwrites a pair that someone else stored meanwhile.
"""

from typing import TYPE_CHECKING, Final

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.deadline import Deadline
from refresh_token.adapters.secrets_manager import CURRENT, MAX_CALL_TIME, NOT_FOUND, PENDING, Call, answer
from refresh_token.core.ports import VersionSupersededError
from refresh_token.errors import TokenNotStoredException

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager.client import SecretsManagerClient

MAX_BYTES: Final = 65_536
"""The largest value of a secret (AWS Secrets Manager quotas, "Secret value size")."""

_NO_TIME: Final = Fault("other", "no time left")


class CompareAndSwap:
    """The writes of one secret. ``writer`` makes the writing client when it is first needed."""

    def __init__(self, secret_arn: str, writer: "Callable[[], SecretsManagerClient]") -> None:
        self._secret = secret_arn
        self._writer = writer
        self._unsure: str | None = None
        """A version whose write was not answered: it may or may not be current."""

    def fits(self, text: str) -> bool:
        """Tell whether a text is small enough for a secret."""
        return len(text.encode()) <= MAX_BYTES

    def replace(self, text: str, *, expected: str, version_id: str, seconds: float) -> None:
        """Store a text as version ``version_id`` if ``expected`` is still current; see `TokenStore.replace`."""
        self._swap(text, version_id, expected, Deadline.after(seconds))

    def promote(self, version_id: str, *, expected: str, seconds: float) -> None:
        """Make a stored version current if ``expected`` still is; see `TokenStore.promote`."""
        self._swap(None, version_id, expected, Deadline.after(seconds))

    def _swap(self, text: str | None, version_id: str, expected: str, deadline: Deadline) -> None:
        """Put the text, if there is one, and move the label."""
        if self._is_stored_already(version_id, expected, deadline):
            return
        fault = self._put(text, version_id, deadline) if text is not None else None
        fault = fault or self._move(version_id, expected, deadline)
        if fault and not self._is_current(version_id, expected, deadline):
            raise _not_stored(fault.code)

    def _put(self, text: str, version_id: str, deadline: Deadline) -> Fault | None:
        """Write a text as a version that is not current; return what went wrong."""
        if not self.fits(text):
            raise _too_large(len(text.encode()))
        return _fault_of(
            lambda: self._writer().put_secret_value(
                SecretId=self._secret,
                ClientRequestToken=version_id,
                SecretString=text,
                VersionStages=[PENDING],
            ),
            deadline,
        )

    def _move(self, version_id: str, expected: str, deadline: Deadline) -> Fault | None:
        """Make a version current if ``expected`` still is; return what went wrong."""
        # A secret without a value has no version that could lose the label. Then the move fails if another one has it.
        loser = {"RemoveFromVersionId": expected} if expected else {}
        return _fault_of(
            lambda: self._writer().update_secret_version_stage(
                SecretId=self._secret, VersionStage=CURRENT, MoveToVersionId=version_id, **loser
            ),
            deadline,
        )

    def _is_stored_already(self, version_id: str, expected: str, deadline: Deadline) -> bool:
        """Tell whether an earlier write of this version, whose answer was lost, succeeded. Raises if unknown."""
        if self._unsure != version_id:
            return False
        if self._is_current(version_id, expected, deadline):
            return True
        if self._unsure:
            raise _not_stored("no answer")
        return False

    def _is_current(self, version_id: str, expected: str, deadline: Deadline) -> bool:
        """Tell whether a version is current although its write failed. Raises if neither it nor ``expected`` is.

        If that cannot be read, the version stays `_unsure`, and the next write reads again before it writes.
        """
        current = self._current_version() if deadline.allows(MAX_CALL_TIME) else None
        self._unsure = version_id if current is None else None
        if current not in (None, version_id, expected):
            raise VersionSupersededError
        return current == version_id

    def _current_version(self) -> str | None:
        """Return the VersionId that is current, "" if the secret has no value, None if it cannot be read."""
        value = answer(lambda: self._writer().get_secret_value(SecretId=self._secret, VersionStage=CURRENT))
        if isinstance(value, Fault):
            return "" if value.code == NOT_FOUND else None
        return str(value["VersionId"])


def _fault_of(call: Call, deadline: Deadline) -> Fault | None:
    """Make a call of the writing client, if there is time for one; return what went wrong."""
    found = answer(call) if deadline.allows(MAX_CALL_TIME) else _NO_TIME
    return found if isinstance(found, Fault) else None


def _too_large(size: int) -> TokenNotStoredException:
    return TokenNotStoredException(
        f"The token was refreshed but could not be stored: the pair takes {size} bytes, and Secrets Manager stores at "
        f"most {MAX_BYTES}. The stored access token is dead. Remove keys from the secret that do not belong to "
        "the pair, or have the issuer issue shorter tokens. Then the next request refreshes it; if the issuer refuses "
        "that, a person must sign in again.",
        final=True,
    )


def _not_stored(what: str) -> TokenNotStoredException:
    if what == "LimitExceededException":
        return TokenNotStoredException(
            "The token was refreshed but could not be stored: the secret has 100 versions, and Secrets Manager removes "
            "none that is younger than 24 hours (LimitExceededException). So the stored access token is dead. "
            "The function refreshes too often: set `refresh_policy` to `demand`, make the schedule less frequent, or "
            "have the issuer issue tokens that live longer. Until old versions are removed, this process keeps a new "
            "refresh token in its memory and tries again.",
            final=True,
        )
    return TokenNotStoredException(
        f"The token was refreshed but could not be stored ({what}), so the stored access token is dead. The next tick, "
        "report of the dead token or forced refresh fixes that. Check the function's permissions on the secret and its "
        "key."
    )
