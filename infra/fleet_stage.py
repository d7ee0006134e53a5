"""The fleet of a stage: whether it has one, its providers and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from refresh_token.oauth.setting import Setting
from token_refresher.fleet_providers import faults_of
from token_refresher.issuers import Issuer
from token_refresher.settings.fleet_settings import FleetSettings
from token_refresher.settings.provider_list import ProviderList
from token_refresher.settings.reader import SettingsError, SettingsReader
from token_refresher.settings.rules import Flag
from token_refresher.settings.setting import settings_of

CONNECTIONS: Final = "connections"
PROVIDERS: Final = "providers"

SETTINGS: Final[Mapping[str, Setting]] = {
    CONNECTIONS: Setting(
        rule=Flag(),
        default=False,
        about="whether the stack also keeps a [fleet](docs/fleet.md) of many connections alive, one for each user or "
        "tenant",
    ),
    PROVIDERS: Setting(
        rule=ProviderList(),
        default=None,
        about="the providers of the fleet's connections. Each one but the stack's own `issuer` gets a secret for its "
        "app. Without it, the stack's `issuer` is the only one",
    ),
    **settings_of(FleetSettings),
}
"""The keys of the context that belong to a fleet."""


@dataclass(frozen=True, kw_only=True)
class FleetStage:
    """The fleet of a stage, checked."""

    providers: tuple[Issuer, ...]
    settings: FleetSettings


def read_fleet(
    reader: SettingsReader, values: Mapping[str, Any], issuer: Issuer | None, *, allow_http: bool
) -> FleetStage | None:
    """Return the fleet; None if the stage has none. Note the faults of its settings."""
    if not values[CONNECTIONS]:
        for key in SETTINGS:
            if reader.is_sound(CONNECTIONS, key) and values[key] != SETTINGS[key].default:
                reader.fault(key, "has no effect without connections=true. Remove it, or set connections")
        return None
    if issuer is None or not reader.is_sound(*SETTINGS):
        return None
    providers = _providers(reader, values, issuer, allow_http=allow_http)
    settings = cast("FleetSettings", {key: values[key] for key in settings_of(FleetSettings)})
    return FleetStage(providers=tuple(providers), settings=settings)


def _providers(reader: SettingsReader, values: Mapping[str, Any], issuer: Issuer, *, allow_http: bool) -> list[Issuer]:
    """Return the issuers of the fleet. The stack's own has its own settings."""
    own = values["issuer"]
    found = []
    for name, arguments in (values[PROVIDERS] or {own: {}}).items():
        if name == own:
            if arguments:
                reader.fault(PROVIDERS, f"{name} is the stack's issuer, so its own settings count. Remove them here")
            found.append(issuer)
            continue
        try:
            found.append(Issuer.named(name, allow_http=allow_http, **arguments))
        except SettingsError as error:
            for fault in error.faults:
                reader.fault(PROVIDERS, f"{name}: {fault}")
    for fault in faults_of(found) if reader.is_sound(PROVIDERS) else []:
        reader.fault(PROVIDERS, fault.removeprefix("providers="))
    return found
