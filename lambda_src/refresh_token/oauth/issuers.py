"""The settings of `amplify`, `figma`, `oauth2` and `static`. `profile_settings` has those of every other issuer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import DEFAULT_LIFETIME as FIGMA_LIFETIME
from refresh_token.environment import ISSUER, STATIC
from refresh_token.oauth.client_auth import BASIC, STANDARD
from refresh_token.oauth.issuer_settings import IssuerSettings, OwnAppSettings
from refresh_token.oauth.rules import HTTP_URL, LIFETIME, SCOPES, Address, Strings, choice
from refresh_token.oauth.setting import Setting

if TYPE_CHECKING:
    from refresh_token.oauth.bound_profile import BoundProfile

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


@dataclass(frozen=True, kw_only=True)
class AmplifySettings(IssuerSettings):
    """Amplify UI Builder, which refreshes tokens of Figma. It is an AWS service, so its endpoint may be http."""

    name: ClassVar[str] = AMPLIFY
    key_prefix: ClassVar[str] = "amplifyuibuilder"
    token_life: ClassVar[timedelta] = timedelta(seconds=FIGMA_LIFETIME)
    endpoint_url: Annotated[
        str,
        Setting(
            rule=HTTP_URL,
            variable="AWS_ENDPOINT_URL_AMPLIFYUIBUILDER",
            about="where to send the calls to Amplify UI Builder instead; not on `prod`",
        ),
    ] = ""

    def to_variables(self) -> dict[str, str]:
        """Return the endpoint's variable, if it is set. Without ISSUER, the function's issuer is this one."""
        return {name: value for name, value in super().to_variables().items() if name != ISSUER}


@dataclass(frozen=True, kw_only=True)
class FigmaSettings(OwnAppSettings):
    """Figma itself, with an app of your own (Figma's REST API documentation, "Authentication")."""

    name: ClassVar[str] = FIGMA
    key_prefix: ClassVar[str] = FIGMA
    base_url: Annotated[
        str,
        Setting(
            rule=Address(),
            about="Figma's address; `https://api.figma-gov.com` for Figma for Government. On `local` it may be http",
        ),
    ] = FIGMA_BASE_URL

    @property
    def label(self) -> str:
        """Figma's name."""
        return self.title

    @property
    def address(self) -> str:
        """Figma's base address."""
        return self.base_url

    @property
    def profile(self) -> "BoundProfile":
        """The catalogue's profile of Figma, at this address; the rule of `base_url` says whether it may be http."""
        from refresh_token.oauth import catalogue  # noqa: PLC0415 - many need the settings only
        from refresh_token.oauth.bound_profile import BoundProfile  # noqa: PLC0415 - many need the settings only

        params = {"base_url": self.base_url}
        return BoundProfile(profile=catalogue.load(FIGMA), params=params, allow_http=True)


@dataclass(frozen=True, kw_only=True)
class OAuth2Settings(OwnAppSettings):
    """Any OAuth 2 server (RFC 6749)."""

    name: ClassVar[str] = OAUTH2
    key_prefix: ClassVar[str] = OAUTH2
    token_url: Annotated[
        str,
        Setting(
            rule=Address(query=True),
            about="the server's token endpoint; `oauth2` needs it. It may have a query. On `local` it may be http",
        ),
    ]
    client_auth: Annotated[
        Literal["basic", "post"],
        Setting(
            rule=choice(STANDARD),
            about="how to send the app's credentials: in a header (`basic`) or in the form (`post`)",
        ),
    ] = BASIC
    scope: Annotated[
        str,
        Setting(
            rule=SCOPES,
            about="the scopes to request. Without it the server grants the same scopes as before",
        ),
    ] = ""
    extra_parameters: Annotated[
        Mapping[str, str],
        Setting(
            rule=Strings(RESERVED_FIELDS),
            about='more fields to send, such as `{"audience": "design"}`. They are readable in the function\'s '
            "configuration, so never put a secret here",
            hidden=True,
        ),
    ] = field(default_factory=dict, repr=False)
    default_lifetime_seconds: Annotated[
        int,
        Setting(
            rule=LIFETIME,
            variable="OAUTH2_DEFAULT_LIFETIME",
            about="how long a token lives if the server does not say",
        ),
    ] = DEFAULT_LIFETIME

    @property
    def profile(self) -> "BoundProfile":
        """The profile of a server that may revoke the grant if it receives a refresh token twice."""
        from refresh_token.oauth.inline_profile import inline_profile  # noqa: PLC0415 - many need the settings only

        return inline_profile(
            token_url=self.token_url,
            client_auth=self.client_auth,
            scope=self.scope,
            parameters=self.extra_parameters,
            lifetime_seconds=self.default_lifetime_seconds,
        )


@dataclass(frozen=True, kw_only=True)
class StaticSettings(IssuerSettings):
    """No issuer: a person renews the token."""

    name: ClassVar[str] = STATIC
    key_prefix: ClassVar[str] = STATIC
    token_life: ClassVar[None] = None


SETTINGS: Final[Mapping[str, type[OwnAppSettings]]] = {FIGMA: FigmaSettings, OAUTH2: OAuth2Settings}
"""The issuers that serve an app of your own."""

ALL_SETTINGS: Final[Mapping[str, type[IssuerSettings]]] = {
    AMPLIFY: AmplifySettings,
    **SETTINGS,
    STATIC: StaticSettings,
}
"""Every issuer, the default first."""

NAMES: Final = tuple(ALL_SETTINGS)

AMPLIFY_ISSUED_BY: Final = IssuedBy(AMPLIFY, "amplifyuibuilder")
"""Whose tokens those of Amplify UI Builder are: the service has one host a region, so this names the service."""
