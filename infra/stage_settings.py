"""The settings of our own stages. `cdk.json` holds a block for each stage; `-c key=value` overrides one key of it.

A stage has the settings of a refresher, and names its issuer and the issuer's arguments by keys of the context.
"""

import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

from infra import fleet_stage
from infra.fleet_stage import FleetStage, read_fleet
from refresh_token.oauth.issuer_settings import IssuerSettings
from refresh_token.oauth.issuers import ALL_SETTINGS, AMPLIFY, NAMES
from refresh_token.oauth.profile_file import ProfileError
from refresh_token.oauth.profile_settings import ProfileSettings
from refresh_token.oauth.rules import Rule, choice, for_stand_in, listed
from refresh_token.oauth.setting import Setting
from refresh_token.signals import STACK_PREFIX, STAGE_NAME
from token_refresher.issuers import Issuer
from token_refresher.profiles import IssuerName, find_profile
from token_refresher.settings.combinations import check_together
from token_refresher.settings.reader import SettingsError, SettingsReader
from token_refresher.settings.refresher_settings import RefresherSettings, checked
from token_refresher.settings.resource_settings import ARCHITECTURES, ResourceSettings
from token_refresher.settings.rules import Flag
from token_refresher.settings.setting import settings_of
from token_refresher.settings.timing_settings import TimingSettings

LOCAL = "local"
PROD = "prod"
MACHINE = "machine"

PROFILE = "<profile>"
"""Stands for every issuer that a profile describes."""

_KINDS: Mapping[str, type[IssuerSettings]] = {**ALL_SETTINGS, PROFILE: ProfileSettings}
_BY_ISSUER: Mapping[str, Mapping[str, Setting]] = {
    name: {issuer.keys()[argument]: setting for argument, setting in issuer.settings().items()}
    for name, issuer in _KINDS.items()
}
"""The settings of each issuer, by their keys in the context."""

SETTINGS: Mapping[str, Setting] = {
    **settings_of(TimingSettings),
    "issuer": Setting(
        rule=IssuerName(),
        default=NAMES[0],
        about="who issues new tokens: Amplify UI Builder, Figma itself with your own app, any OAuth 2 server, or a "
        "provider that a [profile](docs/issuers.md#a-provider-with-a-profile) describes, by its name in the catalogue "
        "or by the path of your own file. All but the first need one more secret, for 0.40 USD a month. `static` is "
        "for a token that a person renews. See [issuers](docs/issuers.md)",
    ),
    **{key: setting for name in _KINDS if name != AMPLIFY for key, setting in _BY_ISSUER[name].items()},
    **settings_of(ResourceSettings),
    "protected": Setting(
        rule=Flag(),
        default=None,
        about="whether the stack refuses to be deleted, and its secrets, table and logs outlive it. Without it, `prod` "
        "is protected, and no other stage",
    ),
    **_BY_ISSUER[AMPLIFY],
    **fleet_stage.SETTINGS,
}
"""Every key that a stage can set."""

ENDPOINT = "amplifyuibuilder_endpoint_url"
GUARDED: Mapping[str, str] = {
    "issuer": "issuer",
    **{key: "issuer" for settings in _BY_ISSUER.values() for key in settings},
    **dict.fromkeys(("advisory_window_hours", "mandatory_window_hours", "refresh_margin_seconds"), "windows"),
    ENDPOINT: "endpoint",
    **dict.fromkeys((fleet_stage.CONNECTIONS, fleet_stage.PROVIDERS), "connections"),
}
"""The settings whose change has to be confirmed if nobody asks for it, with the word that confirms it."""


def issuer_of(key: str) -> str | None:
    """Return the issuer that a setting belongs to, if it belongs to one; `PROFILE` for every one with a profile."""
    return next((name for name, settings in _BY_ISSUER.items() if key in settings), None)


