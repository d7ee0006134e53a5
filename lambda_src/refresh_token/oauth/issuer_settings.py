"""What the settings of every issuer have in common. `issuers` has the issuers themselves.

The construct checks the settings and writes the variables (`to_variables`); the function and `tokenctl` read them
(`from_variables`). A setting is one field: its type, rule, default and description.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, get_type_hints
from urllib.parse import urlsplit

from refresh_token.core.issued_by import IssuedBy
from refresh_token.environment import ISSUER
from refresh_token.oauth.app_credentials import KEYS
from refresh_token.oauth.setting import Setting
from refresh_token.oauth.variables import ALLOW_HTTP, VariableReader

if TYPE_CHECKING:
    from refresh_token.oauth.bound_profile import BoundProfile

UNNAMED: Final = "the issuer"


class IssuerSettings(ABC):
    """What an operator can set about an issuer. The constructor checks nothing; the readers do."""

    key_prefix: ClassVar[str]
    """What the keys of its settings in `cdk.json` begin with."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The issuer's name, which is the value of ISSUER."""

    @property
    def title(self) -> str:
        """Whose tokens these are, for people. An issuer of any provider's tokens does not know it."""
        return "Figma"

    @property
    def label(self) -> str:
        """What messages to people call the issuer."""
        return UNNAMED

    @property
    @abstractmethod
    def token_life(self) -> timedelta | None:
        """How long a token lives if the issuer does not say it; None if a person renews it."""

    @property
    def refresh_margin(self) -> int:
        """How many seconds before a token's expiry the issuer begins to accept refreshes; 0 if it always does."""
        return 0

    @property
    def grant_days(self) -> tuple[int, int]:
        """After how many days a grant ends: without a refresh, and in any case; 0 if that is not known."""
        return 0, 0

    @property
    def signs_with(self) -> str:
        """The algorithm with which a key of the deployment signs; "" if nothing is signed with such a key."""
        return ""

    @property
    def signing_key_number(self) -> int:
        """Which key of the deployment signs, of those that it had one after the other."""
        return 1

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield the settings that do not fit together, each with the rule that it breaks."""
        yield from ()

    @classmethod
    def settings(cls) -> dict[str, Setting]:
        """Return the settings by name, with the defaults of their fields."""
        hints = get_type_hints(cls, include_extras=True)
        return {
            each.name: replace(setting, default=_default(each), required=_is_required(each))
            for each in fields(cls)  # type: ignore[arg-type]  # each issuer's class is a dataclass
            for setting in getattr(hints[each.name], "__metadata__", ())
        }

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Return the name of each setting's environment variable, by the setting's name."""
        return {
            name: setting.variable or f"{cls.key_prefix}_{name}".upper() for name, setting in cls.settings().items()
        }

    @classmethod
    def keys(cls) -> dict[str, str]:
        """Return each setting's key in `cdk.json`, by the setting's name."""
        return {name: f"{cls.key_prefix}_{name}" for name in cls.settings()}

    @classmethod
    def from_variables(cls, reader: VariableReader) -> Self:
        """Read the settings; call `reader.check()` before you use them."""
        settings = cls.settings()
        found = {name: reader.value(variable, settings[name]) for name, variable in cls.variables().items()}
        return cls(**{name: value for name, value in found.items() if value is not None})

    def to_variables(self) -> dict[str, str]:
        """Return the variables that tell the function about this issuer. An empty setting needs no variable."""
        values = {variable: getattr(self, name) for name, variable in self.variables().items()}
        return {ISSUER: self.name, **{name: _text(value) for name, value in values.items() if value}}


@dataclass(frozen=True, kw_only=True)
class OwnAppSettings(IssuerSettings):
    """The settings of an issuer that serves an app of your own, at a token endpoint."""

    allow_http: bool = field(default=False, compare=False)
    """Whether an address may be http, for a stand-in on a local cloud."""

    @property
    def app_keys(self) -> tuple[str, ...]:
        """The keys that the secret with the app's credentials must have; none if the issuer wants no credentials."""
        return KEYS

    @property
    @abstractmethod
    def profile(self) -> "BoundProfile":
        """What the issuer expects with these settings."""

    @property
    def address(self) -> str:
        """Where the issuer is."""
        return self.profile.refresh_url

    @property
    def issued_by(self) -> IssuedBy:
        """Whose tokens and credentials those of this issuer are."""
        return IssuedBy.of(self.name, self.profile.home)

    @property
    def token_life(self) -> timedelta | None:
        """How long a token lives if the issuer does not say it; None if a person renews it."""
        return timedelta(seconds=self.profile.default_lifetime)

    @property
    def refresh_margin(self) -> int:
        """How many seconds before a token's expiry the issuer begins to accept refreshes; 0 if it always does."""
        return self.profile.refresh_margin

    def to_variables(self) -> dict[str, str]:
        """Return the variables that tell the function about this issuer. A stand-in may have no https."""
        stand_in = urlsplit(self.address).scheme == "http"
        return {**super().to_variables(), **({ALLOW_HTTP: "true"} if stand_in else {})}


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _default(field: Field[Any]) -> object:
    """Return the default value, None if it is empty."""
    return None if field.default is MISSING else field.default or None


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else str(value)
