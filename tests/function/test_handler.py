"""The function from event to answer: moto holds the secret and the claims, a local server is the issuer."""

import json
import os
import subprocess
import sys
import textwrap
import traceback
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError

from refresh_token import errors, handler
from refresh_token.adapters.idempotency_lock import IdempotencyLock, dynamodb_client
from refresh_token.adapters.secrets_manager import secrets_manager_client, secrets_manager_writer
from refresh_token.errors import RefreshTokenError
from tests.support.events import EVENT_ID, TICK
from tests.support.function_environment import SERVICE, forget_clients
from tests.support.lambda_context import REQUEST_ID, LambdaContext, counting_down
from tests.support.moto_function import ACCESS, CLIENT, REFRESH, Lines, MotoFunction
from tests.support.ui_builder_server import LIFETIME, Reply, good, refusal


def metrics(lines: list[dict[str, Any]]) -> list[tuple[str, list[float], tuple[str, ...]]]:
    """Return (name, values, dimensions other than service) of all metrics printed, each line's form checked."""
    found = []
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "RefreshToken"
            (dimensions,) = directive["Dimensions"]
            assert line["service"] == SERVICE
            others = tuple(line[dimension] for dimension in dimensions if dimension != "service")
            found += [(metric["Name"], line[metric["Name"]], others) for metric in directive["Metrics"]]
    return found


