"""The bare operation with a token that is not the stored one: the issuer is called, and nothing is stored.

The caller gets no new refresh token. So a token that the secret's versions hold is never sent here: it may be the only
one that still works, or belong to another issuer.
"""

from dataclasses import dataclass, field

from refresh_token.core.connections import Connection
from refresh_token.core.grant import Grant
from refresh_token.core.issued_by import IssuedBy, refuse_other_issuer
from refresh_token.core.issued_token import IssuedToken, RefreshTokenOnly
from refresh_token.core.ports import StoredPair
from refresh_token.errors import InvalidParameterException, ReauthorizationRequiredException, RefreshTokenError


@dataclass(frozen=True, slots=True)
class BareOperation:
    """The operation with a token, beside the pair that is stored, or the fault that makes it unreadable."""

    connection: Connection
    refresh_token: str = field(repr=False)
    stored: StoredPair | None
    fault: RefreshTokenError | None

    def was_replaced(self) -> bool:
        """Tell whether a refresh replaced the token by the stored one, so that it is spent.

        Raises:
            ConfigurationException: the stored pair has replaced it, and it belongs to another issuer.
            RefreshTokenError: the fault, if the token is in the secret nevertheless.

        """
        previous = self.connection.store.previous()
        replaced = previous is not None and previous.pair.has_refresh_token(self.refresh_token)
        if self.fault and (replaced or self.connection.store.unreadable().holds(self.refresh_token)):
            raise self.fault
        if previous and replaced:
            refuse_other_issuer(
                previous.pair.issued_by,
                self.connection.issuer.issued_by,
                what="The token in `refreshTokenBody` belongs",
                how_to_fix="Send a token of this stack's issuer",
            )
        return replaced and self.connection.issuer.rotates and self._is_of_this_grant(previous)

    def _is_of_this_grant(self, previous: StoredPair | None) -> bool:
        """Tell whether the pair before may be of the stored pair's grant: nobody has signed in between them."""
        moments = {one.pair.granted_at for one in (previous, self.stored) if one and one.pair.granted_at}
        return len(moments) <= 1

    def call_issuer(self, client_id: str | None, *, seconds: float) -> IssuedToken:
        """Return the issuer's answer.

        Raises:
            InvalidParameterException: the issuer refuses the token.
            RefreshTokenError: see `Issuer.refresh`.

        """
        try:
            issued = self.connection.issuer.refresh(
                Grant(refresh_token=self.refresh_token), client_id, seconds=seconds, owner=self._owner()
            )
        except ReauthorizationRequiredException:
            raise InvalidParameterException(
                "The issuer refuses the token in `refreshTokenBody`. Check the token and its client id. Nothing was "
                "stored."
            ) from None
        if isinstance(issued, RefreshTokenOnly):
            raise issued.error
        return issued

    def _owner(self) -> IssuedBy | None:
        return self.stored.pair.issued_by if self.stored else self.connection.store.unreadable().issued_by()
