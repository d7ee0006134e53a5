"""The token pair, and how it is written as the JSON of the secret. Pure.

`secret_format` reads it.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from refresh_token.core.values import merged_values
from refresh_token.core.windows import iso_utc

if TYPE_CHECKING:
    from refresh_token.core.issued_by import IssuedBy
    from refresh_token.core.issued_token import Issued, IssuedToken, RefreshTokenOnly
    from refresh_token.core.values import Api, Value

PROVIDER: Final = "figma"
"""The provider of the issuers that are no profile, and the only one of Amplify UI Builder. botocore's model lists it in
an enum but does not check it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """The access and refresh token of one grant. Its repr shows neither them nor the client id."""

    access_token: str = field(repr=False)
    """Empty if only the refresh token is known. Then ``expires_at`` is None, so nobody takes it for a live token."""

    refresh_token: str = field(repr=False)
    """Empty if a person renews the access token, or did so before the stack got another issuer."""

    client_id: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    """When the refresh token expires, if the issuer says so."""

    refresh_expires_since: datetime | None = None
    """Since when that has been its end, if refreshes do not move it."""

    granted_at: datetime | None = None
    """When the end user allowed the access. If nobody noted it, the first refresh notes its own moment."""

    stored_at: datetime | None = field(default=None, compare=False)
    """When the version of the secret was created that the pair was read from. It is not a key of the secret."""

    provider: str = PROVIDER
    """Whose API the access token is for."""

    scope: str | None = None
    """The scopes that the issuer granted, with spaces between them; None if it did not say."""

    values: "Mapping[str, Value]" = field(default_factory=dict, repr=False)
    """What the provider said that consumers need, such as `instance_url`. Never a token."""

    api: "Api" = field(default_factory=dict, repr=False)
    """How consumers call the provider's API, where that is not the usual way (`values.Api`)."""

    issued_by: "IssuedBy | None" = None
    """Whose tokens these are, None if the secret does not say. The first refresh that succeeds notes it."""

    capped: bool = False
    """Whether the secret's expiry was cut down: it was more than MAX_LIFETIME after its version was created."""

    unknown: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The secret's other keys, which are written back unchanged."""

    @property
    def lifetime(self) -> timedelta | None:
        """The access token's entire lifetime, if both of its ends are known and in order."""
        if self.expires_at is None or self.refreshed_at is None or self.refreshed_at >= self.expires_at:
            return None
        return self.expires_at - self.refreshed_at

    def has_refresh_token(self, token: str) -> bool:
        """Tell, in constant time, whether ``token`` is this pair's refresh token."""
        return hmac.compare_digest(token.encode(), self.refresh_token.encode())

    def refreshed(
        self,
        issued: "IssuedToken",
        *,
        issued_by: "IssuedBy",
        client_id: str | None,
        expires_at: datetime,
        now: datetime,
    ) -> "TokenPair":
        """Return the pair with the issued token. The refresh token stays unless the issuer sent a new one."""
        after = self._after(issued, issued_by, client_id, now)
        return replace(
            after,
            access_token=issued.access_token,
            expires_at=expires_at,
            refreshed_at=now,
            scope=issued.scope or after.scope,
            values=merged_values(after.values, issued.values),
            api=issued.api,
        )

    def with_refresh_token(
        self, issued: "RefreshTokenOnly", *, issued_by: "IssuedBy", client_id: str | None, now: datetime
    ) -> "TokenPair":
        """Return the pair after an answer with nothing but a new refresh token: its access token counts as dead.

        It has no lifetime any more, or its life would look short to the refresh policy.
        """
        expires_at = now if self.access_token else None
        return replace(self._after(issued, issued_by, client_id, now), expires_at=expires_at, refreshed_at=now)

    def _after(self, issued: "Issued", issued_by: "IssuedBy", client_id: str | None, now: datetime) -> "TokenPair":
        """Return the pair with what every answer changes.

        A refresh token that stays keeps its end if none is said, unless the token has just worked after that end. What
        another issuer said about another grant ends with it.
        """
        mine = self if self.issued_by in (None, issued_by) else replace(self, scope=None, values={}, granted_at=None)
        said, old = issued.refresh_expires_at(now=now), self.refresh_expires_at
        stays = issued.refresh_token in (None, self.refresh_token) and old is not None and old > now
        since = self._end_since(said, now) if said or stays else None
        return replace(
            mine,
            refresh_token=issued.refresh_token or self.refresh_token,
            client_id=client_id,
            refresh_expires_at=old if since or (said is None and stays) else said,
            refresh_expires_since=since,
            granted_at=mine.granted_at or now,
            issued_by=issued_by,
            capped=False,
        )

    def _end_since(self, said: datetime | None, now: datetime) -> datetime | None:
        """Return since when the grant has its end, None if an answer moves it by the time that has passed, or more.

        What an answer says may differ a little, because it is counted from the answer in whole seconds or even days.
        """
        old, used = self.refresh_expires_at, self.refreshed_at
        if old is None or old <= now or used is None or abs((said or old) - old) >= (now - used) / 2:
            return None
        return self.refresh_expires_since or used

    def to_json(self) -> str:
        """Return the pair as the secret's JSON."""
        document: dict[str, object] = {
            **self.unknown,
            "provider": self.provider,
        }
        if self.access_token:
            document["accessToken"] = self.access_token
        if self.refresh_token:
            document["refreshToken"] = self.refresh_token
        if self.client_id is not None:
            document["clientId"] = self.client_id
        times = {
            "expiresAt": self.expires_at,
            "refreshedAt": self.refreshed_at,
            "refreshExpiresAt": self.refresh_expires_at,
            "refreshExpiresSince": self.refresh_expires_since,
            "grantedAt": self.granted_at,
        }
        document |= {key: iso_utc(time) for key, time in times.items() if time is not None}
        said = {"scope": self.scope, "values": self.values, "api": self.api}
        document |= {key: value for key, value in said.items() if value}
        if self.issued_by is not None:
            document["issuedBy"] = self.issued_by.to_document()
        return json.dumps(document)
