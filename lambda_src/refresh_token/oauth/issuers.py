"""The issuers: their names, addresses and settings, and the environment variables that carry the settings.

The construct writes the variables (`to_variables`); the function and `tokenctl` read them (`from_variables`). A new
setting of an issuer is one field here.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import DEFAULT_LIFETIME as FIGMA_LIFETIME
from refresh_token.environment import ISSUER
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.client_auth import BASIC, BASIC_UNESCAPED, STANDARD
from refresh_token.oauth.profiles import Profile
from refresh_token.oauth.refusals import FIGMA_REFRESH, SERVER_REFRESH
from refresh_token.oauth.variables import ALLOW_HTTP, VariableReader

AMPLIFY: Final = "amplify"
FIGMA: Final = "figma"
OAUTH2: Final = "oauth2"

AMPLIFY_ENDS: Final = datetime(2027, 5, 1, tzinfo=UTC)
"""When Amplify Studio ends, and its API with it."""

FIGMA_BASE_URL: Final = "https://api.figma.com"
"""Figma for Government has https://api.figma-gov.com."""

FIGMA_CONSENT_PAGE: Final = "https://www.figma.com/oauth"
FIGMA_SCOPES: Final = ("current_user:read",)
"""What every sign-in at Figma requests."""

DEFAULT_LIFETIME: Final = 3600
"""A token's assumed life in seconds if the server states none (``expires_in`` is optional). Too short a guess
costs a refresh. After too long a guess a consumer reports the dead token, which refreshes it. Without a guess, every
request for a token would refresh."""

RESERVED_FIELDS: Final = ("grant_type", "refresh_token", "scope", "client_id", "client_secret")
"""Fields of a refresh that extra parameters must not replace."""


def _variable(name: str, read: Callable[[VariableReader, str], object], **default: object) -> Any:  # noqa: ANN401 - the field's annotation is the type
    """Return a setting's field, with the name of its variable and the function that reads it."""
    return field(metadata={"variable": name, "read": read}, **default)  # type: ignore[call-overload]


class IssuerSettings(ABC):
    """What an operator can set about an issuer. The constructor checks nothing; the readers do."""

    name: ClassVar[str]
    label: ClassVar[str] = "the issuer"
    """What messages to people call the issuer."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the issuer is."""

    @property
    @abstractmethod
    def profile(self) -> Profile:
        """What the issuer expects with these settings."""

    @property
    def issued_by(self) -> IssuedBy:
        """Whose tokens and credentials those of this issuer are."""
        return IssuedBy(self.name, authority(self.profile.refresh_url))

    @classmethod
    def from_variables(cls, reader: VariableReader) -> Self:
        """Read the settings; call `reader.check()` before you use them."""
        found = variables_of(cls)
        return cls(**{each.name: each.metadata["read"](reader, name) for name, each in found.items()})

    def to_variables(self) -> dict[str, str]:
        """Return the variables that tell the function about this issuer. An empty setting needs no variable."""
        values = {name: getattr(self, each.name) for name, each in variables_of(type(self)).items()}
        variables = {name: _text(value) for name, value in values.items() if value}
        if urlsplit(self.address).scheme == "http":
            variables[ALLOW_HTTP] = "true"
        return {ISSUER: self.name, **variables}


def variables_of(settings: type[IssuerSettings]) -> dict[str, Any]:
    """Return the name of each setting's variable, and the setting's field."""
    return {each.metadata["variable"]: each for each in fields(settings)}  # type: ignore[arg-type]  # of a dataclass


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else str(value)


@dataclass(frozen=True, kw_only=True)
class FigmaSettings(IssuerSettings):
    """Figma itself, with an app of your own (Figma's REST API documentation, "Authentication")."""

    name: ClassVar[str] = FIGMA
    label: ClassVar[str] = "Figma"
    base_url: str = _variable(
        "FIGMA_BASE_URL", lambda reader, name: reader.url(name, FIGMA_BASE_URL), default=FIGMA_BASE_URL
    )

    @property
    def address(self) -> str:
        """Figma's base address."""
        return self.base_url

    @property
    def profile(self) -> Profile:
        """Figma's profile: the old refresh token keeps working, so a refresh may be sent again."""
        base_url = self.base_url.rstrip("/")
        return Profile(
            refresh_url=f"{base_url}/v1/oauth/refresh",
            refresh_fields={},
            code_url=f"{base_url}/v1/oauth/token",
            code_fields={"grant_type": "authorization_code"},
            client_auth=BASIC_UNESCAPED,
            rotates=False,
            default_lifetime=FIGMA_LIFETIME,
            refresh_refusals=FIGMA_REFRESH,
            consent_page=FIGMA_CONSENT_PAGE,
            scopes=FIGMA_SCOPES,
        )


@dataclass(frozen=True, kw_only=True)
class OAuth2Settings(IssuerSettings):
    """Any OAuth 2 server (RFC 6749)."""

    name: ClassVar[str] = OAUTH2
    token_url: str = _variable("OAUTH2_TOKEN_URL", lambda reader, name: reader.url(name, query=True))
    client_auth: str = _variable(
        "OAUTH2_CLIENT_AUTH",
        lambda reader, name: reader.choice(name, STANDARD),
        default=BASIC,
    )
    scope: str = _variable("OAUTH2_SCOPE", lambda reader, name: reader.text(name, ""), default="")
    default_lifetime: int = _variable(
        "OAUTH2_DEFAULT_LIFETIME",
        lambda reader, name: reader.number(name, DEFAULT_LIFETIME),
        default=DEFAULT_LIFETIME,
    )
    extra_parameters: Mapping[str, str] = _variable(
        "OAUTH2_EXTRA_PARAMETERS",
        lambda reader, name: reader.strings(name, reserved=RESERVED_FIELDS),
        default_factory=dict,
        repr=False,
    )

    @property
    def address(self) -> str:
        """The token endpoint."""
        return self.token_url

    @property
    def profile(self) -> Profile:
        """The profile of a server that may revoke the grant if it receives a refresh token twice."""
        scope = {"scope": self.scope} if self.scope else {}
        return Profile(
            refresh_url=self.token_url,
            refresh_fields={**self.extra_parameters, "grant_type": "refresh_token", **scope},
            code_url=self.token_url,
            code_fields={**self.extra_parameters, "grant_type": "authorization_code"},
            client_auth=self.client_auth,
            rotates=True,
            default_lifetime=self.default_lifetime,
            refresh_refusals=SERVER_REFRESH,
            scopes=tuple(self.scope.split()),
        )


SETTINGS: Final[Mapping[str, type[IssuerSettings]]] = {FIGMA: FigmaSettings, OAUTH2: OAuth2Settings}
"""The issuers that serve an app of your own."""

AMPLIFY_ISSUED_BY: Final = IssuedBy(AMPLIFY, "amplifyuibuilder")
"""Whose tokens those of Amplify UI Builder are: the service has one host a region, so this names the service."""

NAMES: Final = (AMPLIFY, *SETTINGS)
"""Every issuer. The first is the default."""
