"""The issuers, as values that `TokenRefresher` takes. `refresh_token.oauth.issuers` has their arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, Self, cast

from refresh_token.oauth.issuer_settings import IssuerSettings, OwnAppSettings
from refresh_token.oauth.issuers import (
    ALL_SETTINGS,
    AMPLIFY,
    FIGMA,
    AmplifySettings,
    FigmaSettings,
    OAuth2Settings,
    StaticSettings,
)
from refresh_token.oauth.profile_file import ProfileError
from refresh_token.oauth.profile_settings import ProfileSettings
from refresh_token.oauth.rules import for_stand_in
from token_refresher.profiles import IssuerName, find_profile
from token_refresher.settings.reader import SettingsError, SettingsReader

P = ParamSpec("P")


def _method(settings: Callable[P, IssuerSettings]) -> Callable[P, "Issuer"]:
    def method(*args: P.args, **arguments: P.kwargs) -> "Issuer":
        return Issuer.of(settings, *args, **arguments)

    method.__doc__ = settings.__doc__
    return method


@dataclass(frozen=True)
class Issuer:
    """Who issues access tokens. Make one with `amplify`, `figma`, `oauth2`, `static`, `profile` or `named`.

    These take the fields of the issuer's settings as keyword arguments, and raise `SettingsError` with a line for each
    argument that breaks its rule. `allow_http` allows an address with http, for a stand-in on a local cloud.
    """

    settings: IssuerSettings = field(repr=False)

    @property
    def name(self) -> str:
        """The name, which is also the value of the setting `issuer` in `cdk.json`."""
        return self.settings.name

    @property
    def provider(self) -> str:
        """Whose tokens the connections of a fleet have. Amplify UI Builder refreshes those of Figma."""
        return FIGMA if self.calls_ui_builder else self.name

    @property
    def replaces_refresh_tokens(self) -> bool:
        """Whether a refresh may replace the refresh token. The old one must then never be sent again."""
        return isinstance(self.settings, OwnAppSettings) and self.settings.profile.rotates

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
        """Whether the issuer wants the credentials of your own app, so that a second secret holds them."""
        return isinstance(self.settings, OwnAppSettings) and bool(self.settings.app_keys)

    @property
    def title(self) -> str:
        """Whose tokens these are, for people."""
        return self.settings.title

    @property
    def signs_with(self) -> str:
        """The algorithm with which a KMS key signs for the function; "" if it signs nothing."""
        return self.settings.signs_with

    @property
    def signing_key_number(self) -> int:
        """Which KMS key signs, of those that the refresher had one after the other."""
        return self.settings.signing_key_number

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

    @property
    def grant_idle_days(self) -> int:
        """After how many days without a refresh the grant ends; 0 if that is not known."""
        return self.settings.grant_days[0]

    @property
    def grant_absolute_days(self) -> int:
        """How many days after the sign-in the grant ends; 0 if that is not known."""
        return self.settings.grant_days[1]

    amplify = staticmethod(_method(AmplifySettings))
    figma = staticmethod(_method(FigmaSettings))
    oauth2 = staticmethod(_method(OAuth2Settings))
    static = staticmethod(_method(StaticSettings))

    @classmethod
    def of(cls, settings: Callable[P, IssuerSettings], *_: P.args, **arguments: P.kwargs) -> Self:
        """Return the issuer with this class of settings."""
        kind = cast("type[IssuerSettings]", settings)
        return cls(_checked(kind, arguments, of=kind))

    @classmethod
    def profile(cls, name: str | Path, **arguments: Any) -> Self:  # noqa: ANN401 - checked below
        """Return the issuer of a profile: of the catalogue, by its name, or in a file, by its path.

        Args:
            name: Such as `linear`, or `./acme.toml` relative to the current folder.
            **arguments: `params`, what the profile's addresses need; `scope`, more scopes; `allow_http`.

        Raises:
            SettingsError: there is no such profile, or it or an argument breaks a rule; with a line for each fault.

        """
        try:
            named = IssuerName().read(str(name))
            http = bool(arguments.get("allow_http"))
            described, own = find_profile(named, allow_http=http)
        except ProfileError as error:
            raise SettingsError([f"issuer={name}: {fault}" for fault in error.faults]) from None
        except ValueError as error:
            raise SettingsError([f"issuer={name}: {error}"]) from None
        make = partial(ProfileSettings, described=described, own=own, allow_http=http)
        return cls(_checked(make, arguments, of=ProfileSettings))

    @classmethod
    def named(cls, name: str, **arguments: Any) -> Self:  # noqa: ANN401 - checked below
        """Return the issuer with this name, or of the profile with this name or path."""
        if name not in ALL_SETTINGS:
            return cls.profile(name, **arguments)
        return cls(_checked(ALL_SETTINGS[name], arguments, of=ALL_SETTINGS[name]))


def _checked(
    make: Callable[..., IssuerSettings], given: Mapping[str, object], *, of: type[IssuerSettings]
) -> IssuerSettings:
    settings = of.settings()
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
    made = make(**{name: value for name, value in values.items() if value is not None})
    for name, rule in made.faults():
        reader.fault(name, rule)
    reader.check()
    return made