def counted(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(name for name, _, others in metrics(lines) if not others)


def refused(deployment: MotoFunction, event: object, context: LambdaContext | None = None) -> RefreshTokenError:
    """Return the error that an invocation ends in; it shows no token, not through its chain either."""
    with pytest.raises(RefreshTokenError) as caught:
        deployment.invoke(event, context)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    return caught.value


# --- contract 1, row by row -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [{}, {"provider": "figma"}], ids=["nothing", "provider"])
@pytest.mark.parametrize(("window", "state"), [("fresh", "fresh"), ("advisory", "due")])
def test_a_consumer_gets_the_stored_token_while_it_lives(
    event: dict[str, object], window: str, state: str, deployment: MotoFunction, printed: Lines
) -> None:
    version = deployment.seed(window)
    answer = deployment.invoke(event)
    _, document = deployment.stored()
    left = answer.pop("expiresIn")
    assert answer == {
        "accessToken": ACCESS,
        "expiresAt": document["expiresAt"],
        "versionId": version,
        "state": state,
    }
    assert isinstance(left, int)
    assert left > 2 * 86_400
    assert deployment.issuer.seen == []
    assert printed() == [], "a plain read says nothing and measures nothing"


@pytest.mark.parametrize("window", ["mandatory", "expired"])
def test_a_consumer_gets_a_new_token_when_the_stored_one_is_at_its_end(
    window: str, deployment: MotoFunction, printed: Lines
) -> None:
    old = deployment.seed(window)
    answer = deployment.invoke({})
    version, document = deployment.stored()
    assert version != old
    assert (answer["accessToken"], answer["versionId"], answer["state"]) == ("access-issued", version, "fresh")
    assert LIFETIME - 60 < answer["expiresIn"] <= LIFETIME
    assert answer["expiresAt"] == document["expiresAt"]
    assert {key: document[key] for key in document if key not in ("expiresAt", "refreshedAt")} == {
        "provider": "figma",
        "accessToken": "access-issued",
        "refreshToken": REFRESH,
        "clientId": CLIENT,
        "note": "kept",
    }
    assert [seen.document for seen in deployment.issuer.seen] == [{"token": REFRESH, "clientId": CLIENT}]
    assert counted(printed()) == ["Refreshed"]


def test_a_pair_of_unknown_expiry_is_refreshed(deployment: MotoFunction) -> None:
    deployment.seed(expiresAt=None, refreshedAt=None)
    assert deployment.invoke({})["accessToken"] == "access-issued"


def test_the_raw_answer_of_the_first_exchange_is_a_pair(deployment: MotoFunction) -> None:
    deployment.store(json.dumps({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": LIFETIME}))
    answer = deployment.invoke({})
    assert (answer["accessToken"], answer["state"]) == (ACCESS, "fresh")
    assert LIFETIME - 60 < answer["expiresIn"] <= LIFETIME


def test_a_report_of_the_current_version_heals_it_and_one_of_an_older_version_costs_nothing(
    deployment: MotoFunction,
) -> None:
    dead = deployment.seed("fresh")
    healed = deployment.invoke({"provider": "figma", "failedVersionId": dead})
    assert healed["versionId"] == deployment.stored()[0] != dead
    for _ in range(3):
        again = deployment.invoke({"provider": "figma", "failedVersionId": dead})
        assert (again["versionId"], again["accessToken"]) == (healed["versionId"], "access-issued")
    assert len(deployment.issuer.seen) == 1


def test_force_refreshes_a_token_that_is_fresh(deployment: MotoFunction) -> None:
    old = deployment.seed("fresh")
    answer = deployment.invoke({"provider": "figma", "force": True})
    assert (answer["accessToken"], answer["state"]) == ("access-issued", "fresh")
    assert deployment.stored()[0] == answer["versionId"] != old


@pytest.mark.parametrize("body", [{"token": "theirs"}, {"token": "theirs", "clientId": "c"}])
def test_the_bare_operation_on_another_token_is_answered_and_stored_nowhere(
    body: dict[str, str], deployment: MotoFunction, printed: Lines
) -> None:
    version = deployment.seed("fresh")
    answer = deployment.invoke({"provider": "figma", "refreshTokenBody": body})
    assert answer == {"accessToken": "access-issued", "expiresIn": LIFETIME}
    assert [seen.document for seen in deployment.issuer.seen] == [body]
    assert deployment.stored()[0] == version
    assert printed() == []


def test_the_bare_operation_works_before_anything_is_seeded(deployment: MotoFunction) -> None:
    answer = deployment.invoke({"provider": "figma", "refreshTokenBody": {"token": "theirs"}})
    assert answer == {"accessToken": "access-issued", "expiresIn": LIFETIME}


def test_the_bare_operation_on_the_stored_token_stores_the_result(deployment: MotoFunction) -> None:
    old = deployment.seed("fresh")
    answer = deployment.invoke({"provider": "figma", "refreshTokenBody": {"token": REFRESH}})
    assert answer == {"accessToken": "access-issued", "expiresIn": LIFETIME}
    version, document = deployment.stored()
    assert version != old
    assert document["accessToken"] == "access-issued"


TICKED = ["Overdue", "SecondsUntilExpiry", "Ticked"]
"""What every tick measures that finds a token."""

TICKS = [
    ("fresh", good(), "fresh", []),
    ("advisory", good(), "refreshed", ["Refreshed"]),
    ("mandatory", good(), "refreshed", ["Refreshed"]),
    ("expired", good(), "refreshed", ["Refreshed"]),
    ("advisory", refusal(429), "degraded", ["Degraded", "RefreshFailed"]),
]


@pytest.mark.usefixtures("fast_retries")
@pytest.mark.parametrize(("window", "reply", "outcome", "counts"), TICKS, ids=[f"{t[0]}-{t[2]}" for t in TICKS])
def test_a_tick_reports_and_never_shows_a_token(  # noqa: PLR0917 - a table's columns
    window: str, reply: Reply, outcome: str, counts: list[str], deployment: MotoFunction, printed: Lines
) -> None:
    deployment.issuer.answer(reply)
    deployment.seed(window)
    report = deployment.invoke(TICK)
    version, document = deployment.stored()
    assert report == {"outcome": outcome, "versionId": version, "expiresAt": document["expiresAt"]}
    lines = printed()
    assert counted(lines) == sorted([*counts, *TICKED])
    ((left,),) = (values for name, values, _ in metrics(lines) if name == "SecondsUntilExpiry")
    looked = next(line for line in lines if line.get("message") == "Checked the token")
    assert left == looked["secondsUntilExpiry"]
    assert ("Overdue", [0.0], ()) in metrics(lines), "it was refreshed, or has time yet"
    assert looked["versionId"] == version


def test_a_tick_that_finds_no_token_is_a_tick_all_the_same(deployment: MotoFunction, printed: Lines) -> None:
    assert type(refused(deployment, TICK)) is errors.SecretNotSeededException
    assert counted(printed()) == ["Ticked"]


def test_a_token_of_unknown_expiry_that_cannot_be_refreshed_is_overdue(
    deployment: MotoFunction, printed: Lines
) -> None:
    deployment.issuer.answer(refusal(400, "InvalidParameterException"))
    deployment.seed("fresh", expiresAt=None)
    assert type(refused(deployment, TICK)) is errors.ReauthorizationRequiredException
    assert ("Overdue", [1.0], ()) in metrics(printed())


def test_a_tick_of_an_eventbridge_rule_is_one_of_the_scheduler(deployment: MotoFunction) -> None:
    deployment.seed("advisory")
    assert deployment.invoke({**TICK, "source": "aws.events", "detail": {}})["outcome"] == "refreshed"


@pytest.mark.usefixtures("fast_retries")
@pytest.mark.parametrize("window", ["mandatory", "expired"])
def test_a_tick_that_cannot_refresh_a_token_at_its_end_fails(
    window: str,
    deployment: MotoFunction,
    printed: Lines,
) -> None:
    deployment.issuer.answer(refusal(503))
    deployment.seed(window)
    assert type(refused(deployment, TICK)) is errors.IssuerUnavailableException
    lines = printed()
    assert counted(lines) == sorted(["RefreshFailed", *TICKED])
    assert ("Overdue", [1.0], ()) in metrics(lines)
    assert ("RefreshFailed", [1.0], ("IssuerUnavailableException",)) in metrics(lines)
    ((left,),) = (values for name, values, _ in metrics(lines) if name == "SecondsUntilExpiry")
    assert left > 0 if window == "mandatory" else left == 0, "an expired token has no time left, not less than none"


# --- contract 2, error by error -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "figma",
        {"provider": "github"},
        {"provider": None},
        {"force": 1},
        {"failedVersionId": ""},
        {"refreshTokenBody": {"token": REFRESH}},
        {"provider": "figma", "refreshTokenBody": {"token": [REFRESH]}},
        {"provider": "figma", "accessToken": ACCESS},
        {**TICK, "force": True},
    ],
    ids=str,
)
def test_a_bad_request_is_refused_before_anything_is_touched(
    event: object, deployment: MotoFunction, printed: Lines
) -> None:
    version = deployment.seed("expired")
    error = refused(deployment, event)
    assert type(error) is errors.InvalidParameterException
    assert deployment.issuer.seen == []
    assert deployment.stored()[0] == version
    (line,) = printed()
    assert (line["level"], line["reason"], line["detail"]) == ("ERROR", "InvalidParameterException", str(error))


EVENTS: dict[str, dict[str, object]] = {
    "ask": {},
    "report": {"failedVersionId": "v"},
    "force": {"force": True},
    "tick": dict(TICK),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_nothing_works_before_the_secret_is_seeded(event: dict[str, object], deployment: MotoFunction) -> None:
    error = refused(deployment, event)
    assert type(error) is errors.SecretNotSeededException
    assert "tokenctl seed" in str(error)


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_a_malformed_secret_is_left_as_it_is(event: dict[str, object], deployment: MotoFunction) -> None:
    version = deployment.seed(refreshToken=["canary"])
    assert type(refused(deployment, event)) is errors.SecretMalformedException
    assert deployment.stored()[0] == version
    assert deployment.issuer.seen == []


def test_a_secret_that_is_being_deleted_is_unavailable(deployment: MotoFunction) -> None:
    deployment.seed()
    deployment.client.delete_secret(SecretId=deployment.secret_arn)
    assert type(refused(deployment, {})) is errors.SecretUnavailableException


def test_a_refused_token_of_a_stateless_request_is_the_callers_fault(deployment: MotoFunction) -> None:
    deployment.seed()
    deployment.issuer.answer(refusal(400, "InvalidParameterException", "canary"))
    error = refused(deployment, {"provider": "figma", "refreshTokenBody": {"token": "canary"}})
    assert type(error) is errors.InvalidParameterException


def test_a_refused_grant_needs_a_person_is_counted_once_and_goes_away_with_a_new_pair(
    deployment: MotoFunction, printed: Lines
) -> None:
    deployment.issuer.answer(refusal(400, "InvalidParameterException", "canary"))
    deployment.seed("expired")
    assert type(refused(deployment, TICK)) is errors.ReauthorizationRequiredException
    assert counted(printed()) == sorted(["ReauthorizationRequired", "RefreshFailed", *TICKED])
    assert type(refused(deployment, TICK)) is errors.ReauthorizationRequiredException
    assert counted(printed()) == sorted(["RefreshFailed", *TICKED])
    assert len(deployment.issuer.seen) == 2
    assert type(refused(deployment, {})) is errors.ReauthorizationRequiredException
    assert len(deployment.issuer.seen) == 2, "consumers do not reach the issuer again"
    assert deployment.stored()[1]["refreshToken"] == REFRESH, "nothing was deleted"

    deployment.seed("expired", refreshToken="canary-new")
    deployment.issuer.answer(good())
    assert deployment.invoke({})["accessToken"] == "access-issued"


@pytest.mark.usefixtures("fast_retries")
def test_after_an_outage_the_recovery_is_counted(
    deployment: MotoFunction,
    printed: Lines,
) -> None:
    deployment.issuer.answer(refusal(503))
    deployment.seed("mandatory")
    served = deployment.invoke({})
    assert (served["accessToken"], served["state"]) == (ACCESS, "degraded")
    calls = len(deployment.issuer.seen)
    assert deployment.invoke({})["state"] == "degraded"
    assert len(deployment.issuer.seen) == calls, "the second consumer cools down"
    assert counted(printed()) == ["Degraded", "Degraded", "RefreshFailed"]
    deployment.issuer.answer(good())
    assert deployment.invoke(TICK)["outcome"] == "refreshed"
    assert counted(printed()) == sorted(["Recovered", "Refreshed", *TICKED])


@pytest.mark.parametrize(
    "reply",
    [Reply(body=b"[]"), Reply(body=b"<html>"), good(expiresIn=0), good(expiresIn=True), good(expiresIn=10**9 + 1)],
    ids=["list", "html", "zero", "true", "past"],
)
def test_an_answer_that_makes_no_sense_is_never_stored(reply: Reply, deployment: MotoFunction) -> None:
    deployment.issuer.answer(reply)
    version = deployment.seed("expired")
    assert type(refused(deployment, {})) is errors.IssuerProtocolException
    assert deployment.stored()[0] == version
    bare = {"provider": "figma", "refreshTokenBody": {"token": "theirs"}}
    assert type(refused(deployment, bare)) is errors.IssuerProtocolException


def test_an_expiry_beyond_belief_is_capped_and_logged(deployment: MotoFunction, printed: Lines) -> None:
    deployment.issuer.answer(good(expiresIn=10**9))
    deployment.seed("expired")
    assert deployment.invoke({})["expiresIn"] <= timedelta(days=400).total_seconds()
    assert [line["message"] for line in printed() if line.get("level") == "WARNING"] == [
        "The issuer's expiry is more than 400 days ahead; counted as 400 days"
    ]


def test_without_the_lock_table_nobody_refreshes_and_a_living_token_is_served(deployment: MotoFunction) -> None:
    boto3.client("dynamodb").delete_table(TableName="locks")
    deployment.seed("mandatory")
    assert deployment.invoke({})["state"] == "degraded"
    assert type(refused(deployment, TICK)) is errors.ConfigurationException
    deployment.seed("expired")
    assert type(refused(deployment, {})) is errors.ConfigurationException
    assert deployment.issuer.seen == []


def test_who_finds_the_refresh_held_to_the_end_gets_the_living_token_or_is_told_to_ask_again(
    deployment: MotoFunction, printed: Lines
) -> None:
    held = deployment.seed("mandatory")
    other = IdempotencyLock("locks", deployment.secret_arn, boto3.client("dynamodb"))
    other.claim(held, seconds=60.0, now=handler.LambdaClock(LambdaContext()).now(), ignore_cooldown=False)

    def briefly() -> LambdaContext:
        """Return a context that has a third of a second for waiting, over what a refresh needs at least."""
        return LambdaContext(counting_down(8.3))

    assert deployment.invoke({}, briefly())["state"] == "degraded"
    error = refused(deployment, {"failedVersionId": held}, briefly())
    assert type(error) is errors.RefreshInProgressException
    assert deployment.issuer.seen == []
    assert counted(printed()) == ["Degraded"]


def test_a_token_that_was_issued_and_not_stored_is_the_loudest_alarm_and_heals_with_the_next_tick(
    deployment: MotoFunction, printed: Lines
) -> None:
    broken = True

    def hang_up(**_: object) -> None:
        if broken:
            raise ConnectionClosedError(endpoint_url="https://canary")

    deployment.seed("mandatory")
    events = secrets_manager_client().meta.events
    events.register("before-call.secretsmanager.UpdateSecretVersionStage", hang_up)
    out_of_time = LambdaContext(lambda: 1.0 if deployment.issuer.seen else 60.0)
    error = refused(deployment, {}, out_of_time)
    assert type(error) is errors.TokenNotStoredException
    lines = printed()
    assert counted(lines) == ["RefreshFailed", "TokenNotStored"]
    assert ("RefreshFailed", [1.0], ("TokenNotStoredException",)) in metrics(lines)

    broken = False
    deployment.issuer.answer(good(accessToken="access-healed"))
    assert deployment.invoke(TICK)["outcome"] == "refreshed"
    assert deployment.stored()[1]["accessToken"] == "access-healed"


def test_a_pair_that_an_operator_stores_during_the_refresh_stays(deployment: MotoFunction, printed: Lines) -> None:
    theirs: list[str] = []

    def operator(**_: object) -> None:
        theirs.append(deployment.seed("fresh", accessToken="canary-theirs"))

    deployment.seed("expired")
    secrets_manager_writer().meta.events.register("before-call.secretsmanager.UpdateSecretVersionStage", operator)
    answer = deployment.invoke({})
    assert [answer["versionId"]] == theirs
    assert answer["accessToken"] == "canary-theirs"
    assert deployment.stored()[0] == theirs[0]
    assert [line["message"] for line in printed()] == ["Another pair was stored in the meantime and stays current"]


def test_a_claim_that_cannot_be_closed_hides_nothing(deployment: MotoFunction, printed: Lines) -> None:
    def hang_up(**_: object) -> None:
        raise ConnectionClosedError(endpoint_url="https://canary")

    deployment.seed("expired")
    dynamodb_client().meta.events.register("before-call.dynamodb.UpdateItem", hang_up)
    assert deployment.invoke({})["accessToken"] == "access-issued"
    lines = printed()
    assert counted(lines) == ["Refreshed"]
    (warning,) = (line for line in lines if line.get("level") == "WARNING")
    assert "could not be closed" in warning["message"]
    assert warning["reason"] == "IssuerUnavailableException"


VARIABLES = ["SECRET_ARN", "LOCK_TABLE", "ADVISORY_WINDOW_SECONDS", "MANDATORY_WINDOW_SECONDS"]


def test_a_bad_environment_is_named_in_full(deployment: MotoFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name)
    forget_clients()
    for event in EVENTS.values():
        error = refused(deployment, event)
        assert type(error) is errors.ConfigurationException
        assert [name for name in VARIABLES if name in str(error)] == VARIABLES


# --- what is printed --------------------------------------------------------------------------------------------------


def test_log_lines_carry_the_id_of_the_eventbridge_event_or_of_the_lambda_request(
    deployment: MotoFunction, printed: Lines
) -> None:
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


def test_a_refresh_is_logged_with_both_versions(deployment: MotoFunction, printed: Lines) -> None:
    old = deployment.seed("expired")
    new = deployment.invoke({})["versionId"]
    (line,) = (line for line in printed() if "message" in line)
    assert (line["level"], line["message"]) == ("INFO", "Refreshed the token")
    assert (line["previousVersionId"], line["versionId"]) == (old, new)
    assert line["service"] == SERVICE


def test_the_metrics_of_one_invocation_are_not_those_of_the_next(deployment: MotoFunction, printed: Lines) -> None:
    deployment.seed("expired")
    deployment.invoke({})
    assert counted(printed()) == ["Refreshed"]
    deployment.invoke({})
    assert printed() == []


# --- in a process of its own ----------------------------------------------------------------------------------------


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a fresh Lambda environment would be: nothing is imported yet."""
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_an_invocation_that_only_reads_imports_neither_lock_nor_issuer() -> None:
    finished = run("""
        import os, sys
        from moto import mock_aws
        from tests.support.moto_function import deploy
        from tests.support.ui_builder_server import ui_builder_server

        LAZY = ("refresh_token.adapters.idempotency_lock", "refresh_token.issuers.ui_builder",
                "aws_lambda_powertools", "aws_lambda_powertools.utilities.idempotency")
        with mock_aws(), ui_builder_server() as server:
            deployment = deploy(server)
            os.environ.update(deployment.environment, AWS_ENDPOINT_URL_AMPLIFYUIBUILDER=server.url)
            from refresh_token import handler
            deployment.handler = handler
            deployment.seed("fresh")
            deployment.invoke({})
            deployment.invoke({"failedVersionId": "older"})
            print("READ", [name for name in LAZY if name in sys.modules], file=sys.stderr)
            deployment.invoke({"force": True})
            print("REFRESH", [name for name in LAZY if name in sys.modules] == list(LAZY), file=sys.stderr)
    """)
    assert finished.stderr.splitlines() == ["READ []", "REFRESH True"]


def test_a_bad_environment_is_no_fault_of_the_init_but_of_each_invocation() -> None:
    finished = run("""
        from refresh_token import handler
        from refresh_token.errors import ConfigurationException
        from tests.support.lambda_context import LambdaContext
        for _ in range(2):
            try:
                handler.lambda_handler({}, LambdaContext())
            except ConfigurationException as error:
                assert "SECRET_ARN" in str(error)
                print("REFUSED")
    """)
    assert finished.stdout.count("REFUSED") == 2


EVERYTHING_AT_DEBUG = """
    import json, logging, os, sys, traceback
    import boto3
    from moto import mock_aws
    from tests.support.events import TICK
    from tests.support.moto_function import ACCESS, CLIENT, REFRESH, deploy
    from tests.support.ui_builder_server import Reply, good, refusal, ui_builder_server

    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    with mock_aws(), ui_builder_server() as server:
        deployment = deploy(server)
        os.environ.update(deployment.environment, AWS_ENDPOINT_URL_AMPLIFYUIBUILDER=server.url)
        from refresh_token import handler
        deployment.handler = handler
        exec(os.environ["MUTATION"])

        def invoke(event):
            try:
                deployment.invoke(event)
            except Exception:
                traceback.print_exc()

        issued = good(accessToken="canary-issued", refreshToken="canary-rotated")
        echo = refusal(400, REFRESH, f"{REFRESH} {CLIENT}")
        bare = {"provider": "figma", "refreshTokenBody": {"token": REFRESH, "clientId": CLIENT}}
        other = {"provider": "figma", "refreshTokenBody": {"token": "canary-other", "clientId": CLIENT}}
        bad = {"provider": "figma", "refreshTokenBody": {"token": [REFRESH], "clientId": CLIENT}, "x": ACCESS}
        for window in ("fresh", "advisory", "mandatory", "expired"):
            for reply in (issued, echo, refusal(404, "", REFRESH), Reply(body=b'["canary"]'), Reply(hang_up=True)):
                server.answer(reply, issued)
                version = deployment.seed(window)
                for event in ({}, {"failedVersionId": version}, {"force": True}, TICK, bare, other, bad):
                    invoke(event)
        deployment.store(json.dumps({"accessToken": ACCESS, "refreshToken": [REFRESH], "clientId": CLIENT}))
        invoke({})
        deployment.store("canary")
        invoke(TICK)
        print(boto3.client("dynamodb").scan(TableName="locks")["Items"])
        print("DONE")
"""


MUTATIONS = {
    "as it is": "pass",
    "with botocore's debug log not muted": "logging.getLogger('botocore').setLevel(logging.DEBUG)",
    "with a message that shows a value": """if True:
        from refresh_token import token_pair
        token_pair._malformed = lambda why: token_pair.SecretMalformedException(ACCESS)
    """,
    "with the service's words in a message": """if True:
        from refresh_token import aws_clients
        from refresh_token.issuers import ui_builder
        aws_clients.KNOWN_CODES = type("All", (), {"__contains__": lambda *_: True})()
        ui_builder._meaning = lambda fault: ui_builder._nonsense(fault.code)
    """,
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_flow_and_no_fault_prints_a_token_not_even_at_debug(mutation: str) -> None:
    """The mutations show that the test would notice."""
    finished = run(EVERYTHING_AT_DEBUG, POWERTOOLS_LOG_LEVEL="DEBUG", MUTATION=textwrap.dedent(MUTATIONS[mutation]))
    assert finished.stdout.endswith("DONE\n")
    assert '"level":"ERROR"' in finished.stdout
    assert "in_progress_expiration" in finished.stdout, "the lock table's items are looked at, too"
    assert "Traceback" in finished.stderr
    assert "DEBUG" in finished.stderr
    shown = [line for line in (finished.stdout + finished.stderr).splitlines() if "canary" in line]
    assert bool(shown) is (mutation != "as it is"), shown[:5]
