"""An issuer's answer as a token pair."""

from datetime import datetime

from refresh_token.errors import IssuerProtocolException
from refresh_token.issued_token import IssuedToken
from refresh_token.token_pair import TokenPair
from tokenctl.errors import ServiceError
from tokenctl.sign_in.consent import Consent


def pair_issued(answer: tuple[object, object, object], consent: Consent, *, now: datetime, who: str) -> TokenPair:
    """Return the pair of access token, expiry and refresh token that `who` answered to `consent` at `now` (UTC).

    Raises:
        ServiceError: the answer is no pair with an expiry. It holds nothing of the answer.

    """
    try:
        issued = IssuedToken.from_answer(*answer)
        expires_at = issued.expiry(now=now).at
    except IssuerProtocolException:
        issued = None
    if issued is None or issued.refresh_token is None:
        raise ServiceError(f"{who} answer makes no sense: it is not a token pair with an expiry.")
    return TokenPair(
        access_token=issued.access_token,
        refresh_token=issued.refresh_token,
        client_id=consent.client_id,
        expires_at=expires_at,
        refreshed_at=now,
    )
