"""The function from event to answer: moto holds the secret and the claims, a local server is the issuer."""

import json
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError

from refresh_token import errors
from refresh_token.adapters.idempotency_lock import dynamodb_client
from refresh_token.adapters.secrets_manager import secrets_manager_client, secrets_manager_writer
from refresh_token.errors import RefreshTokenError
from refresh_token.signals import Log
from tests.support.events import EVENT_ID, FORCE, TICK, Event, bare, report
from tests.support.function_environment import SERVICE, AppSecret, forget_clients
from tests.support.lambda_context import REQUEST_ID, LambdaContext
from tests.support.moto_function import ACCESS, CLIENT, REFRESH, Lines, MotoFunction
from tests.support.token_server import LIFETIME, Reply, TokenServer, http, ui_builder_error, ui_builder_issued

if TYPE_CHECKING:
    from botocore.client import BaseClient

REVOKED = ui_builder_error(400, "InvalidParameterException", "canary")
REPORT: Event = {"failedVersionId": "the stored one"}
STATES = ["Failing", "GrantEnding", "NeedsSignIn", "Overdue", "PairNotStored"]
TICKED = [*STATES, "SecondsUntilExpiry", "Ticked"]
"""What every tick measures if it finds a token."""


def metrics(lines: list[dict[str, Any]]) -> list[tuple[str, list[float], tuple[str, ...]]]:
    """Return (name, values, dimensions other than service) of all metrics printed, each line's form checked."""
    found = []
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "RefreshToken"
            (dimensions,) = directive["Dimensions"]
            assert line["service"] == SERVICE
            assert set(dimensions) <= {"service", "reason"}
            others = tuple(line[dimension] for dimension in dimensions if dimension != "service")
            found += [(metric["Name"], line[metric["Name"]], others) for metric in directive["Metrics"]]
    return found


def counted(lines: list[dict[str, Any]]) -> list[str]:
    return sorted({name for name, _, others in metrics(lines) if not others})


