"""Which settings a stage accepts from cdk.json and the command line, and the messages for wrong ones."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from infra.stage_settings import StageSettings
from refresh_token.issuers import registry
from refresh_token.issuers.registry import issuer_from
from refresh_token.oauth import catalogue
from refresh_token.oauth.issuers import NAMES, OAuth2Settings
from refresh_token.oauth.profile import GRANTS
from refresh_token.oauth.rules import listed
from refresh_token.settings import Settings
from tests.support.provider_server import behaviour
from tests.support.stage_settings import faults, read
from token_refresher.construct import TokenRefresher
from token_refresher.issuers import Issuer
from token_refresher.profiles import IssuerName
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import checked

TOKEN_URL = "https://sign-in.example/token"
OAUTH2 = {"issuer": "oauth2", "oauth2_token_url": TOKEN_URL}
STATIC = "has no effect with issuer=static, because a person renews the token. Remove it"
LIFE = "oauth2_default_lifetime_seconds"
WHOLE = "must be a whole number from "
RETENTION = (
    "must be 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or "
)
RETENTION += "3653, the periods that CloudWatch Logs offers"
SLOW = "must tick twice within advisory_window_hours=168, but two ticks can take "
URL = "must be a URL such as http://127.0.0.1:9999, without user, query or fragment"
HTTPS = "must be an address with https, without user, query or fragment"
HTTPS_QUERY = "must be an address with https, without user or fragment"
HTTP_TOO = "must be an address with https or http, without user, query or fragment"
ISSUER = str(IssuerName())
SCOPES = "must be scopes with one blank between them (RFC 6749, 3.3)"
LIFETIME = f"{WHOLE}60 to 31536000 seconds, a year at most"
MEMORY = f"{WHOLE}128 to 10240 MB, Lambda's limits"
ADVISORY = f"{WHOLE}2 to 2160 hours, 90 days at most"
EMAIL = "must be one e-mail address"
IDLE = "schedule={}: must tick at least every {} hours, a sixth of grant_idle_days={}, but ticks can be {} hours apart"
MARGIN = "refresh_margin_seconds={}: must be less than a token's life of {} seconds. Lower it, or raise "
MARGIN += "oauth2_default_lifetime_seconds"
VERSIONS = "refresh_policy=always: would store {} versions of the secret in 24 hours, of tokens that live {} seconds, "
VERSIONS += "and Secrets Manager keeps at most 100. Set auto or demand, or a slower schedule than {}"


class TestStages:
    def test_every_stage_in_cdk_json_is_sound(self, context: dict[str, Any]) -> None:
        assert read(context).stack_name == "RefreshToken-dev"
        stages = {name: read(context, stage=name) for name in context["stages"]}
        schedules = {name: stage.refresher["schedule"] for name, stage in stages.items()}
        assert schedules == {"dev": "rate(12 hours)", "prod": "rate(6 hours)", "local": "rate(1 minute)"}
        assert [name for name, stage in stages.items() if stage.protected] == ["prod"]

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"stage": stage} for stage in ("qa", "PROD")),
            *({"stages": blocks} for blocks in (None, "dev", {}, {"dev": "rate(1 day)"})),
        ],
        ids=str,
    )
    def test_a_stage_needs_its_own_block(self, context: dict[str, Any], wrong: dict[str, object]) -> None:
        (fault,) = faults(context, **wrong)
        assert fault.startswith(f"stage={wrong.get('stage', 'dev')}: must have its own block in cdk.json")

    @pytest.mark.parametrize("name", ["", 3, None, ["dev"], "a b", "a/b", "1a", "ä", "a" * 101])
    def test_a_stage_names_a_stack(self, context: dict[str, Any], name: object) -> None:
        (fault,) = faults(context, stage=name, stages={name: {}} if isinstance(name, str) else {})
        assert fault == f"stage={name}: must be 1 to 100 letters, digits and hyphens, and begin with a letter"

    def test_any_other_name_is_a_stage(self, context: dict[str, Any]) -> None:
        settings = read(context, stage="Team-2", stages={"Team-2": {"protected": True}})
        assert (settings.stack_name, settings.protected) == ("RefreshToken-Team-2", True)

    def test_an_empty_block_means_the_defaults(self, context: dict[str, Any]) -> None:
        assert read(context, stages={"dev": {}}) == StageSettings(stage="dev")
        values = checked({})
        assert (values["advisory_window_hours"], values["mandatory_window_hours"]) == (168, 24)

    @pytest.mark.parametrize(
        ("machine", "architecture"),
        [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")],
    )
    def test_only_local_follows_the_machine(self, context: dict[str, Any], machine: str, architecture: str) -> None:
        read_here = partial(StageSettings.from_context, machine=lambda: machine)
        stages = {name: read_here({**context, "stage": name}) for name in context["stages"]}
        found = {name: settings.refresher["architecture"] for name, settings in stages.items()}
        assert found == {"dev": "arm64", "prod": "arm64", "local": architecture}


class TestOverrides:
    def test_text_sets_each_key(self, context: dict[str, Any]) -> None:
        typed = {
            "schedule": "cron(0 6,18 * * ? *)",
            "architecture": "x86_64",
            "log_retention_days": 7,
            "memory_mb": 1024,
            "advisory_window_hours": 96,
            "mandatory_window_hours": 12,
            "refresh_margin_seconds": 600,
            "refresh_policy": "demand",
            "grant_idle_days": 60,
            "grant_absolute_days": 365,
            "timeout_seconds": 90,
            "reserved_concurrency": 2,
            "snap_start": True,
            "canary": True,
            "customer_managed_key": True,
            "alarm_email": "on-call@example.com",
            "schedule_time_zone": "Europe/Berlin",
            "log_level": "ERROR",
            "event_bus": "design",
            **dict.fromkeys(("schedule_enabled", "tracing", "dashboard", "client_layer", "alarms"), False),
        }
        text = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in typed.items()}
        url = "https://stand-in.example:8443/base"
        settings = read(context, **text, issuer="amplify", amplifyuibuilder_endpoint_url=url)
        assert settings.refresher == typed
        assert settings.issuer == Issuer.amplify(endpoint_url=url)

    def test_an_empty_one_removes_an_optional_setting(self, context: dict[str, Any]) -> None:
        block = {**context["stages"]["dev"], "reserved_concurrency": 5, "amplifyuibuilder_endpoint_url": "http://x"}
        stages = {"dev": block}
        settings = read(context, stages=stages, reserved_concurrency="", amplifyuibuilder_endpoint_url="")
        assert (settings.refresher["reserved_concurrency"], settings.issuer) == (None, Issuer.amplify())

    def test_other_keys_of_the_context_are_ignored(self, context: dict[str, Any]) -> None:
        assert read(context, **{"@aws-cdk/core:newFlag": True, "vpc-provider:x": {}, "colour": "red"}).stage == "dev"


class TestRules:
    @pytest.mark.parametrize(
        ("key", "value", "rule"),
        [
            ("schedule", "", "must be non-empty text"),
            ("schedule", 5, "must be non-empty text"),
            ("schedule", "rate(1 hours)", "must be written rate(1 hour)"),
            ("schedule", "rate(85 hours)", f"{SLOW}170 hours"),
            ("issuer", "no-such-one", f"{ISSUER}. `tokenctl providers list` shows the catalogue"),
            ("issuer", "lineer", f"{ISSUER}. Did you mean linear? `tokenctl providers list` shows the catalogue"),
            ("issuer", "box-cloud", f"{ISSUER}. Did you mean box? `tokenctl providers list` shows the catalogue"),
            ("issuer", "./none.toml", "there is no such file. A path is relative to the folder of cdk.json"),
            ("architecture", "i386", "must be arm64 or x86_64"),
            ("architecture", "machine", "must be arm64 or x86_64"),
            ("log_retention_days", "8", RETENTION),
            ("log_retention_days", True, RETENTION),
            ("memory_mb", "", MEMORY),
            ("memory_mb", "127", MEMORY),
            ("memory_mb", "10241", MEMORY),
            ("memory_mb", 512.5, MEMORY),
            ("advisory_window_hours", "-1", ADVISORY),
            ("advisory_window_hours", "٣", ADVISORY),
            ("advisory_window_hours", "2161", ADVISORY),
            ("mandatory_window_hours", "0", f"{WHOLE}1 to 2159 hours"),
            ("mandatory_window_hours", "168", "must be less than advisory_window_hours=168"),
            ("refresh_margin_seconds", "86401", f"{WHOLE}0 to 86400 seconds, a day at most"),
            ("refresh_policy", "never", "must be auto, always or demand"),
            ("grant_idle_days", "-1", f"{WHOLE}0 to 3650 days"),
            ("grant_absolute_days", "3651", f"{WHOLE}0 to 3650 days"),
            ("timeout_seconds", "44", f"{WHOLE}58 to 900 seconds: three attempts at the issuer, and Lambda's limit"),
            ("reserved_concurrency", "0", f"{WHOLE}1 to 1000"),
            ("reserved_concurrency", "many", f"{WHOLE}1 to 1000"),
            ("snap_start", "yes", "must be true or false"),
            ("snap_start", 1, "must be true or false"),
            ("customer_managed_key", "True", "must be true or false"),
            ("alarm_email", "on-call", EMAIL),
            ("alarm_email", "a@example.com, b@example.com", EMAIL),
            ("amplifyuibuilder_endpoint_url", "127.0.0.1:9999", URL),
            ("amplifyuibuilder_endpoint_url", "ftp://127.0.0.1", URL),
            ("amplifyuibuilder_endpoint_url", "http://ho st", URL),
            ("amplifyuibuilder_endpoint_url", 9999, URL),
            ("figma_base_url", "http://api.figma.com", HTTPS),
            ("figma_base_url", "", HTTPS),
            ("figma_base_url", 1, HTTPS),
            ("oauth2_token_url", "http://sign-in.example/token", HTTPS_QUERY),
            ("oauth2_token_url", "https://sign-in.example/token#f", HTTPS_QUERY),
            ("oauth2_token_url", "", "must be set with issuer=oauth2"),
            ("oauth2_client_auth", "header", "must be basic or post"),
            *(("oauth2_scope", scope, SCOPES) for scope in ("a  b", " a", 'a"b', "a\nb", "ä")),
            ("oauth2_default_lifetime_seconds", "59", LIFETIME),
            ("oauth2_default_lifetime_seconds", "31536001", LIFETIME),
        ],
    )
    def test_a_fault_has_key_value_and_rule(self, context: dict[str, Any], key: str, value: object, rule: str) -> None:
        issuer = {"issuer": "figma"} if key.startswith("figma") else OAUTH2 if key.startswith("oauth2") else {}
        assert faults(context, **{**issuer, key: value}) == (f"{key}={value}: {rule}",)

    def test_the_slowest_schedules(self, context: dict[str, Any]) -> None:
        """Two ticks fit into the advisory window, and into the 7 days that an alarm can look back."""
        for window in ("168", "2160"):
            settings = read(context, schedule="rate(84 hours)", advisory_window_hours=window)
            assert settings.refresher["schedule"] == "rate(84 hours)"
        rule = "must tick twice within 7 days, as far back as an alarm can look, but two ticks can take 170 hours"
        found = faults(context, schedule="rate(85 hours)", advisory_window_hours="2160")
        assert found == (f"schedule=rate(85 hours): {rule}",)

    @pytest.mark.parametrize(
        ("overrides", "fault"),
        [
            ({"grant_idle_days": "2", "schedule": "rate(8 hours)"}, None),
            ({"grant_idle_days": "2", "schedule": "rate(9 hours)"}, IDLE.format("rate(9 hours)", 8, 2, 9)),
            (
                {"grant_idle_days": "7", "schedule": "cron(0 8 ? * MON-FRI *)"},
                IDLE.format("cron(0 8 ? * MON-FRI *)", 28, 7, 72),
            ),
            ({"grant_idle_days": "90", "grant_absolute_days": "90"}, None),
            (
                {"grant_idle_days": "91", "grant_absolute_days": "90"},
                "grant_idle_days=91: must be at most grant_absolute_days=90, when the grant ends anyway",
            ),
            ({"refresh_margin_seconds": "86400"}, None),
            ({**OAUTH2, "refresh_margin_seconds": "3599"}, None),
            ({**OAUTH2, "refresh_margin_seconds": "3600"}, MARGIN.format(3600, 3600)),
            ({**OAUTH2, "refresh_margin_seconds": "600", LIFE: "300"}, MARGIN.format(600, 300)),
            ({**OAUTH2, "refresh_policy": "always", "schedule": "rate(1 minute)"}, None),
            (
                {**OAUTH2, "refresh_policy": "always", "schedule": "rate(1 minute)", LIFE: "300"},
                VERSIONS.format(360, 300, "rate(1 minute)"),
            ),
            (
                {**OAUTH2, "refresh_policy": "always", "schedule": "rate(10 minutes)", LIFE: "300"},
                VERSIONS.format(144, 300, "rate(10 minutes)"),
            ),
            ({**OAUTH2, "refresh_policy": "always", "schedule": "rate(15 minutes)", LIFE: "300"}, None),
            ({**OAUTH2, "refresh_policy": "auto", "schedule": "rate(1 minute)", LIFE: "300"}, None),
            ({"issuer": "static", "advisory_window_hours": "720"}, None),
            ({"issuer": "static", "refresh_policy": "demand"}, f"refresh_policy=demand: {STATIC}"),
            ({"issuer": "static", "grant_idle_days": "90"}, f"grant_idle_days=90: {STATIC}"),
        ],
    )
    def test_settings_that_clash(self, context: dict[str, Any], overrides: dict[str, str], fault: str | None) -> None:
        found = None
        try:
            read(context, **overrides)
        except SettingsError as error:
            found = str(error)
        assert found == fault

    def test_all_faults_at_once_a_line_each(self, context: dict[str, Any]) -> None:
        with pytest.raises(SettingsError) as refused:
            read(context, memory_mb="12", issuer="no-such-one", schedule="rate(9 days)", mandatory_window_hours="400")
        assert str(refused.value).splitlines() == [
            f"issuer=no-such-one: {ISSUER}. `tokenctl providers list` shows the catalogue",
            f"memory_mb=12: {MEMORY}",
            "mandatory_window_hours=400: must be less than advisory_window_hours=168",
            f"schedule=rate(9 days): {SLOW}432 hours",
        ]

    @pytest.mark.parametrize(
        ("block", "override", "fault"),
        [
            (
                {"colour": "red"},
                {},
                "colour=red: is not a setting; the keys are schedule_enabled, advisory_window",
            ),
            (
                {},
                {"advisory_window_hour": "48"},
                "advisory_window_hour=48: is not a setting; did you mean advisory_window_hours?",
            ),
            ({}, {"refresh_margin": "6"}, "refresh_margin=6: is not a setting; did you mean refresh_margin_seconds?"),
        ],
    )
    def test_an_unknown_key(
        self, context: dict[str, Any], block: dict[str, str], override: dict[str, str], fault: str
    ) -> None:
        (found,) = faults(context, stages={"dev": block}, **override)
        assert found.startswith(fault)

    def test_prod_sends_tokens_to_no_other_endpoint(self, context: dict[str, Any]) -> None:
        url = "https://stand-in.example"
        assert faults(context, stage="prod", amplifyuibuilder_endpoint_url=url) == (
            f"amplifyuibuilder_endpoint_url={url}: must not be set on prod: it would send the refresh token elsewhere",
        )


class TestIssuers:
    def test_the_context_names_any_issuer(self, context: dict[str, Any]) -> None:
        figma = read(context, stage="prod", issuer="figma", figma_base_url="https://api.figma-gov.com")
        assert figma.issuer == Issuer.figma(base_url="https://api.figma-gov.com")
        overrides = {
            "issuer": "oauth2",
            "oauth2_token_url": f"{TOKEN_URL}?tenant=1",
            "oauth2_client_auth": "post",
            "oauth2_scope": "files:read offline",
            "oauth2_extra_parameters": '{"audience": "design"}',
            "oauth2_default_lifetime_seconds": "600",
        }
        assert read(context, **overrides).issuer == Issuer.oauth2(
            token_url=f"{TOKEN_URL}?tenant=1",
            client_auth="post",
            scope="files:read offline",
            extra_parameters={"audience": "design"},
            default_lifetime_seconds=600,
        )

    @pytest.mark.parametrize(
        ("owner", "key", "value"),
        [
            ("amplify", "amplifyuibuilder_endpoint_url", "https://stand-in.example"),
            ("figma", "figma_base_url", "https://api.figma-gov.com"),
            ("oauth2", "oauth2_token_url", TOKEN_URL),
            ("oauth2", "oauth2_client_auth", "post"),
            ("oauth2", "oauth2_scope", "files:read"),
            ("oauth2", "oauth2_extra_parameters", '{"audience": "design"}'),
            ("oauth2", "oauth2_default_lifetime_seconds", "600"),
        ],
    )
    @pytest.mark.parametrize("chosen", NAMES)
    def test_only_its_own_fit(self, context: dict[str, Any], chosen: str, owner: str, key: str, value: str) -> None:
        overrides = {**(OAUTH2 if chosen == "oauth2" else {}), "issuer": chosen, key: value}
        if owner == chosen:
            assert read(context, **overrides).issuer.name == chosen
        else:
            shown = "..." if key == "oauth2_extra_parameters" else value
            expected = f"{key}={shown}: belongs to issuer={owner}, but the issuer is {chosen}. Remove it, or choose "
            expected += f"issuer={owner}"
            assert faults(context, **overrides) == (expected,)

    def test_only_local_may_have_http(self, context: dict[str, Any]) -> None:
        url = "http://127.0.0.1:9999"
        local = {"stage": "local", "issuer": "figma"}
        assert read(context, **local, figma_base_url=url).issuer == Issuer.figma(base_url=url, allow_http=True)
        assert read(context, **{**OAUTH2, "oauth2_token_url": url}, stage="local").issuer.name == "oauth2"
        for stage in ("dev", "prod"):
            found = faults(context, stage=stage, issuer="figma", figma_base_url=url)
            assert found == (f"figma_base_url={url}: {HTTPS}",)
        assert faults(context, **local, figma_base_url="ftp://x") == (f"figma_base_url=ftp://x: {HTTP_TOO}",)

    def test_a_wrong_argument_of_a_value(self) -> None:
        with pytest.raises(SettingsError) as refused:
            Issuer.oauth2(token_url="http://canary:canary@h", client_auth="x", colour=1)  # type: ignore[arg-type, call-arg]
        assert refused.value.faults == (
            f"colour=1: is not a setting; the keys are {listed(tuple(OAuth2Settings.settings()))}",
            f"token_url=http://...@h: {HTTPS_QUERY}",
            "client_auth=x: must be basic or post",
        )
        with pytest.raises(SettingsError, match="token_url=: must be set"):
            Issuer.oauth2()  # type: ignore[call-arg]
        with pytest.raises(SettingsError, match=f"issuer=no-such-one: {ISSUER}"):
            Issuer.named("no-such-one")


ACME = """
name = "acme"
title = "Acme"
grant = "refresh_token"
[params.tenant]
about = "the first part of the address"
[params.region]
default = "eu"
[address]
authorize = "https://{tenant}.acme.example/{region}/authorize"
token = "https://{tenant}.acme.example/{region}/token"
[sign_in]
scopes = ["read"]
[refresh_token]
idle_days = 60
absolute_days = 365
margin_seconds = 300
"""
TENANT = '{"tenant": "ada"}'
FUNCTION = {"SECRET_ARN": "s", "LOCK_TABLE": "t", "ADVISORY_WINDOW_SECONDS": "9", "MANDATORY_WINDOW_SECONDS": "8"}


class TestProfiles:
    @pytest.fixture
    def acme(self, tmp_path: Path) -> Callable[..., str]:
        def write(text: str = ACME) -> str:
            (tmp_path / "acme.toml").write_text(text)
            return str(tmp_path / "acme.toml")

        return write

    def test_a_file_is_an_issuer(self, context: dict[str, Any], acme: Callable[..., str]) -> None:
        settings = read(context, issuer=acme(), issuer_params=TENANT, issuer_scope="write admin")
        assert settings.issuer == Issuer.profile(acme(), params={"tenant": "ada"}, scope="write admin")
        assert (settings.issuer.name, settings.issuer.title) == ("acme", "Acme")
        variables = settings.issuer.variables
        assert variables["ISSUER_SCOPE"] == "write admin"
        assert [*variables] == ["ISSUER", "ISSUER_PARAMS", "ISSUER_SCOPE", "ISSUER_PROFILE"]
        function = issuer_from({**variables, "APP_SECRET_ARN": "arn"})
        assert str(function.issued_by) == "acme (ada.acme.example)"

    def test_a_name_is_one_of_the_catalogue(self, context: dict[str, Any]) -> None:
        issuer = read(context, issuer="linear").issuer
        assert issuer == Issuer.named("linear") == Issuer.profile("linear")
        assert issuer.variables == {"ISSUER": "linear"}

    @pytest.mark.parametrize("name", [name for name in catalogue.names() if name not in NAMES])
    def test_each_of_the_catalogue_can_be_deployed(self, context: dict[str, Any], name: str) -> None:
        params = behaviour(name).get("given", {}).get("params")
        given = {"issuer_params": params} if params else {}
        for stage in context["stages"]:
            settings = read(context, stage=stage, issuer=name, **given)
            values = checked(settings.refresher, settings.issuer)
            margin = str(values["refresh_margin_seconds"] or "")
            variables = {**FUNCTION, **settings.issuer.variables, "REFRESH_MARGIN_SECONDS": margin}
            assert Settings.from_environment(variables).provider == name

    def test_the_profile_knows_what_is_not_set(self, context: dict[str, Any], acme: Callable[..., str]) -> None:
        own = {"refresh_margin_seconds": 300, "grant_idle_days": 60, "grant_absolute_days": 365}
        for given in ({}, dict.fromkeys(own, 0), dict.fromkeys(own, 9)):
            settings = read(context, issuer=acme(), issuer_params=TENANT, **given)
            values = checked(settings.refresher, settings.issuer)
            assert {key: values[key] for key in own} == {**own, **given}  # type: ignore[literal-required]

    @pytest.mark.parametrize(
        ("text", "overrides", "expected"),
        [
            (ACME, {}, ["issuer_params=: tenant must be set: the first part of the address"]),
            (
                ACME,
                {"issuer_params": '{"tenant": "canary.example/", "tennant": "canary"}'},
                [
                    "issuer_params=...: tennant is no parameter of Acme; they are tenant, region",
                    "issuer_params=...: tenant must match [A-Za-z0-9][A-Za-z0-9-]{0,62}: the first part of the address",
                ],
            ),
            (ACME, {"issuer_params": "canary"}, ["issuer_params=...: must be a JSON object of strings"]),
            (ACME, {"issuer_params": TENANT, "issuer_scope": " a"}, [f"issuer_scope= a: {SCOPES}"]),
            (
                ACME.replace('scopes = ["read"]', 'scope_name = ""'),
                {"issuer_params": TENANT, "issuer_scope": "a"},
                ["issuer_scope=a: has no effect, because Acme takes no scopes. Remove it"],
            ),
            (
                ACME,
                {"issuer_params": TENANT, "issuer_key_number": "2"},
                ["issuer_key_number=2: has no effect, because no KMS key signs for Acme. Remove it"],
            ),
            (
                ACME.replace("acme", "figma", 1),
                {},
                ["issuer=FILE: name=figma: is an issuer of its own. Choose another name"],
            ),
            (
                ACME.replace("https", "http").replace('"refresh_token"', '"magic"'),
                {"issuer_params": TENANT},
                [f"issuer=FILE: grant=magic: must be {listed(GRANTS)}"],
            ),
            (
                ACME.replace("https", "http"),
                {"issuer_params": TENANT},
                [f"issuer=FILE: address.{key}: {HTTPS_QUERY}" for key in ("authorize", "token")],
            ),
            (
                ACME.replace("idle_days = 60", "idle_days = 7"),
                {"issuer_params": TENANT, "schedule": "rate(2 days)"},
                [IDLE.format("rate(2 days)", 28, 7, 48)],
            ),
        ],
        ids=["missing", "wrong", "no JSON", "no scope", "no scopes", "no key", "name", "grant", "http", "idle life"],
    )
    def test_what_does_not_fit_is_a_line(
        self,
        context: dict[str, Any],
        acme: Callable[..., str],
        text: str,
        overrides: dict[str, str],
        expected: list[str],
    ) -> None:
        found = faults(context, issuer=acme(text), **overrides)
        assert found == tuple(line.replace("FILE", acme(text)) for line in expected)

    def test_only_a_profile_takes_its_settings(self, context: dict[str, Any]) -> None:
        an_issuer = "an issuer with a profile"
        for key, value, shown in (("issuer_params", TENANT, "..."), ("issuer_scope", "a", "a")):
            (found,) = faults(context, issuer="figma", **{key: value})
            assert found == (
                f"{key}={shown}: belongs to {an_issuer}, but the issuer is figma. Remove it, or choose {an_issuer}"
            )

    def test_a_long_profile_is_refused_before_lambda_does(self, tmp_path: Path, asset: Path) -> None:
        (tmp_path / "long.toml").write_text(ACME.replace("the first part", "x" * 1900, 1))
        issuer = Issuer.profile(tmp_path / "long.toml", params={"tenant": "ada" * 20})
        with pytest.raises(SettingsError, match="issuer=acme: the function's variables would have "):
            TokenRefresher(Stack(App(), "S"), "R", issuer=issuer, asset=asset, environment={"MORE": "x" * 1500})


class TestSecretsInSettings:
    @pytest.mark.parametrize(
        "value",
        [
            '{"client_secret": "canary"}',
            '{"audience": "canary", "grant_type": "x"}',
            '{"audience": ["canary"]}',
            '{"audience": "\\ud800canary"}',
            '["canary"]',
            "canary",
            {"audience": 1, "canary": "x"},
            "[" * 100_000,
        ],
    )
    def test_a_bad_extra_parameter_is_not_shown(self, context: dict[str, Any], value: object) -> None:
        rule = "must be a JSON object of strings, without grant_type, refresh_token, scope, client_id, client_secret"
        found = faults(context, **OAUTH2, oauth2_extra_parameters=value)
        assert found == (f"oauth2_extra_parameters=...: {rule}",)

    @pytest.mark.parametrize(
        "key",
        [
            *("client_secret", "clientId", "figma_client_secret", "oauth2_client_id", "app_secret", "secret"),
            *("figma_app_secret", "figma_app_client_secret", "oauth2_client_secrets", "oauth2_client_key"),
            *("oauth2_client_auth_secret", "app_credentials", "oauth2_client_password"),
        ],
    )
    def test_an_apps_credentials_are_not_shown(self, context: dict[str, Any], key: str) -> None:
        expected = (f"{key}=...: is not a setting; store the app's credentials with `tokenctl app-credentials`",)
        assert faults(context, **{key: "canary"}) == expected
        assert faults(context, stages={"dev": {key: "canary"}}) == expected

    @pytest.mark.parametrize("key", ["refresh_token", "figma_access_token", "api_key"])
    def test_a_token_is_not_shown(self, context: dict[str, Any], key: str) -> None:
        (fault,) = faults(context, stages={"dev": {key: "canary"}})
        assert fault.startswith(f"{key}=...: is not a setting; ")

    @pytest.mark.parametrize("key", ["figma_base_url", "oauth2_token_url", "amplifyuibuilder_endpoint_url"])
    def test_a_login_in_an_address_is_not_shown(self, context: dict[str, Any], key: str) -> None:
        issuer = {"figma_base_url": "figma", "oauth2_token_url": "oauth2"}.get(key, "amplify")
        (fault,) = faults(context, issuer=issuer, **{key: "https://canary:canary@host"})
        assert fault.startswith(f"{key}=https://...@host: must be ")


class TestTheFunctionAgrees:
    @pytest.mark.parametrize("value", [{}, {"audience": "a b"}, {"": ""}, {"ä": "\U0001f600"}])
    def test_about_extra_parameters(self, context: dict[str, Any], value: dict[str, str]) -> None:
        issuer = read(context, **OAUTH2, oauth2_extra_parameters=json.dumps(value)).issuer
        assert json.loads(issuer.variables.get("OAUTH2_EXTRA_PARAMETERS", "{}")) == value
        assert registry.issuer_from({"APP_SECRET_ARN": "arn", **issuer.variables})
