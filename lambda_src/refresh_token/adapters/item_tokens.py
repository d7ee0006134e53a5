"""The tokens of a connection's item: reading them as a pair, and sealing those of a new pair."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.connection_table import unavailable
from refresh_token.adapters.deadline import Deadline
from refresh_token.adapters.sealing import NO_TEXT, KmsSeal
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import SecretMalformedException, TokenNotStoredException
from refresh_token.fleet.record import Record
from refresh_token.fleet.successor import StoredTokens
from refresh_token.fleet.table import Sealed

if TYPE_CHECKING:
    from refresh_token.core.grants import Spends
    from refresh_token.core.secret_format import Parse

PLACEHOLDER: Final = "sealed:only-the-holder-of-the-claim-opens-it"
"""The refresh token of a pair that was read without a claim. It is never sent and never stored."""

_NOT_SEALED: Final = ("InvalidCiphertextException", NO_TEXT.code)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTokens:
    """How the pairs of a provider's connections are read and stored.

    ``rotates``: the provider may replace the refresh token.
    """

    seal: KmsSeal
    parse: "Parse"
    spends: "Spends"
    seals_access: bool
    rotates: bool = False

    def check_key(self, record: Record) -> None:
        """Try the key if a new pair will have to be encrypted: what the provider replaces is lost if it cannot be.

        Raises:
            SecretUnavailableException: the key does not encrypt.

        """
        if not (self.rotates or self.seals_access):
            return
        if fault := self.seal.cannot_seal(record.name):
            raise unavailable(
                f"A new token of the connection {record.name} could not be encrypted, so the provider was not called",
                fault,
                "the fleet's key",
            )

    def opened(self, record: Record) -> str:
        """Return the refresh token; "" if there is none, or if nothing is done with it.

        Raises:
            SecretMalformedException: it is no token, or was encrypted for another connection.
            SecretUnavailableException: it cannot be decrypted.

        """
        if record.refresh is None or self.spends != "refresh_token":
            return ""
        return self._open(record, record.refresh, "refresh")

    def pair(self, record: Record, refresh_token: str | None = None) -> TokenPair:
        """Return the pair with the opened refresh token; a placeholder stands for it if it is None.

        Raises:
            SecretMalformedException: the item is no pair, or its pair has no version.
            SecretNotSeededException: it holds no token.
            SecretUnavailableException: a sealed access token cannot be decrypted.

        """
        if not record.has_version:
            raise SecretMalformedException(
                f"The item of the connection {record.name} has no `version`. Run `tokenctl connections authorize "
                f"{record.name}` or `tokenctl connections seed {record.name}`."
            )
        if refresh_token is None:
            refresh_token = PLACEHOLDER if record.refresh is not None and self.spends == "refresh_token" else ""
        access = record.access
        text = self._open(record, access, "access") if isinstance(access, tuple) else access
        return self.parse(record.document(text, refresh_token or None), created=record.stored_at or _LONG_AGO)

    def stored(self, name: str, pair: TokenPair, opened: str | None, deadline: Deadline) -> StoredTokens:
        """Return the tokens of a new pair as they are stored. A refresh token that was `opened` stays as it is.

        Raises:
            TokenNotStoredException: KMS does not encrypt, or does not answer in time.

        """
        if PLACEHOLDER in (pair.refresh_token, pair.access_token):
            raise ValueError("a placeholder is no token")  # the pair was not read under a claim
        access: str | Sealed | None = pair.access_token or None
        if access and self.seals_access:
            access = self._sealed(name, pair.access_token, deadline)
        changed = pair.refresh_token not in ("", opened)
        return StoredTokens(access, self._sealed(name, pair.refresh_token, deadline) if changed else None)

    def _open(self, record: Record, pieces: Sealed, which: str) -> str:
        found = self.seal.open(record.name, pieces)
        if not isinstance(found, Fault):
            return found
        if found.code in _NOT_SEALED:
            raise SecretMalformedException(
                f"The {which} token of the connection {record.name} was not encrypted for it with the fleet's key. "
                f"Run `tokenctl connections authorize {record.name}` or `tokenctl connections seed {record.name}`."
            )
        raise unavailable(
            f"The {which} token of the connection {record.name} cannot be decrypted", found, "the fleet's key"
        )

    def _sealed(self, name: str, token: str, deadline: Deadline) -> Sealed:
        found = self.seal.seal(name, token, deadline)
        if not isinstance(found, Fault):
            return found
        raise TokenNotStoredException(
            f"The token of the connection {name} was refreshed but could not be encrypted ({found.code}), so the "
            "stored access token is dead. The next refresh fixes that, unless the provider has replaced the refresh "
            "token: then a person may have to sign in. Check the fleet's key and the function's permissions on it: "
            "`tokenctl doctor` finds what somebody has changed."
        )
