"""The issuers, as values that `TokenRefresher` takes. `refresh_token.oauth.issuers` has their arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ParamSpec, Self, cast

from refresh_token.oauth.issuer_settings import IssuerSettings, OwnAppSettings
from refresh_token.oauth.issuers import (
    ALL_SETTINGS,
    AMPLIFY,
    AmplifySettings,
    FigmaSettings,
    OAuth2Settings,
    StaticSettings,
)
from refresh_token.oauth.rules import for_stand_in, listed
from token_refresher.settings.reader import SettingsError, SettingsReader

P = ParamSpec("P")


def _method(settings: Callable[P, IssuerSettings]) -> Callable[P, "Issuer"]:
    def method(*args: P.args, **arguments: P.kwargs) -> "Issuer":
        return Issuer.of(settings, *args, **arguments)

    method.__doc__ = settings.__doc__
    return method


@dataclass(frozen=True)
class Issuer:
    """Who turns a refresh token into an access token. Make one with `amplify`, `figma`, `oauth2`, `static` or `of`.

    These take the fields of the issuer's settings as keyword arguments, and raise `SettingsError` with a line for each
    argument that breaks its rule. `allow_http` allows an address with http, for a stand-in on a local cloud.
    """

    settings: IssuerSettings = field(repr=False)

    @property
    def name(self) -> str:
        """The name, which is also the value of the setting `issuer` in `cdk.json`."""
        return self.settings.name

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that tell the function about this issuer."""
        return self.settings.to_variables()

    @property
    def calls_ui_builder(self) -> bool:
        """Whether the function calls Amplify UI Builder, with its own role."""
        return self.name == AMPLIFY

    @property
    def has_app(self) -> bool:
        """Whether the issuer serves your own app, so that a second secret holds the app's credentials."""
        return isinstance(self.settings, OwnAppSettings)

    @property
    def refreshes(self) -> bool:
        """Whether the function refreshes tokens. If not, a person renews them."""
        return self.token_life is not None

    @property
    def token_life(self) -> timedelta | None:
        """How long a token lives if the issuer does not say it; None if a person renews it."""
        return self.settings.token_life

    @property
    def refresh_margin(self) -> int:
        """How many seconds before a token's expiry the issuer begins to accept refreshes; 0 if it always does."""
        return self.settings.refresh_margin

    amplify = staticmethod(_method(AmplifySettings))
    figma = staticmethod(_method(FigmaSettings))
    oauth2 = staticmethod(_method(OAuth2Settings))
    static = staticmethod(_method(StaticSettings))

    @classmethod
    def of(cls, settings: Callable[P, IssuerSettings], *_: P.args, **arguments: P.kwargs) -> Self:
        """Return the issuer with this class of settings."""
        return cls(_checked(cast("type[IssuerSettings]", settings), arguments))

    @classmethod
    def named(cls, name: str, **arguments: Any) -> Self:  # noqa: ANN401 - checked below
        """Return the issuer with this name."""
        if name not in ALL_SETTINGS:
            raise SettingsError([f"issuer={name}: must be {listed(tuple(ALL_SETTINGS))}"])
        return cls(_checked(ALL_SETTINGS[name], arguments))


def _checked(issuer: type[IssuerSettings], given: Mapping[str, object]) -> IssuerSettings:
    settings = issuer.settings()
    rules = (
        {name: for_stand_in(setting.rule) for name, setting in settings.items()} if given.get("allow_http") else None
    )
    given = {name: value for name, value in given.items() if name != "allow_http"}
    reader = SettingsReader(settings, given, rules=rules)
    reader.refuse_unknown_keys(given, {})
    values = reader.take_all()
    for name, setting in settings.items():
        if setting.required and reader.is_sound(name) and values[name] is None:
            reader.fault(name, "must be set")
    reader.check()
    return issuer(**{name: value for name, value in values.items() if value is not None})
