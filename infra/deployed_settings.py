"""The settings of a stage's last deployment, which its template records, and what the next deployment would drop.

A setting from the command line (`-c issuer=figma`) is in no file, so the next deployment forgets it unless somebody
gives it again. docs/adr/0008 says why the app compares and CloudFormation does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from infra.stage_settings import GUARDED, SETTINGS, StageSettings, issuer_of, kind_of
from refresh_token.signals import SETTINGS_RECORD


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A setting that the deployed stack was given on the command line, and that would now change without a word."""

    key: str
    deployed: object
    next: object

    @property
    def group(self) -> str | None:
        """What confirms the change: a word for `-c confirm=`. None if nobody has to confirm it."""
        return GUARDED.get(self.key)

    @property
    def option(self) -> str:
        """The option that keeps the setting."""
        return f"-c {self.key}={_shown(self.key, self.deployed)}"

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.key, self.deployed)} -> {_shown(self.key, self.next) or '(nothing)'}"


@dataclass(frozen=True, kw_only=True)
class DeployedSettings:
    """What a template says about the settings of its deployment."""

    values: Mapping[str, Any]
    """Every setting but the hidden ones."""
    given: frozenset[str]
    """The keys that came from the command line."""

    @classmethod
    def in_template(cls, template: Mapping[str, Any]) -> Self | None:
        """Return what the template records; None if it is older than the record."""
        match template.get("Metadata", {}).get(SETTINGS_RECORD):
            case {"settings": dict() as values, "given": list() as given}:
                return cls(values=values, given=frozenset(given))
        return None

    def dropped_by(self, settings: StageSettings) -> list[Dropped]:
        """Return the settings that a deployment with these settings would change, although nobody asks for it."""
        return list(self._dropped_by(settings))

    def _dropped_by(self, settings: StageSettings) -> Iterator[Dropped]:
        issuer = settings.values["issuer"]
        # Only the chosen issuer's settings can be given, so they name the issuer too. Those of a profile fit many.
        chosen = "issuer" in settings.given or any(issuer_of(key) == issuer for key in settings.given)
        other_issuer = chosen or _confirmed("issuer", settings)
        kept = (None,) if issuer != self.values.get("issuer") else (None, kind_of(issuer))
        for key in SETTINGS:
            if key not in self.given or key in settings.given or _confirmed(key, settings):
                continue
            if other_issuer and (key == "issuer" or issuer_of(key) not in kept):
                continue
            deployed, following = self.values.get(key), settings.values[key]
            if following == SETTINGS[key].default if SETTINGS[key].hidden else following != deployed:
                yield Dropped(key=key, deployed=deployed, next=following)


def record(settings: StageSettings) -> dict[str, Any]:
    """Return the template's `Metadata`. It has no hidden setting's value."""
    shown = {key: value for key, value in settings.values.items() if not SETTINGS[key].hidden}
    return {SETTINGS_RECORD: {"settings": shown, "given": sorted(settings.given)}}


def comparison(template: Mapping[str, Any] | None, settings: StageSettings) -> tuple[str | None, str | None]:
    """Return why a deployment over this template is refused, and what to warn of; None each if there is nothing."""
    deployed = DeployedSettings.in_template(template or {})
    dropped = deployed.dropped_by(settings) if deployed else []
    guarded, others = [one for one in dropped if one.group], [one for one in dropped if not one.group]
    return _refusal(guarded) if guarded else None, _warning(others) if others else None


def _refusal(dropped: list[Dropped]) -> str:
    groups = ",".join(dict.fromkeys(one.group for one in dropped if one.group))
    return (
        f"This would change settings that the deployed stack was given with -c:\n{_lines(dropped)}\n"
        f"To keep them, add {_options(dropped)}, or write them into cdk.json. To change them, add -c confirm={groups}."
    )


def _warning(dropped: list[Dropped]) -> str:
    return (
        f"The deployed stack was given settings with -c that this changes:\n{_lines(dropped)}\n"
        f"To keep them, add {_options(dropped)}, or write them into cdk.json."
    )


def _confirmed(key: str, settings: StageSettings) -> bool:
    return bool({key, GUARDED.get(key)} & settings.confirmed)


def _shown(key: str, value: object) -> str:
    if SETTINGS[key].hidden:
        return "..."
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _lines(dropped: list[Dropped]) -> str:
    return "\n".join(f"  {one}" for one in dropped)


def _options(dropped: list[Dropped]) -> str:
    return " ".join(one.option for one in dropped)
