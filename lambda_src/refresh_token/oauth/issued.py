"""Reading the issued token out of an answer (RFC 6749, 5.1) in the standard's form (`answer_members`)."""

from collections.abc import Mapping

from refresh_token.core.issued_token import Issued, read_issued
from refresh_token.errors import RefreshTokenError
from refresh_token.oauth.answer_members import LIFETIMES, REFRESH_LIFETIMES, values_in
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.responses import TokenResponse
from refresh_token.oauth.templates import names_in


def issued_token(
    response: TokenResponse,
    bound: BoundProfile,
    app: AppCredentials,
    *,
    sent: str = "",
    refusal: RefreshTokenError | None = None,
) -> Issued:
    """Return what the issuer issued, with the profile's lifetime for a token whose lifetime the answer does not say.

    `sent` is the token of the request; `refusal` is what the answer means if it holds no usable access token.

    Raises:
        RefreshTokenError: the answer holds neither a usable access token nor a new refresh token.

    """
    document, answer = response.document, bound.profile.answer
    learned = {name: param.answer for name, param in bound.profile.params.items() if param.answer}
    values = values_in(document, {**learned, **answer.values}, answer.inside)
    return read_issued(
        document.get("access_token"),
        _first(document, LIFETIMES),
        document.get("refresh_token"),
        token_type=document.get("token_type", "bearer"),
        refresh_expires_in=_first(document, REFRESH_LIFETIMES),
        default_lifetime=bound.default_lifetime,
        scope=_scope(document.get("scope"), bound.profile.sign_in.scope_separator),
        values=values,
        api=bound.with_values(values).api(app),
        sent=sent,
        secrets=_secrets(app, bound),
        refusal=refusal,
    )


def _first(document: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((value for name in names if (value := document.get(name)) is not None), None)


def _secrets(app: AppCredentials, bound: BoundProfile) -> tuple[str, ...]:
    """Return what consumers must not see: all but the keys that they send themselves."""
    sent = names_in(bound.profile.api.headers)
    return (app.client_secret, *(value for name, value in app.keys.items() if name not in sent))


def _scope(given: object, separator: str) -> object:
    return " ".join(given.split(separator)) if isinstance(given, str) else given
