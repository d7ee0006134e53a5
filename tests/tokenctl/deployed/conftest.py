"""tokenctl in this process on the deployed stack. Whatever it prints is searched for tokens."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from local.cloud import LocalCloud
from local.deployment import Deployment, deploy
from tests.support.bare_stack import Stack
from tests.support.command_line import Done, Tokenctl
from tests.support.deployed_stack import AwsAnswers, scheduled
from tests.support.documents import dangling
from tests.support.http_server import answering
from tests.support.in_this_process import call_with, run_tokenctl
from tests.support.windows import FRESH


def secrets_of(stack: Deployment) -> set[str]:
    """Return every token that must not be shown: those of all grants, and those in the secret."""
    found = {token for grant in stack.cloud.standin.grants() for token in (grant.access_token, grant.refresh_token)}
    client = stack.cloud.client("secretsmanager")
    try:
        text = client.get_secret_value(SecretId=stack.outputs["SecretArn"]).get("SecretString", "")
    except client.exceptions.ClientError:
        text = ""
    return found | {part for part in text.split('"') if len(part) > 20 and " " not in part and part[4:5] != "-"}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Return a cloud of this folder's own: the one that has the demo waits a minute for its first tick."""
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(cloud: LocalCloud) -> Deployment:
    cloud.cdk().bootstrap()
    return deploy(cloud, context={"schedule": "rate(12 hours)"})  # so rarely that it does not disturb


@pytest.fixture
def stack(deployed: Deployment) -> Iterator[Deployment]:
    deployed.cloud.standin.reset()
    yield deployed
    deployed.cloud.standin.reset()


@pytest.fixture
def bare(cloud: LocalCloud) -> Iterator[Stack]:
    """Return a stack with secrets only, whose issuer is figma."""
    with Stack(cloud, "figma").deployed() as stack:
        yield stack


@pytest.fixture
def aws_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsAnswers]:
    """Let an AWS service, by the name in AWS_ENDPOINT_URL_<service>, give one answer until the test ends."""
    with ExitStack() as servers:

        def answer(service: str, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
            url = servers.enter_context(answering(status, body, headers))
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)

        yield answer


@pytest.fixture
def terminal_env(stack: Deployment) -> dict[str, str]:
    return dict(stack.cloud.env)


@pytest.fixture
def fresh(stack: Deployment) -> str:
    """A stored pair that lives for 30 days; its access token."""
    grant = stack.cloud.standin.grant()
    stack.seed(grant, expires_in=FRESH)
    return grant.access_token


@pytest.fixture
def tokenctl(stack: Deployment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokenctl:
    """Return tokenctl in the environment that the demo tells people to use."""
    call_with(monkeypatch, stack.cloud.exports | {"COLUMNS": "120"})
    secrets: set[str] = set()

    def command(*words: str, stdin: str | bytes = "") -> Done:
        secrets.update(secrets_of(stack))
        target = () if {"--stage", "--function-name", "--stack-name"} & {*words} else ("--stage", "local")
        done = run_tokenctl([*words, *target], stdin, monkeypatch, capfd)
        if words[0] != "token":
            for secret in secrets | secrets_of(stack):
                assert secret not in done.out + done.err
        assert dangling(done.out + done.err) == []
        return done

    return command


@pytest.fixture
def trouble(stack: Deployment) -> Iterator[None]:
    """Let the alarms TokenExpires and FunctionErrors ring, and a dead letter wait; stop the schedule."""
    cloudwatch, sqs = stack.cloud.client("cloudwatch"), stack.cloud.client("sqs")
    names = [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]]
    ringing = [name for name in names if "TokenExpires" in name or "FunctionErrors" in name]
    for name in ringing:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    sqs.send_message(QueueUrl=stack.outputs["DeadLetterQueueUrl"], MessageBody="a test")
    with scheduled(stack, "DISABLED"):
        yield
    for name in ringing:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    sqs.purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
