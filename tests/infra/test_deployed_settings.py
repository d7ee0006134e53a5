"""Settings that a deployed stack was given on the command line are not dropped by the next deployment."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import App, Stack
from werkzeug import Request, Response

from infra import compare
from infra.checks import compare_with_deployed
from infra.deployed_settings import DeployedSettings, comparison, record
from infra.deployed_template import UnreadTemplateError, deployed_template
from refresh_token.signals import SETTINGS_RECORD
from tests.support import http_server
from tests.support.in_this_process import call_with
from tests.support.stage_settings import faults, read

FIGMA = {"issuer": "figma", "figma_base_url": "https://figma.example"}
OAUTH2 = {"issuer": "oauth2", "oauth2_token_url": "https://sign-in.example/token"}
LINEAR = {"issuer": "linear", "issuer_scope": "admin"}
HERE = {"amplifyuibuilder_endpoint_url": "https://one.example"}
THERE = {"amplifyuibuilder_endpoint_url": "https://two.example"}
FLEET = {"connections": "true", "providers": "linear,hubspot"}
EXTRA = {"oauth2_extra_parameters": '{"resource": "hidden-word"}'}


def deployed(context: dict[str, Any], given: dict[str, str]) -> DeployedSettings:
    template = json.loads(json.dumps({"Metadata": record(read(context, **given))}))
    found = DeployedSettings.in_template(template)
    assert found
    return found


class TestDropped:
    @pytest.mark.parametrize(
        ("before", "now", "dropped"),
        [
            ({}, {}, []),
            ({}, FIGMA, []),
            (FIGMA, FIGMA, []),
            (FIGMA, {}, ["issuer", "figma_base_url"]),
            (FIGMA, {"issuer": "figma"}, ["figma_base_url"]),
            (FIGMA, {"issuer": "amplify"}, []),
            (FIGMA, HERE, []),
            (FIGMA, OAUTH2, []),
            (FIGMA, {"confirm": "issuer"}, []),
            (FIGMA, {"confirm": "windows"}, ["issuer", "figma_base_url"]),
            (FIGMA, {"issuer": "figma", "confirm": "figma_base_url"}, []),
            (HERE, THERE, []),
            (HERE, {}, ["amplifyuibuilder_endpoint_url"]),
            (HERE, {"confirm": "endpoint"}, []),
            (HERE, {"amplifyuibuilder_endpoint_url": ""}, []),
            (HERE, {"issuer": "figma"}, []),
            ({"advisory_window_hours": "99"}, {"mandatory_window_hours": "9"}, ["advisory_window_hours"]),
            ({"advisory_window_hours": "99", **FIGMA}, {"confirm": "issuer, windows"}, []),
            ({"advisory_window_hours": "168"}, {}, []),
            ({"log_level": "DEBUG", "alarm_email": "a@b.example"}, {}, ["log_level", "alarm_email"]),
            (LINEAR, {}, ["issuer", "issuer_scope"]),
            (LINEAR, {"issuer": "linear"}, ["issuer_scope"]),
            (LINEAR, {"issuer": "figma"}, []),
            (FIGMA, LINEAR, []),
            (FLEET, {}, ["connections", "providers"]),
            (FLEET, {"connections": "true"}, ["providers"]),
            (FLEET, {"connections": "false"}, []),
            (FLEET, {"connections": "true", "providers": "linear"}, []),
            (FLEET, {"confirm": "connections"}, []),
            ({**FLEET, "providers": '{"linear": {"scope": "admin"}, "hubspot": {}}'}, FLEET, []),
            ({"connections": "true", "max_workers": "5"}, {"connections": "true"}, ["max_workers"]),
            ({"event_bus": "theirs"}, {}, ["event_bus"]),
            ({**OAUTH2, **EXTRA}, OAUTH2, ["oauth2_extra_parameters"]),
            ({**OAUTH2, **EXTRA}, {**OAUTH2, **EXTRA}, []),
        ],
    )
    def test_only_what_nobody_asks_for(
        self, context: dict[str, Any], before: dict[str, str], now: dict[str, str], dropped: list[str]
    ) -> None:
        found = deployed(context, before).dropped_by(read(context, **now))
        assert [one.key for one in found if one.key != "schedule"] == dropped

    def test_a_value_in_cdk_json_counts(self, context: dict[str, Any]) -> None:
        def stages(**block: object) -> dict[str, Any]:
            return {**context, "stages": {"dev": {**context["stages"]["dev"], **block}}}

        before = deployed(context, FIGMA)
        assert before.dropped_by(read(stages(**FIGMA))) == []
        assert [str(one) for one in before.dropped_by(read(stages(issuer="static")))] == [
            "issuer: figma -> static",
            "figma_base_url: https://figma.example -> https://api.figma.com",
        ]
        in_a_file = deployed(stages(**FIGMA), {})
        assert in_a_file.dropped_by(read(context)) == [], "somebody edited the file"

    def test_the_refusal_keeps_or_confirms(self, context: dict[str, Any]) -> None:
        given = {**OAUTH2, **EXTRA, "advisory_window_hours": "99"}
        message, _ = comparison({"Metadata": record(read(context, **given))}, read(context))
        assert message
        assert "  oauth2_token_url: https://sign-in.example/token -> (nothing)\n" in message
        assert "-c issuer=oauth2" in message
        assert message.endswith("-c confirm=windows,issuer.")
        assert "hidden-word" not in message + json.dumps(record(read(context, **given)))

    @pytest.mark.parametrize(
        ("now", "warned"),
        [
            (FLEET, None),
            ({"connections": "true", "providers": "linear,notion"}, "connections of hubspot any more"),
            ({"connections": "false", "confirm": "connections"}, "The fleet of dev is deleted. So is every connection"),
        ],
    )
    def test_no_connection_is_abandoned_without_a_word(
        self, context: dict[str, Any], now: dict[str, str], warned: str | None
    ) -> None:
        refusal, warning = comparison({"Metadata": record(read(context, **FLEET))}, read(context, **now))
        assert refusal is None
        assert (warned or "") in (warning or "")
        assert (warned is None) == (warning is None)

    def test_nothing_of_a_fleet_is_recorded_without_one(self, context: dict[str, Any]) -> None:
        assert json.dumps(record(read(context))).count("onnections") == 0

    def test_a_confirmation_names_what_it_confirms(self, context: dict[str, Any]) -> None:
        (fault,) = faults(context, confirm="issuer,all")
        assert (
            fault
            == "confirm=issuer,all: must be issuer, endpoint, windows or connections, or a setting that belongs to them"
        )

    def test_older_templates_record_nothing(self) -> None:
        others: list[dict[str, Any]] = [{}, {"Metadata": {}}, {"Metadata": {SETTINGS_RECORD: {"settings": 1}}}]
        for template in others:
            assert DeployedSettings.in_template(template) is None


class Aws(http_server.App):
    """STS and CloudFormation, with a caller who may read the template, or only assume the role `lookup`."""

    def __init__(self) -> None:
        self.template: dict[str, Any] | None = None
        self.reader = "OPERATOR"
        self.lookup = "arn:aws:iam::123456789012:role/cdk-hnb659fds-lookup-role-123456789012-eu-central-1"

    def respond(self, request: Request) -> Response:
        action = request.form["Action"]
        if action == "GetCallerIdentity":
            return _answer(action, "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/x</Arn>")
        if action == "AssumeRole" and request.form["RoleArn"] == self.lookup:
            key = "<AccessKeyId>LOOKUP</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            return _answer(action, f"<Credentials>{key}<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>")
        if action == "AssumeRole" or f"Credential={self.reader}/" not in request.headers["Authorization"]:
            return _error("AccessDenied", 403)
        if self.template is None:
            return _error("ValidationError", 400)
        return _answer(action, f"<TemplateBody>{json.dumps(self.template)}</TemplateBody>")


def _answer(action: str, result: str) -> Response:
    return Response(f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")


def _error(code: str, status: int) -> Response:
    return Response(f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>", status)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """AWS, and the account and region that the CDK CLI names to the app."""
    aws = Aws()
    with http_server.serving(aws) as url:
        caller = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "OPERATOR", "AWS_SECRET_ACCESS_KEY": "s"}
        cdk = {"CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DEFAULT_REGION": "eu-central-1"}
        call_with(monkeypatch, caller | cdk)
        yield aws


def said(context: dict[str, Any], **now: str) -> list[tuple[str, str]]:
    """Return the kind and the text of each annotation that a comparison adds."""
    stack = Stack(App(context=context), "RefreshToken-dev")
    compare_with_deployed(stack, read(context, **now))
    kinds = {f"aws:cdk:{kind}": kind for kind in ("error", "warning", "info")}
    return [(kinds[one.type], str(one.data)) for one in stack.node.metadata if one.type in kinds]


class TestComparing:
    def test_drops_are_errors_or_warnings(self, aws: Aws, context: dict[str, Any]) -> None:
        given = {**FIGMA, "log_level": "DEBUG"}
        aws.template = {"Metadata": record(read(context, **given))}
        assert [kind for kind, _ in said(context)] == ["error", "warning"]
        assert [kind for kind, _ in said(context, **FIGMA)] == ["warning"]
        assert said(context, **given) == []

    def test_a_first_deployment_changes_nothing(self, aws: Aws, context: dict[str, Any]) -> None:
        assert (aws.template, said(context)) == (None, [])

    @pytest.mark.parametrize(
        ("account", "reason"),
        [
            ("", "there are no AWS credentials"),
            ("999999999999", "the app has credentials of account 123456789012 and not of 999999999999"),
        ],
    )
    def test_what_cannot_be_read_is_said(
        self, aws: Aws, context: dict[str, Any], monkeypatch: pytest.MonkeyPatch, account: str, reason: str
    ) -> None:
        aws.template = {"Metadata": record(read(context, **FIGMA))}
        monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", account)
        ((kind, text),) = said(context)
        assert kind == "info"
        assert text.startswith(f"Deployed settings were not compared: {reason}.")

    def test_a_denied_caller_assumes_the_lookup_role(self, aws: Aws) -> None:
        aws.template, aws.reader = {"Metadata": {}}, "LOOKUP"
        assert deployed_template("RefreshToken-dev") == {"Metadata": {}}
        with pytest.raises(UnreadTemplateError, match="AccessDenied"):
            deployed_template("RefreshToken-dev", qualifier="other")

    def test_the_lookup_role_has_the_apps_qualifier(self, aws: Aws, context: dict[str, Any]) -> None:
        aws.template, aws.reader = {"Metadata": {}}, "LOOKUP"
        aws.lookup = aws.lookup.replace("hnb659fds", "tokens")
        assert said({**context, "@aws-cdk/core:bootstrapQualifier": "tokens"}) == []
        assert [kind for kind, _ in said(context)] == ["info"]

    @pytest.mark.parametrize(
        ("given", "code", "said"),
        [({}, 0, ""), ({"log_level": "DEBUG"}, 0, "log_level: DEBUG -> INFO"), (FIGMA, 1, "issuer: figma -> amplify")],
    )
    def test_the_pipeline_compares_before_it_deploys(  # noqa: PLR0917 - a row
        self,
        aws: Aws,
        context: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        given: dict[str, str],
        code: int,
        said: str,
    ) -> None:
        monkeypatch.delenv("CDK_DEFAULT_ACCOUNT")
        monkeypatch.delenv("CDK_DEFAULT_REGION")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        aws.template, aws.reader = {"Metadata": record(read(context, **given))}, "LOOKUP"
        assert compare.main("dev") == code
        assert said in capsys.readouterr().err
        aws.lookup = "nobody"
        assert compare.main("dev") == 1, "a pipeline does not go on unless it could compare"
