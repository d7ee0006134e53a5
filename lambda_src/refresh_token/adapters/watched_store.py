"""The store of the single secret, if EventBridge is told of its states: it says which pair is current."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from refresh_token.adapters.token_store import SecretsManagerStore
from refresh_token.core.ports import StoredPair

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from refresh_token.core.secret_format import Parse
    from refresh_token.core.token_pair import TokenPair

Seen = Callable[["TokenPair"], None]


class WatchedStore(SecretsManagerStore):
    """Calls ``seen`` with each pair that is current."""

    def __init__(
        self,
        secret_arn: str,
        client: "SecretsManagerClient",
        writer: "Callable[[], SecretsManagerClient]",
        parse: "Parse",
        seen: Seen,
    ) -> None:
        super().__init__(secret_arn, client, writer, parse)
        self._seen = seen
        self._pending: StoredPair | None = None

    def read(self) -> StoredPair:
        """Return the current pair."""
        stored = super().read()
        self._seen(stored.pair)
        return stored

    def replace(self, pair: "TokenPair", *, expected: str, version_id: str, seconds: float) -> None:
        """Store ``pair`` if ``expected`` is still current."""
        super().replace(pair, expected=expected, version_id=version_id, seconds=seconds)
        self._seen(pair)

    def pending(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that was written but not promoted."""
        self._pending = super().pending(version_id)
        return self._pending

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        """Make ``successor`` current if ``expected`` still is."""
        super().promote(successor, expected=expected, seconds=seconds)
        if self._pending and self._pending.version_id == successor:
            self._seen(self._pending.pair)
