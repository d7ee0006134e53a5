"""The options of `tokenctl authorize`, and the rules that they must keep."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from refresh_token.oauth.addresses import HTTPS_OR_HTTP, is_url, url_rule
from refresh_token.oauth.issuers import FIGMA_CONSENT_PAGE
from tokenctl.errors import UsageError
from tokenctl.sign_in.authorization_request import LOOPBACK_HOSTS

_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""A scope-token of RFC 6749, 3.3."""


@dataclass(frozen=True, kw_only=True)
class SignInOptions:
    """The operator's options; None leaves one to the stack, or to the default."""

    issuer: str | None
    client_id: str | None = field(repr=False)
    scopes: tuple[str, ...]
    authorize_url: str | None
    token_url: str | None
    yes: bool

    def validate(self) -> None:
        """Raise UsageError for an option that is wrong whatever the stack is."""
        for name, url in (("--authorize-url", self.authorize_url), ("--token-url", self.token_url)):
            if url is not None:
                validate_address(url, name)
        if self.client_id is not None and not self.client_id:
            raise UsageError("--client-id is empty. Give the client id of the app.")
        if not all(_SCOPE.fullmatch(scope) for scope in self.scopes):
            raise UsageError("--scope takes one scope, without spaces. Repeat the option for more.")

    def scopes_with(self, required: tuple[str, ...]) -> tuple[str, ...]:
        """Return the required scopes and those of the operator, each once."""
        return tuple(dict.fromkeys((*required, *self.scopes)))


def validate_address(url: str, name: str) -> None:
    """Raise UsageError, which shows `name` and not the address, unless a sign-in may use the address."""
    if not is_url(url, HTTPS_OR_HTTP, query=True):
        raise UsageError(f"{name} {url_rule(HTTPS_OR_HTTP, query=True)}.")
    address = urlsplit(url)
    if address.scheme == "http" and address.hostname not in LOOPBACK_HOSTS:
        raise UsageError(f"{name} must begin with https://. Only addresses on this machine may use http://.")


def check_page_fits(consent_page: str, endpoint_url: str) -> None:
    """Raise UsageError if the real Figma would issue a code that only a stand-in on this machine could exchange."""
    endpoint = urlsplit(endpoint_url)
    if consent_page == FIGMA_CONSENT_PAGE and endpoint.hostname in LOOPBACK_HOSTS:
        raise UsageError(
            "The calls go to a server on this machine, which cannot exchange a code of the real Figma. Give that "
            f"server's consent page: --authorize-url {endpoint.scheme}://{endpoint.netloc}/oauth"
        )