def told(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Return the states that are printed; each is printed with one value only."""
    found: dict[str, float] = {}
    for name, values, _ in metrics(lines):
        if name in STATES:
            (value,) = {*values, *([found[name]] if name in found else [])}
            found[name] = value
    return found


HEALTHY = dict.fromkeys(STATES, 0.0)


def refused(
    deployment: MotoFunction, event: object, error: type[RefreshTokenError], context: LambdaContext | None = None
) -> str:
    """Invoke the function, which fails; return the message. The error shows no token, nor does its chain."""
    with pytest.raises(RefreshTokenError) as caught:
        deployment.invoke(event, context)
    assert type(caught.value) is error
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def before(client: "BaseClient", call: str, do: Callable[[], object]) -> None:
    def hook(**_: object) -> None:
        do()

    client.meta.events.register(f"before-call.{call}", hook)


def hang_up() -> None:
    raise ConnectionClosedError(endpoint_url="https://canary")


class TestConsumer:
    @pytest.mark.parametrize("event", [{}, {"provider": "figma"}], ids=["nothing", "provider"])
    @pytest.mark.parametrize(("window", "state"), [("fresh", "fresh"), ("advisory", "due")])
    def test_gets_a_living_token_and_nothing_is_printed(
        self, event: Event, window: str, state: str, deployment: MotoFunction, printed: Lines
    ) -> None:
        version = deployment.seed(window)
        answer = deployment.invoke(event)
        times = {key: deployment.stored()[1][key] for key in ("expiresAt", "refreshedAt")}
        assert answer.pop("expiresIn") > 2 * 86_400
        assert answer == {"accessToken": ACCESS, **times, "versionId": version, "state": state}
        assert deployment.issuer.seen == []
        assert printed() == []

    @pytest.mark.parametrize("window", ["mandatory", "expired", "unknown"])
    def test_gets_a_new_token_for_a_dying_one(self, window: str, deployment: MotoFunction, printed: Lines) -> None:
        unknown = {"expiresAt": None, "refreshedAt": None} if window == "unknown" else {}
        old = deployment.seed("expired" if unknown else window, **unknown)
        answer = deployment.invoke({})
        version, document = deployment.stored()
        assert (answer["accessToken"], answer["versionId"], answer["state"]) == ("access-issued", version, "fresh")
        assert LIFETIME - 60 < answer["expiresIn"] <= LIFETIME
        assert answer["expiresAt"] == document.pop("expiresAt")
        assert document.pop("grantedAt") == document.pop("refreshedAt")
        kept = {"provider": "figma", "refreshToken": REFRESH, "clientId": CLIENT, "note": "kept"}
        noted = {"issuedBy": {"issuer": "amplify", "host": "amplifyuibuilder"}}
        assert document == {**kept, **noted, "accessToken": "access-issued"}
        assert [seen.document for seen in deployment.issuer.seen] == [{"token": REFRESH, "clientId": CLIENT}]
        lines = printed()
        assert counted(lines) == ["NeedsSignIn", "PairNotStored", "Refreshed"]
        assert told(lines) == {"NeedsSignIn": 0.0, "PairNotStored": 0.0}
        (line,) = (line for line in lines if "message" in line)
        assert (line["level"], line["message"], line["service"]) == ("INFO", "Refreshed the token", SERVICE)
        assert (line["previousVersionId"], line["versionId"]) == (old, version)
        deployment.invoke({})
        assert printed() == [], "the metrics of one invocation are not those of the next"


class TestBareOperation:
    @pytest.mark.parametrize("more", [{}, {"clientId": "c"}], ids=["token", "client id"])
    def test_on_another_stores_nothing(self, more: dict[str, str], deployment: MotoFunction, printed: Lines) -> None:
        version = deployment.seed("fresh")
        assert deployment.invoke(bare("theirs", **more)) == {"accessToken": "access-issued", "expiresIn": LIFETIME}
        assert [seen.document for seen in deployment.issuer.seen] == [{"token": "theirs", **more}]
        assert deployment.stored()[0] == version
        assert printed() == []


TICKS = [
    ("fresh", ui_builder_issued(), "fresh", []),
    ("advisory", ui_builder_issued(), "refreshed", ["Refreshed"]),
    ("mandatory", ui_builder_issued(), "refreshed", ["Refreshed"]),
    ("advisory", ui_builder_error(429), "degraded", ["Degraded", "RefreshFailed"]),
]


class TestStaticToken:
    @pytest.fixture(autouse=True)
    def _renewed_by_a_person(self, deployment: MotoFunction, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ISSUER", "static")
        deployment.seed("advisory", refreshToken=None)

    def test_is_handed_out_and_watched(self, deployment: MotoFunction, printed: Lines) -> None:
        answer = deployment.invoke({})
        assert (answer["accessToken"], answer["state"], printed()) == (ACCESS, "due", [])
        assert deployment.invoke(TICK)["outcome"] == "fresh"
        assert told(printed()) == {state: 0.0 for state in STATES if state != "GrantEnding"}

    def test_that_is_reported_pages_somebody(self, deployment: MotoFunction, printed: Lines) -> None:
        dead = deployment.stored()[0]
        assert "tokenctl rotate" in refused(deployment, report(dead), errors.ReauthorizationRequiredException)
        lines = printed()
        assert counted(lines) == ["Failures", "NeedsSignIn", "ReauthorizationRequired", "RefreshFailed"]
        assert told(lines) == {"NeedsSignIn": 1.0}
        assert deployment.invoke(TICK)["outcome"] == "fresh"
        assert told(printed())["NeedsSignIn"] == 1.0, "until another token is stored"
        assert deployment.invoke(report("older"))["accessToken"] == ACCESS
        deployment.seed("advisory", accessToken="canary-next", refreshToken=None)
        deployment.invoke(TICK)
        assert told(printed())["NeedsSignIn"] == 0.0


ACME = {
    "name": "acme",
    "title": "Acme",
    "answer": {"values": {"instance_url": "url"}},
    "api": {"header": "X-Acme-Token", "scheme": "", "headers": {"Acme-Version": "2"}},
}
EXCHANGE = {"standard": False, "parameters": {"old_token": "{access_token}"}}
GRANTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "refresh_token": ({}, {"grant_type": "refresh_token", "refresh_token": REFRESH}),
    "client_credentials": ({}, {"grant_type": "client_credentials"}),
    "token_exchange": ({"refresh": EXCHANGE}, {"old_token": ACCESS}),
}
"""What the profile of a grant says beside `ACME`, and what a refresh sends."""


@pytest.fixture(params=GRANTS)
def grant(
    request: pytest.FixtureRequest,
    deployment: MotoFunction,
    app_secret: AppSecret,
    token_endpoint: TokenServer,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Give the deployment the profile of a provider, whose pair is in its mandatory window or, if it can be, empty."""
    name: str = request.param
    profile = {**ACME, **GRANTS[name][0], "grant": name, "address": {"token": f"{token_endpoint.url}/token"}}
    variables = {"ISSUER": "acme", "ISSUER_GRANT": name, "ISSUER_PROFILE": json.dumps(profile)}
    for key, value in {**variables, "APP_SECRET_ARN": app_secret.arn, "ALLOW_HTTP_ISSUER": "true"}.items():
        monkeypatch.setenv(key, value)
    members = {"access_token": "issued", "expires_in": 7_776_000, "url": "https://eu9.acme.example", "scope": "read"}
    token_endpoint.answer(http(200, json.dumps(members).encode()))
    if name != "client_credentials":
        tokens = {} if name == "refresh_token" else {"refreshToken": None}
        deployment.seed("mandatory", provider="acme", clientId=None, **tokens)
    forget_clients()
    return name


class TestProfile:
    @pytest.mark.parametrize("event", [TICK, {"provider": "acme"}, FORCE | {"provider": "acme"}], ids=str)
    def test_refreshes_and_tells_what_it_said(
        self, grant: str, event: Event, deployment: MotoFunction, token_endpoint: TokenServer, printed: Lines
    ) -> None:
        deployment.invoke(event)
        answer = deployment.invoke({})
        version, document = deployment.stored()
        assert (answer["accessToken"], answer["versionId"], answer["state"]) == ("issued", version, "fresh")
        said = {"provider": "acme", "scope": "read", "values": {"instance_url": "https://eu9.acme.example"}}
        assert {key: answer[key] for key in (*said, "api")} == {**said, "api": ACME["api"]}
        assert {key: document[key] for key in (*said, "api")} == {**said, "api": ACME["api"]}
        (sent,) = (seen.form for seen in token_endpoint.seen)
        assert sent == GRANTS[grant][1]
        assert "Refreshed" in counted(printed())

    def test_serves_no_token_of_another(self, grant: str, deployment: MotoFunction) -> None:
        deployment.seed(provider="figma", refreshToken=REFRESH if grant == "refresh_token" else None)
        for event in ({}, TICK, {"force": True}):
            message = refused(deployment, event, errors.SecretMalformedException)
            assert "`provider` must be `acme`" in message
        assert "`provider` must be `acme`" in refused(deployment, FORCE, errors.InvalidParameterException)


@pytest.mark.usefixtures("fast_retries")
class TestTick:
    @pytest.mark.parametrize(("window", "reply", "outcome", "counts"), TICKS, ids=[f"{t[0]}-{t[2]}" for t in TICKS])
    def test_reports_without_a_token(  # noqa: PLR0917 - a table's columns
        self, window: str, reply: Reply, outcome: str, counts: list[str], deployment: MotoFunction, printed: Lines
    ) -> None:
        deployment.issuer.answer(reply)
        deployment.seed(window)
        answer = deployment.invoke(TICK)
        version, document = deployment.stored()
        assert answer == {"outcome": outcome, "versionId": version, "expiresAt": document["expiresAt"]}
        lines = printed()
        assert counted(lines) == sorted([*counts, *TICKED])
        ((left,),) = (values for name, values, _ in metrics(lines) if name == "SecondsUntilExpiry")
        checked = next(line for line in lines if line.get("message") == Log.TOKEN_CHECKED)
        assert (left, version) == (checked["secondsUntilExpiry"], checked["versionId"])
        assert told(lines) == HEALTHY, "the token was refreshed, or has time yet"

    @pytest.mark.parametrize("window", ["mandatory", "expired"])
    def test_that_cannot_refresh_in_time_fails(self, window: str, deployment: MotoFunction, printed: Lines) -> None:
        deployment.issuer.answer(ui_builder_error(503))
        deployment.seed(window)
        refused(deployment, TICK, errors.IssuerUnavailableException)
        lines = printed()
        assert counted(lines) == sorted(["Failures", "RefreshFailed", *TICKED])
        assert told(lines) == {**HEALTHY, "Overdue": 1.0}
        for name in ("RefreshFailed", "Failures"):
            assert (name, [1.0], ("IssuerUnavailableException",)) in metrics(lines)
        ((left,),) = (values for name, values, _ in metrics(lines) if name == "SecondsUntilExpiry")
        assert left > 0 if window == "mandatory" else left == 0, "an expired token has no time left, not less than none"

    def test_without_a_token_is_counted_all_the_same(self, deployment: MotoFunction, printed: Lines) -> None:
        assert "tokenctl seed" in refused(deployment, TICK, errors.SecretNotSeededException)
        lines = printed()
        assert counted(lines) == ["Failing", "Failures", "NeedsSignIn", "Ticked"]
        assert told(lines) == {"Failing": 0.0, "NeedsSignIn": 1.0}

    def test_after_an_outage_counts_the_recovery(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.issuer.answer(ui_builder_error(503))
        deployment.seed("mandatory")
        served = deployment.invoke({})
        assert (served["accessToken"], served["state"]) == (ACCESS, "degraded")
        calls = len(deployment.issuer.seen)
        assert deployment.invoke({})["state"] == "degraded"
        assert len(deployment.issuer.seen) == calls, "the second consumer cools down"
        assert counted(printed()) == ["Degraded", "RefreshFailed"]
        deployment.issuer.answer(ui_builder_issued())
        assert deployment.invoke(TICK)["outcome"] == "refreshed"
        assert counted(printed()) == sorted(["Recovered", "Refreshed", *TICKED])


class TestError:
    def test_wrong_event_touches_nothing(self, deployment: MotoFunction, printed: Lines) -> None:
        version = deployment.seed("expired")
        message = refused(deployment, {**TICK, "force": True}, errors.InvalidParameterException)
        assert deployment.issuer.seen == []
        assert deployment.stored()[0] == version
        lines = printed()
        (line,) = (line for line in lines if "message" in line)
        assert (line["level"], line["message"]) == ("ERROR", Log.REQUEST_FAILED)
        assert (line["reason"], line["detail"]) == ("InvalidParameterException", message)
        assert metrics(lines) == [("Failures", [1.0], ("InvalidParameterException",)), ("Failures", [1.0], ())]

    def test_measures_the_life_of_the_grant(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.seed("fresh", refreshExpiresAt="2999-01-01T00:00:00Z")
        deployment.invoke(TICK)
        lines = printed()
        assert counted(lines) == sorted(["SecondsUntilGrantExpiry", *TICKED])
        ((left,),) = (values for name, values, _ in metrics(lines) if name == "SecondsUntilGrantExpiry")
        assert left == next(line["secondsUntilGrantExpiry"] for line in lines if "secondsUntilGrantExpiry" in line)

    def test_refused_grant_counts_once_until_reseeded(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.issuer.answer(REVOKED)
        deployment.seed("expired")
        refused(deployment, TICK, errors.ReauthorizationRequiredException)
        untold = [name for name in TICKED if name != "Overdue"]
        assert counted(printed()) == sorted(["Failures", "ReauthorizationRequired", "RefreshFailed", *untold])
        refused(deployment, TICK, errors.ReauthorizationRequiredException)
        lines = printed()
        assert counted(lines) == sorted(["Failures", "RefreshFailed", *untold])
        assert told(lines) == {name: float(name == "NeedsSignIn") for name in STATES if name != "Overdue"}
        refused(deployment, {}, errors.ReauthorizationRequiredException)
        assert len(deployment.issuer.seen) == 2, "consumers do not reach the issuer again"
        assert deployment.stored()[1]["refreshToken"] == REFRESH, "nothing was deleted"
        deployment.seed("expired", refreshToken="canary-new")
        deployment.issuer.answer(ui_builder_issued())
        assert deployment.invoke({})["accessToken"] == "access-issued"

    def test_wrong_environment_is_named(self, deployment: MotoFunction, monkeypatch: pytest.MonkeyPatch) -> None:
        names = list(deployment.environment)
        for name in names:
            monkeypatch.delenv(name)
        forget_clients()
        for event in ({}, TICK):
            message = refused(deployment, event, errors.ConfigurationException)
            assert [name for name in names if name in message] == names


STATE_CASES = [
    ("expired", {}, REVOKED, "ReauthorizationRequiredException", {"NeedsSignIn": 1.0}),
    ("mandatory", {}, REVOKED, None, {"NeedsSignIn": 1.0}),
    ("fresh", REPORT, REVOKED, "ReauthorizationRequiredException", {"NeedsSignIn": 1.0}),
    ("expired", {}, ui_builder_error(503), "IssuerUnavailableException", {}),
    ("expired", TICK, ui_builder_error(503), "IssuerUnavailableException", {**HEALTHY, "Overdue": 1.0}),
    ("expired", {}, Reply(302), "IssuerProtocolException", {"Failing": 1.0}),
    ("expired", TICK, Reply(302), "IssuerProtocolException", {**HEALTHY, "Overdue": None, "Failing": 1.0}),
    ("advisory", TICK, Reply(302), "IssuerProtocolException", {**HEALTHY, "Failing": 1.0}),
    ("advisory", TICK, REVOKED, "ReauthorizationRequiredException", {**HEALTHY, "NeedsSignIn": 1.0}),
    ("malformed", {}, None, "SecretMalformedException", {"Failing": 1.0}),
    ("malformed", TICK, None, "SecretMalformedException", {"Failing": 1.0}),
    ("none", {}, None, "SecretNotSeededException", {"NeedsSignIn": 1.0}),
    ("revoked", {}, None, "ReauthorizationRequiredException", {"NeedsSignIn": 1.0}),
    ("revoked", TICK, None, "ReauthorizationRequiredException", {"NeedsSignIn": 1.0, "Failing": 0.0}),
    ("fresh", {"provider": "?"}, None, "InvalidParameterException", {}),
]


@pytest.mark.usefixtures("fast_retries")
class TestState:
    @pytest.mark.parametrize(("window", "event", "reply", "error", "states"), STATE_CASES)
    def test_is_told_by_who_finds_out(  # noqa: PLR0917 - a table's columns
        self,
        window: str,
        event: Event,
        reply: Reply | None,
        error: str | None,
        states: dict[str, float | None],
        deployment: MotoFunction,
        printed: Lines,
    ) -> None:
        if reply:
            deployment.issuer.answer(reply)
        if window == "malformed":
            deployment.store("{")
        elif window == "revoked":
            deployment.store('{"revokedAt": "2026-11-02T00:00:00Z"}')
        elif window != "none":
            version = deployment.seed(window)
            event = {"failedVersionId": version} if event is REPORT else event
        if error:
            refused(deployment, event, getattr(errors, error))
        else:
            deployment.invoke(event)
        lines = printed()
        assert told(lines) == {name: value for name, value in states.items() if value is not None}
        assert ("Unserved" in counted(lines)) is (error == "IssuerUnavailableException" and event is not TICK)

    def test_of_a_refused_report_is_told_by_ticks(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.issuer.answer(REVOKED)
        refused(deployment, report(deployment.seed("fresh")), errors.ReauthorizationRequiredException)
        printed()
        assert deployment.invoke(TICK)["outcome"] == "fresh"
        assert told(printed()) == {**HEALTHY, "NeedsSignIn": 1.0}
        deployment.seed("fresh", accessToken="canary-new")
        assert deployment.invoke(TICK)["outcome"] == "fresh"
        assert told(printed()) == HEALTHY

    def test_of_a_lost_pair_lasts_until_mended(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.seed("expired")
        deployment.issuer.answer(ui_builder_issued())
        left = [60.0]

        def fail_as_time_ends() -> None:
            left[:] = [1.0]
            hang_up()

        before(secrets_manager_writer(), "secretsmanager.PutSecretValue", fail_as_time_ends)
        refused(deployment, TICK, errors.TokenNotStoredException, LambdaContext(lambda: left[0]))
        lost = {name: float(name == "PairNotStored") for name in STATES if name != "Overdue"}
        assert told(printed()) == lost
        forget_clients()
        deployment.issuer.answer(ui_builder_error(503))
        refused(deployment, TICK, errors.IssuerUnavailableException)
        assert told(printed()) == lost, "the next attempt failed as well"
        deployment.issuer.answer(ui_builder_issued())
        deployment.invoke(FORCE)
        assert told(printed()) == {"NeedsSignIn": 0.0, "PairNotStored": 0.0}, "no tick was needed to mend it"

    @pytest.mark.parametrize(("event", "states"), [({}, {}), (TICK, {"Failing": 1.0})], ids=["consumer", "tick"])
    def test_of_secrets_manager_may_pass(
        self, event: Event, states: dict[str, float], deployment: MotoFunction, printed: Lines
    ) -> None:
        deployment.seed("fresh")
        before(secrets_manager_client(), "secretsmanager.GetSecretValue", hang_up)
        refused(deployment, event, errors.SecretUnavailableException)
        lines = printed()
        assert told(lines) == states
        assert ("Unserved" in counted(lines)) is (event == {})

    def test_of_a_bug_is_told_as_well(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.seed("expired")
        with pytest.raises(TypeError):
            deployment.invoke({}, replace(LambdaContext(), seconds_left=None))  # type: ignore[arg-type]
        lines = printed()
        assert told(lines) == {"Failing": 1.0}
        assert ("Failures", [1.0], ("TypeError",)) in metrics(lines)


class TestWarning:
    def warning(self, printed: Lines) -> dict[str, Any]:
        (line,) = (line for line in printed() if line.get("level") == "WARNING")
        return line

    @pytest.mark.parametrize(
        ("odd", "message", "counts"),
        [
            ({"expiresIn": 10**9}, "The issuer's expiry is more than 400 days ahead; counted as 400 days", []),
            ({"expiresIn": None}, "The issuer does not say when the token expires; the default", ["ExpiryNotSaid"]),
        ],
    )
    def test_odd_expiry(
        self, odd: dict[str, object], message: str, counts: list[str], deployment: MotoFunction, printed: Lines
    ) -> None:
        deployment.issuer.answer(ui_builder_issued(**odd))
        deployment.seed("expired")
        assert deployment.invoke({})["expiresIn"] <= timedelta(days=400).total_seconds()
        lines = printed()
        assert counted(lines) == sorted([*counts, "NeedsSignIn", "PairNotStored", "Refreshed"])
        assert self.warning(lambda: lines)["message"].startswith(message)

    def test_unusable_refresh_token_is_an_error(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.issuer.answer(ui_builder_issued(refreshToken=7))
        deployment.seed("expired")
        deployment.invoke({})
        (line,) = (line for line in printed() if line.get("level") == "ERROR")
        assert line["members"] == ["refresh_token"]

    def test_pair_of_an_operator_that_stays(self, deployment: MotoFunction, printed: Lines) -> None:
        theirs: list[str] = []
        deployment.seed("expired")
        before(
            secrets_manager_writer(),
            "secretsmanager.UpdateSecretVersionStage",
            lambda: theirs.append(deployment.seed("fresh", accessToken="canary-theirs")),
        )
        answer = deployment.invoke({})
        assert [answer["versionId"]] == theirs == [deployment.stored()[0]]
        assert answer["accessToken"] == "canary-theirs"
        assert self.warning(printed)["message"] == "Another pair was stored in the meantime and stays current"

    def test_claim_that_cannot_be_closed(self, deployment: MotoFunction, printed: Lines) -> None:
        deployment.seed("expired")
        before(dynamodb_client(), "dynamodb.UpdateItem", hang_up)
        assert deployment.invoke({})["accessToken"] == "access-issued"
        warning = self.warning(printed)
        assert "could not be closed" in warning["message"]
        assert warning["reason"] == "IssuerUnavailableException"


def test_log_lines_carry_eventbridges_or_lambdas_id(deployment: MotoFunction, printed: Lines) -> None:
    def ids() -> set[tuple[str, str]]:
        lines = [line for line in printed() if "message" in line]
        assert lines
        return {(line["correlation_id"], line["function_request_id"]) for line in lines}

    deployment.seed("expired")
    deployment.invoke(TICK)
    assert ids() == {(EVENT_ID, REQUEST_ID)}
    deployment.invoke({"force": True}, LambdaContext(aws_request_id="lambda-request-2"))
    assert ids() == {("lambda-request-2", "lambda-request-2")}
    deployment.invoke({"source": "aws.events"})
    assert ids() == {(REQUEST_ID, REQUEST_ID)}


class TestColdStart:
    def run(self, script: str) -> str:
        """Run a script as a new Lambda environment would be, with nothing imported; return what it prints."""
        path = os.pathsep.join(sys.path)
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_only_a_refresh_imports_what_it_needs(self) -> None:
        printed = self.run("""
            import os, sys
            from moto import mock_aws
            from tests.support.moto_function import deploy
            from tests.support.token_server import token_server, ui_builder_issued

            LAZY = ("refresh_token.core.refresh_once", "refresh_token.core.claimed_refresh",
                    "refresh_token.core.issued_token",
                    "refresh_token.adapters.idempotency_lock", "refresh_token.issuers.ui_builder",
                    "aws_lambda_powertools", "aws_lambda_powertools.utilities.idempotency")
            with mock_aws(), token_server() as server:
                server.answer(ui_builder_issued())
                deployment = deploy(server)
                os.environ.update(deployment.environment, AWS_ENDPOINT_URL_AMPLIFYUIBUILDER=server.url)
                from refresh_token import handler
                deployment.handler = handler
                deployment.seed("fresh")
                deployment.invoke({})
                deployment.invoke({"failedVersionId": "older"})
                print("READ", [name for name in LAZY if name in sys.modules])
                deployment.invoke({"force": True})
                print("REFRESH", [name for name in LAZY if name in sys.modules] == list(LAZY))
        """)
        assert [line for line in printed.splitlines() if not line.startswith("{")] == ["READ []", "REFRESH True"]

    def test_one_secret_imports_nothing_of_a_fleet(self) -> None:
        printed = self.run("""
            import sys
            import refresh_token.handler
            import refresh_token.adapters.idempotency_lock, refresh_token.core.refresh_once
            import refresh_token.issuers.profile_issuer, refresh_token.issuers.ui_builder
            print([name for name in sys.modules if name.startswith("refresh_token.fleet")])
        """)
        assert printed.split() == ["[]"]