def kind_of(issuer: str) -> str:
    """Return the issuer's name, or `PROFILE` if a profile describes it."""
    return issuer if issuer in ALL_SETTINGS else PROFILE


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """One stage of our own stack, checked."""

    stage: str
    protected: bool = False
    """Whether the stack refuses to be deleted, and the secrets, their key, the table and the logs outlive it."""
    refresher: RefresherSettings = field(default_factory=lambda: checked({}))
    issuer: Issuer = field(default_factory=Issuer.amplify)
    fleet: FleetStage | None = None
    """The fleet, with `connections`."""
    values: Mapping[str, Any] = field(
        default_factory=lambda: {key: setting.default for key, setting in SETTINGS.items()}, compare=False
    )
    """Every setting by its key."""
    given: frozenset[str] = frozenset()
    """The keys from the command line. No file has them."""
    confirmed: frozenset[str] = frozenset()
    """Which changes are confirmed: the words in `GUARDED`, or its keys."""

    @property
    def stack_name(self) -> str:
        """The CloudFormation stack, and the `service` dimension of the metrics."""
        return f"{STACK_PREFIX}{self.stage}"

    @property
    def parameter_path(self) -> str:
        """Where Parameter Store gets the ARNs."""
        return f"/RefreshToken/{self.stage}"

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, machine: Callable[[], str] = platform.machine) -> Self:
        """Read the CDK context: `stage`, the block `stages.<stage>`, and overrides, which arrive as strings.

        Raises:
            SettingsError: names every fault, not only the first.

        """
        stage, block = _stage(context)
        confirmed = _confirmed(context)
        given = {**block, **{key: context[key] for key in SETTINGS if key in context}}
        if stage == LOCAL and given.get("architecture") == MACHINE:
            given["architecture"] = "arm64" if machine().lower() in ("arm64", "aarch64") else "x86_64"
        reader = SettingsReader(SETTINGS, given, rules=_local_rules() if stage == LOCAL else None)
        reader.refuse_unknown_keys(block, context)
        if stage == PROD and not reader.absent(ENDPOINT):
            reader.fault(ENDPOINT, "must not be set on prod: it would send the refresh token elsewhere")
        values = reader.take_all()
        _check_issuer(reader, values)
        about_issuer = ("issuer", *(key for settings in _BY_ISSUER.values() for key in settings))
        issuer = _issuer(reader, values, allow_http=stage == LOCAL) if reader.is_sound(*about_issuer) else None
        check_together(reader, values, issuer)
        fleet = read_fleet(reader, values, issuer, allow_http=stage == LOCAL)
        reader.check()
        refresher = cast("RefresherSettings", {key: values[key] for key in settings_of(RefresherSettings)})
        protected = stage == PROD if values["protected"] is None else values["protected"]
        return cls(
            stage=stage,
            protected=protected,
            refresher=refresher,
            issuer=cast("Issuer", issuer),
            fleet=fleet,
            values=values,
            given=frozenset(key for key in SETTINGS if key in context),
            confirmed=confirmed,
        )


def _stage(context: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """Return the stage's name and its block."""
    stage, blocks = context.get("stage", "dev"), context.get("stages")
    names = [name for name, block in blocks.items() if isinstance(block, dict)] if isinstance(blocks, dict) else []
    if not isinstance(stage, str) or not re.fullmatch(STAGE_NAME, stage):
        raise SettingsError([f"stage={stage}: must be 1 to 100 letters, digits and hyphens, and begin with a letter"])
    if stage not in names:
        others = f", as {', '.join(names)} have" if names else ""
        raise SettingsError([f"stage={stage}: must have its own block in cdk.json{others}"])
    return stage, cast("dict[str, Mapping[str, object]]", blocks)[stage]


def _confirmed(context: Mapping[str, object]) -> frozenset[str]:
    """Return the words of `-c confirm=issuer,windows`."""
    given = context.get("confirm", "")
    words = frozenset(word.strip() for word in str(given).split(",") if word.strip())
    if words - {*GUARDED, *GUARDED.values()}:
        known = listed(tuple(dict.fromkeys(GUARDED.values())))
        raise SettingsError([f"confirm={given}: must be {known}, or a setting that belongs to them"])
    return words


def _local_rules() -> dict[str, Rule]:
    """Return the rules of the stage `local`: its issuer is a stand-in, and it follows the machine it is deployed from.

    A stage on AWS must not follow the machine: two people would deploy two templates.
    """
    stand_ins = {
        key: for_stand_in(setting.rule) for settings in _BY_ISSUER.values() for key, setting in settings.items()
    }
    return {"architecture": choice((*ARCHITECTURES, MACHINE)), **stand_ins}


def _check_issuer(reader: SettingsReader, values: Mapping[str, Any]) -> None:
    """Note the settings of other issuers than the chosen one, and what the chosen one lacks."""
    chosen = values["issuer"]
    for issuer, settings in _BY_ISSUER.items():
        for key, setting in settings.items():
            if not reader.is_sound("issuer", key):
                continue
            if issuer != kind_of(chosen) and values[key] != setting.default:
                owner = "an issuer with a profile" if issuer == PROFILE else f"issuer={issuer}"
                reader.fault(key, f"belongs to {owner}, but the issuer is {chosen}. Remove it, or choose {owner}")
            if issuer == chosen and setting.required and values[key] is None:
                reader.fault(key, f"must be set with issuer={chosen}")


def _issuer(reader: SettingsReader, values: Mapping[str, Any], *, allow_http: bool) -> Issuer | None:
    """Return the chosen issuer. Note the faults of a profile, and of the settings that do not fit it."""
    name: str = values["issuer"]
    kind = _KINDS[kind_of(name)]
    arguments = {argument: values[key] for argument, key in kind.keys().items()}
    if kind is not ProfileSettings:
        return Issuer.named(name, allow_http=allow_http, **arguments)
    try:
        described, own = find_profile(name, allow_http=allow_http)
    except ProfileError as error:
        for fault in error.faults:
            reader.fault("issuer", fault)
        return None
    given = {argument: value for argument, value in arguments.items() if value is not None}
    settings = ProfileSettings(described=described, own=own, allow_http=allow_http, **given)
    for argument, rule in settings.faults():
        reader.fault(kind.keys()[argument], rule)
    return Issuer(settings)
