"""The issuers, as values that `TokenRefresher` takes. An argument is one field: type, rule, default, description."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, TypedDict, Unpack

from refresh_token.core.issued_token import DEFAULT_LIFETIME as FIGMA_LIFETIME
from refresh_token.oauth.client_auth import BASIC
from refresh_token.oauth.issuers import (
    AMPLIFY,
    DEFAULT_LIFETIME,
    FIGMA,
    FIGMA_BASE_URL,
    OAUTH2,
    FigmaSettings,
    OAuth2Settings,
)
from token_refresher.settings.issuer_rules import CLIENT_AUTH, EXTRA_PARAMETERS, LIFETIME, SCOPE, address
from token_refresher.settings.reader import SettingsReader
from token_refresher.settings.rules import HTTP_URL, Rule
from token_refresher.settings.setting import Setting, settings_of


class AmplifyArguments(TypedDict, total=False):
    """What `Issuer.amplify` takes."""

    endpoint_url: Annotated[
        str | None,
        Setting(
            rule=HTTP_URL,
            default=None,
            about="where to send the calls to Amplify UI Builder instead; not on `prod`",
        ),
    ]


class FigmaArguments(TypedDict, total=False):
    """What `Issuer.figma` takes."""

    base_url: Annotated[
        str,
        Setting(
            rule=address(),
            default=FIGMA_BASE_URL,
            about="Figma's address; `https://api.figma-gov.com` for Figma for Government. On `local` it may be http",
        ),
    ]


class _Required(TypedDict):
    token_url: Annotated[
        str,
        Setting(
            rule=address(query=True),
            default=None,
            required=True,
            about="the server's token endpoint; `oauth2` needs it. It may have a query. On `local` it may be http",
        ),
    ]


class OAuth2Arguments(_Required, total=False):
    """What `Issuer.oauth2` takes."""

    client_auth: Annotated[
        Literal["basic", "post"],
        Setting(
            rule=CLIENT_AUTH,
            default=BASIC,
            about="how to send the app's credentials: in a header (`basic`) or in the form (`post`)",
        ),
    ]
    scope: Annotated[
        str | None,
        Setting(
            rule=SCOPE,
            default=None,
            about="the scopes to request. Without it the server grants the same scopes as before",
        ),
    ]
    extra_parameters: Annotated[
        Mapping[str, str] | None,
        Setting(
            rule=EXTRA_PARAMETERS,
            default=None,
            about='more fields to send, such as `{"audience": "design"}`. They are readable in the function\'s '
            "configuration, so never put a secret here",
            hidden=True,
        ),
    ]
    default_lifetime_seconds: Annotated[
        int,
        Setting(rule=LIFETIME, default=DEFAULT_LIFETIME, about="how long a token lives if the server does not say"),
    ]


ARGUMENTS: Mapping[str, Mapping[str, Setting]] = {
    AMPLIFY: settings_of(AmplifyArguments),
    FIGMA: settings_of(FigmaArguments),
    OAUTH2: settings_of(OAuth2Arguments),
}
"""What each issuer takes, by name."""

HTTP_TOO: Mapping[str, Mapping[str, Rule]] = {
    AMPLIFY: {},
    FIGMA: {"base_url": address(http=True)},
    OAUTH2: {"token_url": address(query=True, http=True)},
}
"""The rules for a stand-in, whose address may be http."""


@dataclass(frozen=True)
class Issuer:
    """Who turns a refresh token into an access token. Make one with `amplify`, `figma` or `oauth2`.

    These raise `SettingsError` with a line for each argument that breaks its rule. `allow_http` allows an address with
    http, for a stand-in on a local cloud.
    """

    name: str
    variables: Mapping[str, str] = field(repr=False)
    """The environment variables that tell the function about this issuer."""

    token_life: timedelta | None = timedelta(seconds=FIGMA_LIFETIME)
    """How long a token lives if the issuer does not say it; None if a person renews it."""

    @property
    def has_app(self) -> bool:
        """Whether the issuer serves your own app, so that a second secret holds the app's credentials."""
        return self.name != AMPLIFY

    @classmethod
    def amplify(cls, **arguments: Unpack[AmplifyArguments]) -> Self:
        """Return Amplify UI Builder, which refreshes tokens of Figma."""
        url = _checked(AMPLIFY, arguments)["endpoint_url"]
        return cls(AMPLIFY, {"AWS_ENDPOINT_URL_AMPLIFYUIBUILDER": url} if url else {})

    @classmethod
    def figma(cls, *, allow_http: bool = False, **arguments: Unpack[FigmaArguments]) -> Self:
        """Return Figma itself."""
        settings = FigmaSettings(**_checked(FIGMA, arguments, allow_http=allow_http))
        return cls(FIGMA, settings.to_variables())

    @classmethod
    def oauth2(cls, *, allow_http: bool = False, **arguments: Unpack[OAuth2Arguments]) -> Self:
        """Return any OAuth 2 server (RFC 6749)."""
        values = _checked(OAUTH2, arguments, allow_http=allow_http)
        settings = OAuth2Settings(
            token_url=values["token_url"],
            client_auth=values["client_auth"],
            scope=values["scope"] or "",
            extra_parameters=values["extra_parameters"] or {},
            default_lifetime=values["default_lifetime_seconds"],
        )
        return cls(OAUTH2, settings.to_variables(), timedelta(seconds=settings.default_lifetime))

    @classmethod
    def named(cls, name: str, *, allow_http: bool = False, **arguments: Any) -> Self:  # noqa: ANN401 - checked below
        """Return the issuer with this name. Amplify is an AWS service: its endpoint may always be http."""
        if name == AMPLIFY:
            return cls.amplify(**arguments)
        own_app: Mapping[str, Callable[..., Self]] = {FIGMA: cls.figma, OAUTH2: cls.oauth2}
        return own_app[name](allow_http=allow_http, **arguments)


def _checked(issuer: str, given: Mapping[str, object], *, allow_http: bool = False) -> dict[str, Any]:
    reader = SettingsReader(ARGUMENTS[issuer], given, rules=HTTP_TOO[issuer] if allow_http else None)
    reader.refuse_unknown_keys(given, {})
    values = reader.take_all()
    for key, setting in ARGUMENTS[issuer].items():
        if setting.required and reader.is_sound(key) and values[key] is None:
            reader.fault(key, "must be set")
    reader.check()
    return values
