"""`tokenctl doctor`: each check failing for each reason. Where MiniStack has no such state, a fake service answers."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from local.deployment import Deployment
from refresh_token.signals import SETTINGS_RECORD
from tests.support.aws_endpoints import described_stack
from tests.support.bare_stack import BOOTSTRAP, Stack
from tests.support.changed_by_hand import delete_the_secret
from tests.support.checkout import ROOT
from tests.support.command_line import Done, Tokenctl
from tests.support.deployed_stack import AwsAnswers, put_secret, scheduled
from tests.support.events import TICK
from tests.support.processes import wait_until
from tests.support.windows import FRESH, MANDATORY
from tokenctl.checks.account import BOOTSTRAP_PARAMETER, MIN_BOOTSTRAP_VERSION
from tokenctl.checks.table import AFTER_DEPLOYMENT, BEFORE_DEPLOYMENT

pytestmark = pytest.mark.xdist_group("deployed")

DENIED = '{"__type": "AccessDeniedException"}'


def doctor_when(tokenctl: Tokenctl, wanted: Callable[[Done], bool]) -> Done:
    """Return what the doctor says, as soon as the log has got so far that it says what is wanted."""

    def examine() -> Done | None:
        done = tokenctl("doctor")
        return done if wanted(done) else None

    return wait_until(examine)


def test_all_is_well(tokenctl: Tokenctl, stack: Deployment) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    stack.invoke(TICK)
    done = doctor_when(tokenctl, lambda done: "the schedule ran" in done.line("last run"))
    *lines, verdict = done.out.splitlines()
    aside = ("issuer ", "subscribers ")
    levels = {line.split()[0] for line in lines if not line[6:].startswith(aside)}
    assert levels == {"OK"}, done.out
    assert len(lines) == len([*BEFORE_DEPLOYMENT, *AFTER_DEPLOYMENT])
    assert (verdict, done.code) == ("HEALTHY", 0)
    assert version in done.line("secret")


@pytest.mark.parametrize(("left", "health"), [(FRESH, "HEALTHY"), (MANDATORY, "DEGRADED"), (None, "DEAD")])
def test_the_exit_code_is_that_of_the_verdict(
    tokenctl: Tokenctl, stack: Deployment, left: timedelta | None, health: str
) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=left or FRESH, **({} if left else {"expiresAt": None}))
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    if left is None:
        stack.cloud.standin.fail("RefreshToken", status=503, times=None)
        assert stack.invoke({}).failed
    elif left is FRESH:
        stack.invoke(TICK)
    done = doctor_when(tokenctl, lambda done: done.out.splitlines()[-1].startswith(health))
    assert ("FAIL" in done.out, done.code) == (False, ["HEALTHY", "DEGRADED", "DEAD"].index(health))
    assert tokenctl("doctor", "--output", "json").code == done.code


def test_every_check_is_documented() -> None:
    documented = (ROOT / "docs" / "cli.md").read_text()
    names = [check.name for check in (*BEFORE_DEPLOYMENT, *AFTER_DEPLOYMENT)]
    assert [name for name in names if f"| `{name}` |" not in documented] == []


class TestTheAccount:
    def test_region_without_api_and_bootstrap(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("doctor", "--before-deployment", "--region", "ap-east-1", "--output", "json")
        found = {finding["check"]: finding for finding in done.json}
        assert list(found) == ["region", "credentials", "bootstrap", "concurrency"]
        assert found["region"]["level"] == found["bootstrap"]["level"] == "FAIL"
        assert "ap-east-1 has no Amplify UI Builder" in found["region"]["text"]
        assert found["bootstrap"]["fix"] == "run `cdk bootstrap`"
        assert done.code == 2

    def test_no_region_and_no_credentials(self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        done = tokenctl("doctor")
        assert done.line("region").startswith("FAIL  region        no region is set. Fix: set AWS_REGION")
        assert done.line("credentials").startswith("FAIL")
        assert done.line("bootstrap") == "SKIP  bootstrap     needs `credentials`."
        assert done.line("window") == "SKIP  window        needs `secret`."
        assert done.code == 2

    def test_an_old_bootstrap(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        ssm = stack.cloud.client("ssm")
        before = ssm.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
        ssm.put_parameter(Name=BOOTSTRAP_PARAMETER, Value="5", Type="String", Overwrite=True)
        try:
            done = tokenctl("doctor", "--before-deployment")
        finally:
            ssm.put_parameter(Name=BOOTSTRAP_PARAMETER, Value=before, Type="String", Overwrite=True)
        assert done.line("bootstrap") == (
            "FAIL  bootstrap     CDK bootstrap version 5, at least 6 is needed. Fix: run `cdk bootstrap`."
        )

    def test_a_bootstrap_with_a_qualifier(self, tokenctl: Tokenctl, stack: Deployment, bare: Stack) -> None:
        missing = tokenctl("doctor", "--stage", bare.stage).line("bootstrap")
        assert missing.startswith(f"FAIL  bootstrap     there is no parameter {BOOTSTRAP}; the account and region are")
        assert BOOTSTRAP_PARAMETER in missing
        ssm = stack.cloud.client("ssm")
        ssm.put_parameter(Name=BOOTSTRAP, Value="21", Type="String")
        try:
            found = tokenctl("doctor", "--stage", bare.stage).line("bootstrap")
        finally:
            ssm.delete_parameter(Name=BOOTSTRAP)
        assert found == "OK    bootstrap     CDK bootstrap version 21."

    def test_the_bootstrap_version_is_the_synthesized_one(self, stack: Deployment) -> None:
        manifest = json.loads((stack.cloud.folder / "cdk.out" / "manifest.json").read_text())
        properties = [artifact.get("properties", {}) for artifact in manifest["artifacts"].values()]
        versions = [each.get("requiresBootstrapStackVersion", 0) for each in properties]
        assert max(versions) == MIN_BOOTSTRAP_VERSION


INVALID = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"
GONE = '{"__type": "ResourceNotFoundException"}'
SKEWED = INVALID.replace("InvalidClientTokenId", "SignatureDoesNotMatch")
INACCESSIBLE = {
    "TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
LOCKED_TABLE = json.dumps({"Table": INACCESSIBLE})
ROTATED = json.dumps({"RotationEnabled": True, "VersionId": "v", "SecretString": "{}"})
UNABLE = "FAIL  function      Lambda cannot run the function: no key. Fix: "
FAILED = json.dumps({"FunctionName": "f", "State": "Failed", "StateReason": "no key"})
NO_FUNCTIONS = '{"AccountLimit": {"ConcurrentExecutions": 10}}'

VALUES = {"issuer": "figma", "schedule": "rate(1 hour)", "tracing": False, "memory_mb": 512}
GIVEN = {"Metadata": {SETTINGS_RECORD: {"settings": VALUES, "given": ["issuer", "schedule", "tracing"]}}}
AGAIN = "`cdk deploy -c stage=local -c issuer=figma -c schedule='rate(1 hour)' -c tracing=false`"
UNDONE = (
    "stack         RefreshToken-local is UPDATE_ROLLBACK_COMPLETE: its last deployment failed and was undone. Fix: "
)
EVENTS = "`aws cloudformation describe-stack-events --stack-name RefreshToken-local` says why"
RESTORE = "`cdk deploy -c stage=local -c amplifyuibuilder_endpoint_url=http"

ANSWERS: dict[str, tuple[str, int, str, str, str]] = {
    "credentials": ("STS", 403, INVALID, "credentials", "FAIL  credentials   An error occurred (InvalidClientTokenId)"),
    "quota": ("LAMBDA", 200, NO_FUNCTIONS, "concurrency", "WARN  concurrency   Lambda runs at most 10 functions at"),
    "function gone": ("LAMBDA", 404, GONE, "function", f"FAIL  function      the function is gone. Fix: {RESTORE}"),
    "denied": ("SSM", 400, DENIED, "bootstrap", "WARN  bootstrap     cannot be read: An error occurred (AccessDenied"),
    "undone": (
        *("CLOUDFORMATION", 200, described_stack("UPDATE_ROLLBACK_COMPLETE", template=json.dumps(GIVEN)), "stack"),
        f"WARN  {UNDONE}{EVENTS}; then {AGAIN}",
    ),
    "clock": ("STS", 403, SKEWED, "credentials", "FAIL  credentials   An error occurred (SignatureDoesNotMatch)"),
    "function failed": ("LAMBDA", 200, FAILED, "function", f"{UNABLE}{RESTORE}"),
    "rotated": (
        "SECRETS_MANAGER",
        200,
        ROTATED,
        "changes",
        "WARN  changes       changed by hand after the deployment: S",
    ),
    "table without key": (
        "DYNAMODB",
        200,
        LOCKED_TABLE,
        "lock table",
        "FAIL  lock table    RefreshToken-local-LockTable",
    ),
    "unavailable": ("CLOUDFORMATION", 503, "busy", "stack", "FAIL  stack         The answer is not one of AWS's. Run"),
}


@pytest.mark.parametrize(("service", "status", "body", "check", "line"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_aws_becomes_a_finding(  # noqa: PLR0917 - a row
    tokenctl: Tokenctl, aws_answers: AwsAnswers, service: str, status: int, body: str, check: str, line: str
) -> None:
    aws_answers(service, status, body)
    before = check in [each.name for each in BEFORE_DEPLOYMENT]
    done = tokenctl("doctor", *(["--before-deployment"] if before else []))
    assert done.line(check).startswith(line)
    assert done.code == (2 if "FAIL" in done.out else 1)


DEPLOYERS = [
    ("RefreshToken-Ours", GIVEN, "then `cdk deploy -c stage=Ours -c issuer=figma -c schedule="),
    ("RefreshToken-Theirs", {"Resources": {}}, "then deploy it again as you did before."),
]
"""A stack, its template, and the advice after a deployment that was undone."""


@pytest.mark.parametrize(("name", "template", "advice"), DEPLOYERS)
def test_the_advice_fits_who_deployed_it(
    tokenctl: Tokenctl, aws_answers: AwsAnswers, name: str, template: dict[str, object], advice: str
) -> None:
    outputs = {"FunctionName": "f", "SecretArn": "s"}
    aws_answers(
        "CLOUDFORMATION", 200, described_stack("UPDATE_ROLLBACK_COMPLETE", outputs, template=json.dumps(template))
    )
    done = tokenctl("doctor", "--stack-name", name)
    assert advice in done.line("stack")


STATES = {
    "REVIEW_IN_PROGRESS": ("FAIL", "never been deployed", "cdk deploy -c stage=local"),
    "CREATE_IN_PROGRESS": ("WARN", "being changed", "wait"),
    "ROLLBACK_COMPLETE": ("FAIL", "first deployment failed", "aws cloudformation delete-stack --stack-name RefreshT"),
    "UPDATE_ROLLBACK_IN_PROGRESS": ("WARN", "being changed", "wait"),
    "UPDATE_ROLLBACK_FAILED": ("FAIL", "could not be undone", "aws cloudformation continue-update-rollback --stack-n"),
    "UPDATE_ROLLBACK_COMPLETE": ("WARN", "failed and was undone", "cdk deploy -c stage=local"),
    "DELETE_IN_PROGRESS": ("FAIL", "somebody is deleting it", "aws cloudformation wait stack-delete-complete"),
    "NEW_STATE": ("WARN", "does not know this state", "aws cloudformation describe-stack-events"),
}
NOTHING_LEFT = {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS"}


@pytest.mark.parametrize(("state", "finding"), STATES.items(), ids=STATES)
def test_a_state_of_the_stack_has_its_advice(
    tokenctl: Tokenctl, aws_answers: AwsAnswers, state: str, finding: tuple[str, str, str]
) -> None:
    level, text, fix = finding
    aws_answers("CLOUDFORMATION", 200, described_stack(state))
    done = tokenctl("doctor")
    line = done.line("stack")
    assert line.startswith(f"{level}  stack         RefreshToken-local is {state}: ")
    assert text in line.partition("Fix: ")[0]
    assert fix in line.partition("Fix: ")[2]
    assert (done.line("secret") == "SKIP  secret        needs `stack`.") == (state in NOTHING_LEFT)


@pytest.mark.parametrize(("stage", "shown"), [("nowhere", "nowhere"), ("a" * 21, "<stage>"), ("Canary", "<stage>")])
def test_a_missing_stack_skips_the_rest(tokenctl: Tokenctl, stage: str, shown: str) -> None:
    done = tokenctl("doctor", "--stage", stage)
    assert f"FAIL  stack         There is no stack RefreshToken-{shown}" in done.out
    assert f"cdk deploy -c stage={shown}" in done.line("stack")
    assert (stage in done.out) == (stage == shown), "it may be a misplaced token"
    assert [line[:4] for line in done.out.splitlines()].count("SKIP") == len(AFTER_DEPLOYMENT) - 1
    assert done.code == 2


SPOILED: dict[str, tuple[Callable[[Deployment], None], str]] = {
    "not seeded": (lambda stack: put_secret(stack, SecretString="{}"), "holds no token pair yet. "),
    "malformed": (
        lambda stack: put_secret(stack, SecretString='{"accessToken": "canary"}'),
        "`refreshToken` is missing",
    ),
    "binary": (lambda stack: put_secret(stack, SecretBinary=b"canary"), "it is binary"),
    "being deleted": (delete_the_secret, "is scheduled for deletion. Fix: `tokenctl repair --stage local`"),
}


class TestTheToken:
    @pytest.mark.parametrize(("spoil", "message"), SPOILED.values(), ids=SPOILED)
    def test_a_secret_without_a_pair(
        self, tokenctl: Tokenctl, stack: Deployment, spoil: Callable[[Deployment], None], message: str
    ) -> None:
        spoil(stack)
        try:
            done = tokenctl("doctor")
        finally:
            if spoil is delete_the_secret:
                stack.cloud.client("secretsmanager").restore_secret(SecretId=stack.outputs["SecretArn"])
        assert done.line("secret").startswith("FAIL")
        assert message in done.line("secret")
        assert done.line("window") == "SKIP  window        needs `secret`."
        assert "canary" not in done.out
        assert done.code == 2

    @pytest.mark.parametrize(("left", "level"), [(timedelta(hours=3), "WARN"), (-FRESH, "FAIL")])
    def test_one_that_is_due_or_dead(self, tokenctl: Tokenctl, stack: Deployment, left: timedelta, level: str) -> None:
        stack.seed(stack.cloud.standin.grant(), expires_in=left)
        line = tokenctl("doctor").line("window")
        assert line.startswith(level)
        assert line.endswith("Fix: see docs/runbook.md#tokenexpires.")

    def test_one_that_is_yet_to_come(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        grant = stack.cloud.standin.grant()
        put_secret(stack, SecretString=json.dumps({"refreshToken": grant.refresh_token}))
        awaited = "no access token yet: the first request or run of the schedule gets one"
        assert tokenctl("doctor").line("window") == f"OK    window        {awaited}."
        stack.cloud.standin.revoke()
        assert stack.invoke({}).failed
        line = doctor_when(tokenctl, lambda done: done.line("window").startswith("WARN")).line("window")
        assert "dead: the issuer refused the grant, and somebody must sign in" in line

    @pytest.mark.usefixtures("fresh")
    def test_a_disabled_key(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        secrets, kms = stack.cloud.client("secretsmanager"), stack.cloud.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        secrets.update_secret(SecretId=stack.outputs["SecretArn"], KmsKeyId=key)
        try:
            enabled = tokenctl("doctor").line("key")
            kms.disable_key(KeyId=key)
            disabled = tokenctl("doctor").line("key")
        finally:
            secrets.update_secret(SecretId=stack.outputs["SecretArn"], KmsKeyId="alias/aws/secretsmanager")
        assert enabled == "OK    key           the secret's key is enabled, and you can read the pair with it."
        assert disabled.startswith(
            f"FAIL  key           the secret's key is Disabled. Fix: `aws kms enable-key --key-id {key}`"
        )


class TestTheOperation:
    @pytest.mark.usefixtures("fresh")
    def test_nobody_who_gets_the_alarms(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        assert tokenctl("doctor").line("subscribers").startswith("WARN  subscribers   nobody is told when an")
        sns, queue = stack.cloud.client("sns"), stack.cloud.client("sqs").create_queue(QueueName="pager")["QueueUrl"]
        arn = f"arn:aws:sqs:{sns.meta.region_name}:000000000000:pager"
        told = sns.subscribe(TopicArn=stack.outputs["AlarmTopicArn"], Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
        try:
            assert tokenctl("doctor").line("subscribers") == "OK    subscribers   1 subscriber to the alarms."
        finally:
            sns.unsubscribe(SubscriptionArn=told)
            stack.cloud.client("sqs").delete_queue(QueueUrl=queue)

    @pytest.mark.usefixtures("fresh", "trouble")
    def test_schedule_alarms_and_queue_in_trouble(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("doctor")
        disabled = (
            "FAIL  schedule      rate(12 hours) is DISABLED: nothing keeps the token alive. Fix: `tokenctl repair"
        )
        assert done.line("schedule").startswith(disabled)
        assert done.line("alarms").startswith(
            "FAIL  alarms        in ALARM: FunctionErrors, TokenExpires. Fix: see docs/"
        )
        waiting = "FAIL  dead letters  1 message waiting in the dead-letter queue. Fix: `tokenctl dead-letters --"
        assert done.line("dead letters").startswith(waiting)
        assert done.code == 2

    @pytest.mark.usefixtures("fresh")
    def test_a_schedule_that_never_ran(self, tokenctl: Tokenctl, stack: Deployment, aws_answers: AwsAnswers) -> None:
        aws_answers("CLOUDWATCH_LOGS", 200, '{"events": []}')
        with scheduled(stack, "ENABLED", "rate(30 days)"):
            new = "OK    last run      the schedule is new and has not run yet."
            assert tokenctl("doctor").line("last run") == new
        (summary,) = stack.cloud.client("scheduler").list_schedules()["Schedules"]
        minute_old = summary["CreationDate"] + timedelta(minutes=1)
        time.sleep(max((minute_old - datetime.now(UTC)).total_seconds(), 0))
        missing = "WARN  last run      the log shows no scheduled run in the last 7 minutes. Fix: read"
        with scheduled(stack, "DISABLED", "rate(1 minute)"):
            assert tokenctl("doctor").line("last run").startswith(missing)

    def test_errors_count_until_the_function_works(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        assert not stack.invoke(TICK).failed
        assert stack.invoke({"provider": "sketch"}).failed
        works = r"OK    errors        no request failed since the function last .* ago, not counting 1 wrong request\."
        assert re.fullmatch(works, tokenctl("doctor").line("errors"))
        stack.seed(stack.cloud.standin.grant(), expires_in=timedelta(seconds=-1))
        stack.cloud.standin.revoke()
        assert stack.invoke({}).failed
        assert stack.invoke(TICK).failed
        line = tokenctl("doctor").line("errors")
        assert re.match(r"WARN  errors        requests failed since .* ago: 2 ReauthorizationRequiredException", line)
        assert "Fix: see docs/runbook.md#reauthorizationrequiredexception." in line
        stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        assert not stack.invoke(TICK).failed
        assert tokenctl("doctor").line("errors").startswith("OK    errors        no request failed since")


def test_what_a_real_refresh_mends_is_green(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=-FRESH)
    *lines, verdict = tokenctl("doctor", "--call", "--yes").out.splitlines()
    assert [line[:4].strip() for line in lines if line[6:].startswith("window")] == ["FAIL", "OK"]
    assert not verdict.startswith("DEAD")
    assert "window" not in verdict


@pytest.mark.usefixtures("fresh")
def test_a_real_refresh_needs_consent(tokenctl: Tokenctl, stack: Deployment) -> None:
    unconfirmed = tokenctl("doctor", "--call")
    assert (unconfirmed.code, unconfirmed.out) == (252, "")
    assert stack.cloud.standin.calls("RefreshToken") == []
    done = tokenctl("doctor", "--call", "--yes")
    assert done.line("call").startswith(f"OK    call          refreshed: version {stack.current()[0]}")
    stack.cloud.standin.revoke()
    refused = tokenctl("doctor", "--call", "--yes").line("call")
    assert "sign in" in refused
    assert refused.startswith("FAIL")
