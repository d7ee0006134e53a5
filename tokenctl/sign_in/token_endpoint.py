"""The code for a token pair, at the token endpoint of Figma or of any OAuth 2 server (RFC 6749, 4.1.3; RFC 7636, 4.5).

Figma takes `POST /v1/oauth/token` with the app's credentials in HTTP Basic as they are (its REST API documentation,
"Authentication"). It documents no error codes: 401 is taken for wrong credentials, as RFC 6749, 5.2, has it.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from refresh_token.token_pair import TokenPair
from tokenctl.errors import ServiceError, TokenctlError, UsageError
from tokenctl.sign_in.consent import Consent
from tokenctl.sign_in.form_post import Reply, post
from tokenctl.sign_in.issued import pair_issued
from tokenctl.stack.app_secret import AppCredentials
from tokenctl.stack.issuer import FIGMA, OwnApp

LONGEST_EXCHANGE: Final = 25.0
"""Seconds. A code of Figma's lives 30: nothing is gained by waiting longer for the answer."""

_CODES: Final = ("invalid_request", "invalid_grant", "unsupported_grant_type", "invalid_scope")
_CLIENT_CODES: Final = ("invalid_client", "unauthorized_client")
"""Error codes of RFC 6749, 5.2. Any other text may be an echo of what was sent, and is not shown."""


@dataclass(frozen=True, kw_only=True)
class TokenEndpoint:
    """Exchanges codes at `url`. `bundle` is a file of certificates to trust, in place of the usual ones."""

    url: str
    issuer: OwnApp
    app: AppCredentials = field(repr=False)
    bundle: str | None = None
    seconds: float = LONGEST_EXCHANGE

    def __call__(self, consent: Consent, code: str, *, now: datetime) -> TokenPair:
        """Exchange the code that answers `consent`; `now` (UTC) is when its tokens begin to live.

        Raises:
            ServiceError: the code, or the app, is refused; the issuer fails, or its answer makes no sense.
            TokenctlError: the issuer cannot be reached.

        """
        form = {
            **self.issuer.extra,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": consent.redirect_uri,
            "code_verifier": consent.verifier,
        }
        try:
            return self._pair(self._posted(form), consent, now)
        except TokenctlError as error:
            raise type(error)(f"{error} Nothing was stored. Run the command again.") from None

    def _posted(self, form: dict[str, str]) -> Reply:
        headers = {}
        if self.issuer.client_auth == "post":
            form |= {"client_id": self.app.client_id, "client_secret": self.app.client_secret}
        else:
            headers["Authorization"] = basic(self.app, self.issuer)
        return post(self.url, form, headers, bundle=self.bundle, seconds=self.seconds)

    def _pair(self, reply: Reply, consent: Consent, now: datetime) -> TokenPair:
        document = reply.document or {}
        if reply.status >= HTTPStatus.BAD_REQUEST or ("error" in document and "access_token" not in document):
            raise _refused(reply)
        kind = document.get("token_type", "bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise ServiceError("The issuer's answer makes no sense: its token is no bearer token.")
        expires_in = document.get("expires_in")
        if expires_in is None and self.issuer.name != FIGMA:
            expires_in = self.issuer.lifetime
        if "access_token" in document and document.get("refresh_token") is None:
            raise ServiceError(
                "The issuer gave no refresh token, so that nothing could keep the token alive. Some want a scope for "
                "it, such as offline_access: see --scope."
            )
        answer = (document.get("access_token"), expires_in, document.get("refresh_token"))
        return pair_issued(answer, consent, now=now, who="The issuer's")


def basic(app: AppCredentials, issuer: OwnApp) -> str:
    """Return the header for HTTP Basic: for Figma as it documents it, else form-encoded first (RFC 6749, 2.3.1).

    Raises:
        UsageError: Figma could not tell id and secret apart.

    """
    if issuer.name != FIGMA:
        pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}"
    elif ":" in app.client_id:
        raise UsageError("The app's client id has a colon, which Figma's ids do not. See `tokenctl app-credentials`.")
    else:
        pair = f"{app.client_id}:{app.client_secret}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _refused(reply: Reply) -> ServiceError:
    code = (reply.document or {}).get("error")
    known = code if isinstance(code, str) and code in {*_CODES, *_CLIENT_CODES} else ""
    what = f"HTTP {reply.status}{known and f', {known}'}"
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServiceError(f"The issuer cannot exchange the code now ({what}). Wait a minute.")
    if known in _CLIENT_CODES or (reply.status == HTTPStatus.UNAUTHORIZED and not known):
        return ServiceError(
            f"The issuer refuses the app's credentials ({what}). Compare them with those that it shows, and store the "
            "right ones with `tokenctl app-credentials`."
        )
    return ServiceError(
        f"The code was refused ({what}). It works once and not for long, 30 seconds at Figma; for the app that asked "
        "for it, and for this redirect address. Compare the app's credentials, too."
    )
