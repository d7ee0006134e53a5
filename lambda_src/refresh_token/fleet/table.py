"""The table of a fleet: one item a connection, and two indexes. Pure.

The names of the pair's attributes are those of the secret's keys.
"""

from typing import Final

PK: Final = "pk"
ACCESS_TOKEN: Final = "accessToken"  # noqa: S105 - the name of an attribute
REFRESH_TOKEN: Final = "refreshToken"  # noqa: S105 - the name of an attribute
UNKNOWN: Final = "unknown"
PAIR_KEYS: Final = (
    *("provider", "clientId", "expiresAt", "refreshedAt", "refreshExpiresAt", "grantedAt", "revokedAt"),
    *("refreshExpiresSince", "scope", "values", "api", "issuedBy"),
)
"""The secret's keys that are attributes, without the tokens. All others are in `unknown`, as the text of an object."""

DUE_INDEX: Final = "due"
TROUBLE_INDEX: Final = "trouble"
DUE_KEYS: Final = ("slot", "dueAt")
TROUBLE_KEYS: Final = ("trouble", PK)
DUE_PROJECTION: Final = ("provider", "state", "expiresAt", "policy", "storedAt")
TROUBLE_PROJECTION: Final = ("provider", "state", "expiresAt", "dueAt", "failure")
"""What the indexes show beside their keys. None of it is a token."""

OWN_PREFIX: Final = "#"
"""Items whose `pk` begins so are the fleet's own. No connection can have such a name."""

MAX_BYTES: Final = 350_000
"""The longest document of a pair that is stored. An item has at most 400 KB (Amazon DynamoDB quotas), and a ciphertext
is longer than its text."""

Sealed = tuple[bytes, ...]
"""The ciphertext of a token, in pieces."""
