"""The settings of an issuer that a profile describes: one of the catalogue, or one in a file of yours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, ClassVar, Self

from refresh_token.core.grant_life import MAX_DAYS
from refresh_token.environment import ISSUER, ISSUER_GRANT
from refresh_token.oauth import catalogue
from refresh_token.oauth.app_keys import app_keys
from refresh_token.oauth.binding import faults_of_params
from refresh_token.oauth.bound_profile import ENDLESS, BoundProfile
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import NAMES, SETTINGS
from refresh_token.oauth.profile import REFRESH_TOKEN, STATIC, Profile
from refresh_token.oauth.profile_file import ProfileError, from_compact_json
from refresh_token.oauth.profile_requests import KMS_ALGORITHMS
from refresh_token.oauth.rules import SCOPES, Strings, Whole
from refresh_token.oauth.setting import Setting
from refresh_token.oauth.variables import ISSUER_PROFILE, VariableReader


@dataclass(frozen=True, kw_only=True)
class ProfileSettings(OwnAppSettings):
    """Any provider that a profile describes (docs/profiles.md)."""

    key_prefix: ClassVar[str] = "issuer"
    described: Profile
    own: str = field(default="", repr=False)
    """The profile as compact JSON, which the function gets; "" if the catalogue has it."""
    params: Annotated[
        Mapping[str, str],
        Setting(
            rule=Strings(()),
            about='what stands in the addresses of a profile, such as `{"subdomain": "acme"}`. `tokenctl providers '
            "show` says what a profile needs. They are readable in the function's configuration",
            hidden=True,
        ),
    ] = field(default_factory=dict, repr=False)
    scope: Annotated[
        str,
        Setting(
            rule=SCOPES,
            about="the scopes to request beside those of the profile, with one blank between them",
        ),
    ] = ""
    key_number: Annotated[
        int,
        Setting(
            rule=Whole(1, 999),
            about="which KMS key signs, for a profile with signed JWTs. KMS takes no second private key into the same "
            "one, so raise it by one when the provider has another; then import that",
        ),
    ] = 1

    @property
    def name(self) -> str:
        """The profile's name."""
        return self.described.name

    @property
    def title(self) -> str:
        """The provider."""
        return self.described.title

    @property
    def label(self) -> str:
        """The provider."""
        return self.described.title

    @property
    def grant(self) -> str:
        """How a token is renewed."""
        return self.described.grant

    @property
    def profile(self) -> BoundProfile:
        """What the provider expects from this deployment."""
        return BoundProfile(
            profile=self.described,
            params=self.params,
            more_scopes=tuple(self.scope.split()),
            allow_http=self.allow_http,
        )

    @property
    def token_life(self) -> timedelta | None:
        """How long a token lives if the provider does not say it; None if a person renews it."""
        if self.grant == STATIC:
            return None
        return timedelta(seconds=self.described.answer.lifetime_seconds or ENDLESS)

    @property
    def refresh_margin(self) -> int:
        """How many seconds before a token's expiry the provider begins to accept refreshes; 0 if it always does."""
        return self.described.refresh_token.margin_seconds

    @property
    def grant_days(self) -> tuple[int, int]:
        """After how many days a grant ends: without a refresh, and in any case; 0 if that is not known."""
        life = self.described.refresh_token
        return min(life.idle_days, MAX_DAYS), min(life.absolute_days, MAX_DAYS)

    @property
    def signs_with(self) -> str:
        """The algorithm with which a key of the deployment signs; "" if nothing is signed with such a key."""
        jwt = self.described.jwt
        return jwt.alg if jwt and jwt.alg in KMS_ALGORITHMS else ""

    @property
    def signing_key_number(self) -> int:
        """Which key of the deployment signs, of those that it had one after the other."""
        return self.key_number

    @property
    def app_keys(self) -> tuple[str, ...]:
        """The keys that the secret with the app's credentials must have; none if the provider wants no credentials."""
        return app_keys(self.described)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what does not fit the profile."""
        for fault in faults_of_params(self.described, self.params, allow_http=self.allow_http):
            yield "params", fault
        if self.scope and not self.described.sign_in.scope_name:
            yield "scope", f"has no effect, because {self.title} takes no scopes. Remove it"
        if self.key_number != 1 and not self.signs_with:
            yield "key_number", f"has no effect, because no KMS key signs for {self.title}. Remove it"

    def to_variables(self) -> dict[str, str]:
        """Return the variables that tell the function about this issuer."""
        usual = super().to_variables()
        del usual[self.variables()["key_number"]]  # the function gets the key's ARN
        more = {ISSUER_PROFILE: self.own, ISSUER_GRANT: "" if self.grant == REFRESH_TOKEN else self.grant}
        return {**usual, **{name: value for name, value in more.items() if value}}

    @classmethod
    def from_variables(cls, reader: VariableReader) -> Self:
        """Read the settings; call `reader.check()` before you use them."""
        name, own = reader.text(ISSUER, ""), reader.text(ISSUER_PROFILE, "")
        try:
            described = from_compact_json(own, allow_http=reader.allows_http) if own else catalogue.load(name)
        except ProfileError as error:
            for fault in error.faults:
                reader.fault(f"{ISSUER_PROFILE if own else ISSUER} {fault}")
        except KeyError:
            reader.fault(f"{ISSUER} must be one of {', '.join(NAMES)}, or a provider of the catalogue")
        reader.check()
        settings = cls.settings()
        given = {each: reader.value(variable, settings[each]) for each, variable in cls.variables().items()}
        read = cls(
            described=described,
            own=own,
            allow_http=reader.allows_http,
            **{each: value for each, value in given.items() if value is not None},
        )
        for each, rule in read.faults():
            reader.fault(f"{cls.variables()[each]} {rule}")
        return read


def own_app_settings(name: str) -> type[OwnAppSettings]:
    """Return the class with the settings of an issuer that serves an app of your own."""
    return SETTINGS.get(name, ProfileSettings)
