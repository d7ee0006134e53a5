"""The settings of a stage's last deployment, which its template records, and what the next deployment would drop.

A setting from the command line (`-c issuer=figma`) is in no file, so the next deployment forgets it unless somebody
gives it again. docs/adr/0008 says why the app compares and CloudFormation does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from infra import fleet_stage
from infra.stage_settings import GUARDED, SETTINGS, StageSettings, issuer_of, kind_of
from refresh_token.signals import SETTINGS_RECORD
from token_refresher.settings.provider_list import Named

_FLEET = "connectionsOf"
"""Key of the record with the providers of a fleet's connections."""
_OPTIONAL = (*fleet_stage.SETTINGS, "event_bus")
"""Settings that the record has only if they are set."""


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
    connections_of: frozenset[str] = frozenset()
    """The providers of the fleet's connections; none without a fleet."""

    @classmethod
    def in_template(cls, template: Mapping[str, Any]) -> Self | None:
        """Return what the template records; None if it is older than the record."""
        match template.get("Metadata", {}).get(SETTINGS_RECORD):
            case {"settings": dict() as values, "given": list() as given, **more}:
                fleet: Any = more.get(_FLEET, ())
                return cls(values=values, given=frozenset(given), connections_of=frozenset(fleet))
        return None

    def dropped_by(self, settings: StageSettings) -> list[Dropped]:
        """Return the settings that a deployment with these settings would change, although nobody asks for it."""
        return list(self._dropped_by(settings))

    def _dropped_by(self, settings: StageSettings) -> Iterator[Dropped]:
        issuer = settings.values["issuer"]
        # Only the chosen issuer's settings can be given, so they name the issuer too. Those of a profile fit many.
        chosen = "issuer" in settings.given or any(issuer_of(key) == issuer for key in settings.given)
        other_issuer = chosen or _confirmed("issuer", settings)
        no_fleet = fleet_stage.CONNECTIONS in settings.given and settings.fleet is None
        kept = (None,) if issuer != self.values.get("issuer") else (None, kind_of(issuer))
        for key in SETTINGS:
            if key not in self.given or key in settings.given or _confirmed(key, settings):
                continue
            if no_fleet and key in fleet_stage.SETTINGS:
                continue
            if other_issuer and (key == "issuer" or issuer_of(key) not in kept):
                continue
            deployed, following = self.values.get(key), _recorded(settings.values[key])
            if following == SETTINGS[key].default if SETTINGS[key].hidden else following != deployed:
                yield Dropped(key=key, deployed=deployed, next=following)


def record(settings: StageSettings) -> dict[str, Any]:
    """Return the template's `Metadata`. It has no hidden setting's value, and nothing of a fleet that is not there."""
    shown = {
        key: _recorded(value)
        for key, value in settings.values.items()
        if not SETTINGS[key].hidden
        and not (key in _OPTIONAL and key not in settings.given and value == SETTINGS[key].default)
    }
    fleet = {_FLEET: sorted(_providers_of(settings))} if settings.fleet else {}
    return {SETTINGS_RECORD: {"settings": shown, "given": sorted(settings.given), **fleet}}


def comparison(template: Mapping[str, Any] | None, settings: StageSettings) -> tuple[str | None, str | None]:
    """Return why a deployment over this template is refused, and what to warn of; None each if there is nothing."""
    deployed = DeployedSettings.in_template(template or {})
    dropped = deployed.dropped_by(settings) if deployed else []
    guarded, others = [one for one in dropped if one.group], [one for one in dropped if not one.group]
    warnings = [_warning(others)] if others else []
    if deployed and not guarded and (lost := deployed.connections_of - _providers_of(settings)):
        warnings.append(_abandoned(sorted(lost), settings))
    return _refusal(guarded) if guarded else None, "\n".join(warnings) or None


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


def _abandoned(providers: list[str], settings: StageSettings) -> str:
    """Say what happens to the connections of providers that the next deployment does not have."""
    if settings.fleet:
        lists = " and ".join(
            f"`tokenctl connections list --stage {settings.stage} --provider {one}`" for one in providers
        )
        return (
            f"Nothing will refresh the connections of {', '.join(providers)} any more. {lists} shows whether there are "
            "any. To keep them alive, leave the provider in the setting providers."
        )
    kept = (
        "The table stays, but nothing keeps its connections alive" if settings.protected else "So is every connection"
    )
    return (
        f"The fleet of {settings.stage} is deleted. {kept}. To keep a copy, first run "
        f"`tokenctl connections export --stage {settings.stage}`."
    )


def _providers_of(settings: StageSettings) -> frozenset[str]:
    return frozenset(issuer.provider for issuer in settings.fleet.providers) if settings.fleet else frozenset()


def _recorded(value: object) -> object:
    """Return a setting's value as the template has it: of providers only the names."""
    return list(value) if isinstance(value, Named) else value


def _confirmed(key: str, settings: StageSettings) -> bool:
    return bool({key, GUARDED.get(key)} & settings.confirmed)


def _shown(key: str, value: object) -> str:
    if SETTINGS[key].hidden:
        return "..."
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _lines(dropped: list[Dropped]) -> str:
    return "\n".join(f"  {one}" for one in dropped)


def _options(dropped: list[Dropped]) -> str:
    return " ".join(one.option for one in dropped)
