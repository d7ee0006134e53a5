"""`tokenctl doctor`, shown failing for each of its reasons. Where MiniStack has no such state, a service is told what
to answer."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from local.deployment import Deployment
from tests.support.checkout import ROOT
from tests.support.command_line import Done, Tokenctl
from tests.support.http_server import answering
from tests.tokenctl.operate.conftest import scheduled
from tokenctl.stack.checks import AFTER_DEPLOYMENT, BEFORE_DEPLOYMENT, BOOTSTRAP_PARAMETER, BOOTSTRAP_VERSION

pytestmark = pytest.mark.xdist_group("stack")

DAYS_30 = timedelta(days=30)


def stacks(state: str) -> str:
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
        f"<Stacks><member><StackName>RefreshToken-local</StackName><StackStatus>{state}</StackStatus></member></Stacks>"
        "</DescribeStacksResult><ListStackResourcesResult/></DescribeStacksResponse>"
    )


@pytest.mark.usefixtures("schedule")
def test_all_is_well(tokenctl: Tokenctl, stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenctl.stack.checks.AMPLIFY_ENDS", datetime.max.replace(tzinfo=UTC))  # whenever this is run
    version = stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    stack.invoke({"version": "0", "id": "doctor", "source": "aws.scheduler"})
    done = tokenctl("doctor")
    levels = {line.split()[0] for line in done.out.splitlines() if not line[6:].startswith("errors ")}
    assert levels == {"OK"}, done.out
    assert len(done.out.splitlines()) == len([*BEFORE_DEPLOYMENT, *AFTER_DEPLOYMENT])
    assert version in done.line("secret")
    assert "the schedule ran" in done.line("last run")
    assert done.code <= 1, "other tests made the function raise"


def test_every_check_is_documented() -> None:
    documented = (ROOT / "docs" / "cli.md").read_text()
    assert [
        check.name for check in (*BEFORE_DEPLOYMENT, *AFTER_DEPLOYMENT) if f"| `{check.name}` |" not in documented
    ] == []


def test_the_bootstrap_version_is_the_one_that_the_synthesized_stack_asks_for(stack: Deployment) -> None:
    manifest = json.loads((stack.cloud.folder / "cdk.out" / "manifest.json").read_text())
    asked = [
        artifact["properties"]["requiresBootstrapStackVersion"]
        for artifact in manifest["artifacts"].values()
        if "requiresBootstrapStackVersion" in artifact.get("properties", {})
    ]
    assert max(asked) == BOOTSTRAP_VERSION


def test_a_region_without_the_api_and_without_bootstrap(tokenctl: Tokenctl) -> None:
    done = tokenctl("doctor", "--before-deployment", "--region", "ap-east-1", "--output", "json")
    found = {finding["check"]: finding for finding in done.json}
    assert list(found) == ["region", "credentials", "bootstrap", "concurrency"]
    assert found["region"]["level"] == found["bootstrap"]["level"] == "FAIL"
    assert "ap-east-1 has no Amplify UI Builder" in found["region"]["text"]
    assert found["bootstrap"]["fix"] == "run `cdk bootstrap`"
    assert done.code == 2


def test_no_region_and_no_credentials(tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    done = tokenctl("doctor")
    assert done.line("region").startswith("FAIL  region        no region is set. Fix: set AWS_REGION")
    assert done.line("credentials").startswith("FAIL")
    assert done.line("bootstrap") == "SKIP  bootstrap     needs `credentials`."
    assert done.line("window") == "SKIP  window        needs `secret`."
    assert done.code == 2


def test_credentials_that_aws_rejects(tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
    error = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"
    with answering(403, error) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        done = tokenctl("doctor", "--before-deployment")
    assert "FAIL  credentials   An error occurred (InvalidClientTokenId)" in done.out
    assert "set AWS_PROFILE" in done.line("credentials")


def test_a_bootstrap_that_is_too_old(tokenctl: Tokenctl, stack: Deployment) -> None:
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


def test_a_small_concurrency_quota_and_a_parameter_that_may_not_be_read(
    tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = answering(400, '{"__type": "AccessDeniedException"}', {"x-amzn-errortype": "AccessDeniedException"})
    with answering(200, '{"AccountLimit": {"ConcurrentExecutions": 10}}') as quota, denied as ssm:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", quota)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm)
        done = tokenctl("doctor", "--before-deployment")
    assert done.line("concurrency").startswith("WARN  concurrency   Lambda runs at most 10 functions at once")
    assert done.line("bootstrap").startswith("WARN  bootstrap     cannot be read: An error occurred (AccessDenied")
    assert done.code == 1


def test_a_stack_that_is_not_there(tokenctl: Tokenctl) -> None:
    done = tokenctl("doctor", "--stage", "nowhere")
    assert "FAIL  stack         There is no stack RefreshToken-nowhere" in done.out
    assert "cdk deploy -c stage=nowhere" in done.line("stack")
    assert [line[:4] for line in done.out.splitlines()].count("SKIP") == len(AFTER_DEPLOYMENT) - 1
    assert done.code == 2


@pytest.mark.parametrize(
    ("state", "level"),
    [("ROLLBACK_COMPLETE", "FAIL"), ("UPDATE_ROLLBACK_COMPLETE", "WARN"), ("UPDATE_IN_PROGRESS", "WARN")],
)
def test_a_stack_whose_deployment_failed_or_goes_on(
    tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, state: str, level: str
) -> None:
    with answering(200, stacks(state)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        done = tokenctl("doctor")
    assert done.line("stack").startswith(f"{level}  stack")


def put(**value: str | bytes) -> Callable[[Deployment], object]:
    def store(stack: Deployment) -> object:
        return stack.cloud.client("secretsmanager").put_secret_value(SecretId=stack.outputs["SecretArn"], **value)

    return store


def delete(stack: Deployment) -> object:
    return stack.cloud.client("secretsmanager").delete_secret(
        SecretId=stack.outputs["SecretArn"], RecoveryWindowInDays=7
    )


SECRETS: list[tuple[str, Callable[[Deployment], object], str]] = [
    ("not seeded", put(SecretString="{}"), "holds no token pair yet. Sign in to Figma once"),
    ("malformed", put(SecretString='{"accessToken": "canary-of-a-malformed-secret"}'), "`refreshToken` must be"),
    ("binary", put(SecretBinary=b"canary-of-a-binary-secret"), "it is binary"),
    ("being deleted", delete, "An error occurred (InvalidRequestException)"),
]


@pytest.mark.parametrize(("spoil", "said"), [case[1:] for case in SECRETS], ids=[case[0] for case in SECRETS])
def test_a_secret_that_holds_no_pair(
    tokenctl: Tokenctl, stack: Deployment, spoil: Callable[[Deployment], object], said: str
) -> None:
    spoil(stack)
    try:
        done = tokenctl("doctor")
    finally:
        if spoil is delete:
            stack.cloud.client("secretsmanager").restore_secret(SecretId=stack.outputs["SecretArn"])
    assert done.line("secret").startswith("FAIL")
    assert said in done.line("secret")
    assert done.line("window") == "SKIP  window        needs `secret`."
    assert "canary" not in done.out
    assert done.code == 2


@pytest.mark.parametrize(("left", "level"), [(timedelta(hours=3), "WARN"), (-DAYS_30, "FAIL")], ids=["due", "expired"])
def test_a_token_that_is_due_or_dead(tokenctl: Tokenctl, stack: Deployment, left: timedelta, level: str) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=left)
    done = tokenctl("doctor")
    assert done.line("window").startswith(level)
    assert "Fix: look at the last outcome" in done.line("window")


def test_a_key_a_schedule_an_alarm_and_a_queue_that_are_not_as_they_should_be(
    tokenctl: Tokenctl, stack: Deployment
) -> None:
    secrets, kms, cloudwatch, sqs = (
        stack.cloud.client(name) for name in ("secretsmanager", "kms", "cloudwatch", "sqs")
    )
    secret, queue = stack.outputs["SecretArn"], stack.outputs["DeadLetterQueueUrl"]
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    alarms = [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]]
    alarm = next(name for name in alarms if "TokenExpires" in name)
    secrets.update_secret(SecretId=secret, KmsKeyId=key)
    try:
        assert tokenctl("doctor").line("key") == (
            "OK    key           the secret's key is enabled, and you could read the pair with it."
        )
        kms.disable_key(KeyId=key)
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
        sqs.send_message(QueueUrl=queue, MessageBody="a test")
        done = tokenctl("doctor")
    finally:
        secrets.update_secret(SecretId=secret, KmsKeyId="alias/aws/secretsmanager")
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test")
        sqs.purge_queue(QueueUrl=queue)
    assert "FAIL  key           the secret's key is Disabled. Fix: enable the key" in done.out
    assert "FAIL  schedule      rate(1 minute) is DISABLED: nothing keeps the token alive. Fix: enable" in done.out
    assert "FAIL  alarms        ringing: TokenExpires. Fix: docs/runbook.md" in done.out
    assert "FAIL  dead letters  waiting in the dead-letter queue: 1. Fix:" in done.out
    assert done.code == 2


def test_a_schedule_that_never_ran(tokenctl: Tokenctl, stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    with answering(200, '{"events": []}') as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", url)
        done = tokenctl("doctor")
        with scheduled(stack, "ENABLED", "rate(30 days)"):
            new = tokenctl("doctor")
    assert "WARN  last run      the log shows no run of the schedule within 7 minutes. Fix: see" in done.out
    assert new.line("last run") == "OK    last run      the schedule is new and has not run yet."


def counted(done: Done) -> tuple[int, int]:
    """Return how many errors of the function within a day the doctor tells of, and how many wrong requests."""
    line = done.line("errors")
    errors = re.search(r"within a day: (\d+)", line)
    assert line.startswith("WARN  errors        " if errors else "OK    errors        the function raised no error")
    wrong = re.search(r", besides (\d+) wrong requests?\.", line)
    return int(errors[1]) if errors else 0, int(wrong[1]) if wrong else 0


def test_errors_within_a_day_are_a_warning_and_wrong_requests_are_not(tokenctl: Tokenctl, stack: Deployment) -> None:
    errors, wrong = counted(tokenctl("doctor"))
    assert stack.invoke({"provider": "sketch"}).failed
    assert counted(tokenctl("doctor")) == (errors, wrong + 1)
    stack.seed(stack.cloud.standin.grant(), expires_in=timedelta(seconds=-1))
    stack.cloud.standin.revoke()
    assert stack.invoke({}).failed
    assert counted(tokenctl("doctor")) == (errors + 1, wrong + 1)


def test_a_real_refresh_is_made_only_with_consent(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=DAYS_30)
    asked = tokenctl("doctor", "--call")
    assert (asked.code, asked.out) == (252, "")
    assert stack.cloud.standin.calls("RefreshToken") == []
    done = tokenctl("doctor", "--call", "--yes")
    assert done.line("call").startswith(f"OK    call          refreshed: version {stack.current()[0]}")
    stack.cloud.standin.revoke()
    refused = tokenctl("doctor", "--call", "--yes")
    assert "sign in" in refused.line("call")
    assert refused.line("call").startswith("FAIL")
