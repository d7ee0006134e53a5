"""Encrypts and decrypts the tokens of connections with the fleet's KMS key."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, attempt, punctual_client
from refresh_token.adapters.connection_table import MAX_CALL_TIME
from refresh_token.adapters.deadline import Deadline
from refresh_token.fleet.sealing import context_of, pieces_of, token_of
from refresh_token.fleet.table import Sealed

NO_TEXT: Final = Fault("other", "no text")
"""What is encrypted is no token."""

_TRIAL: Final = "trial"

_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
_SEALING_CONFIG: Final = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


@lru_cache(maxsize=1)
def opening_client() -> Any:  # noqa: ANN401 - no type stubs of KMS are installed
    """Return the client for what comes before a refresh, made once. botocore retries its calls."""
    return punctual_client("kms", _CONFIG)


@lru_cache(maxsize=1)
def sealing_client() -> Any:  # noqa: ANN401 - as above
    """Return the client that encrypts new tokens, made once. It makes one short attempt."""
    return punctual_client("kms", _SEALING_CONFIG)


class KmsSeal:
    """Seals with one symmetric key. The clients are made when they are first needed."""

    def __init__(
        self,
        key_arn: str,
        opener: Callable[[], Any] = opening_client,
        sealer: Callable[[], Any] = sealing_client,
    ) -> None:
        self._key, self._opener, self._sealer = key_arn, opener, sealer

    def seal(self, name: str, token: str, deadline: Deadline | None = None) -> Sealed | Fault:
        """Return the ciphertext of a connection's token, in pieces. One attempt is made for each piece."""
        return self._encrypt(self._sealer, name, token, deadline)

    def cannot_seal(self, name: str) -> Fault | None:
        """Encrypt something that is no token, with retries; return the fault if the key does not."""
        found = self._encrypt(self._opener, name, _TRIAL)
        return found if isinstance(found, Fault) else None

    def open(self, name: str, pieces: Sealed) -> str | Fault:
        """Return the token in the ciphertext of a connection."""
        found = _each(
            pieces,
            lambda piece: self._opener().decrypt(
                KeyId=self._key, CiphertextBlob=piece, EncryptionContext=context_of(name)
            ),
            "Plaintext",
        )
        try:
            return found if isinstance(found, Fault) else token_of(found)
        except ValueError:
            return NO_TEXT

    def _encrypt(
        self, client: Callable[[], Any], name: str, text: str, deadline: Deadline | None = None
    ) -> Sealed | Fault:
        return _each(
            pieces_of(text),
            lambda piece: client().encrypt(KeyId=self._key, Plaintext=piece, EncryptionContext=context_of(name)),
            "CiphertextBlob",
            deadline,
        )


def _each(
    pieces: Iterable[bytes], call: Callable[[bytes], Any], member: str, deadline: Deadline | None = None
) -> Sealed | Fault:
    """Make a call for each piece; return what each answer has as this member, or the first fault."""
    done: list[bytes] = []
    for piece in pieces:
        if deadline and not deadline.allows(MAX_CALL_TIME):
            return Fault("other", "no time left")
        answer = attempt(lambda: call(piece))  # noqa: B023 - called right here
        if isinstance(answer, Fault):
            return answer
        if not isinstance(got := answer.get(member), bytes):
            return Fault("other", "the answer did not come from KMS")
        done.append(got)
    return tuple(done)
