"""What `tokenctl doctor` looks at. To add a check, write a function and put it into a table at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from refresh_token.signals import Log
from refresh_token.windows import Window
from tokenctl.errors import TokenctlError
from tokenctl.stack.app_secret import NoCredentialsError, how_to_fill, read_credentials
from tokenctl.stack.deployed import Deployed, period_of, short_name
from tokenctl.stack.issuer import AMPLIFY, AMPLIFY_ENDS, deployed_app, deployed_issuer
from tokenctl.stack.secret import NoPairError, read_pair
from tokenctl.stack.target import Target, explained
from tokenctl.stack.token_life import DEFAULT_WINDOWS, MEANING, life_of, relative, sentence

BOOTSTRAP_PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION: Final = 6
"""What the synthesized stack asks for (`requiresBootstrapStackVersion`)."""

SMALL_QUOTA: Final = 10
DAY: Final = timedelta(days=1)
TIME_TO_MOVE: Final = timedelta(days=90)
"""How long before the end of Amplify's API somebody should move: a token's life."""


class Level(StrEnum):
    """How it looks, from good to bad."""

    OK = "OK"
    SKIP = "SKIP"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """What a check saw, and how to mend it."""

    level: Level
    text: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What is looked at."""

    target: Target
    deployed: Deployed
    now: datetime
    issuer: str | None = None
    """The one that will be deployed; None: the one that is, or else the default."""


@dataclass(frozen=True)
class Check:
    """A name, the checks without which it makes no sense, and how to look."""

    name: str
    needs: tuple[str, ...]
    look: Callable[[Examined], Finding]


def _region(examined: Examined) -> Finding:
    session = examined.target.connection.session
    region = session.region_name
    if region is None:
        return Finding(Level.FAIL, "no region is set", "set AWS_REGION or give --region")
    if region in session.get_available_regions("amplifyuibuilder"):
        return Finding(Level.OK, f"{region} has Amplify UI Builder")
    issuer = examined.issuer or _issuer_if_deployed(examined)
    if issuer != AMPLIFY:
        return Finding(Level.OK, f"{region} has no Amplify UI Builder, which the issuer {issuer} does not need")
    fix = "deploy to a region of README.md, Limits, or with another issuer, docs/issuers.md"
    return Finding(Level.FAIL, f"{region} has no Amplify UI Builder", fix)


def _issuer_if_deployed(examined: Examined) -> str:
    try:
        return deployed_issuer(examined.deployed)
    except TokenctlError:
        return AMPLIFY  # no stack yet, perhaps, for which it is the default


def _credentials(examined: Examined) -> Finding:
    try:
        client = examined.target.connection.client("sts")
        with explained():
            identity = client.get_caller_identity()
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error), "set AWS_PROFILE, or sign in again")
    return Finding(Level.OK, f"account {identity['Account']}, {identity['Arn']}")


def _bootstrap(examined: Examined) -> Finding:
    from botocore.exceptions import ClientError

    fix = "run `cdk bootstrap`"
    client = examined.target.connection.client("ssm")
    with explained():
        try:
            version = client.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            return Finding(Level.FAIL, "account and region are not bootstrapped for the CDK", fix)
    if not version.isdecimal() or int(version) < BOOTSTRAP_VERSION:
        return Finding(Level.FAIL, f"CDK bootstrap version {version}, at least {BOOTSTRAP_VERSION} is needed", fix)
    return Finding(Level.OK, f"CDK bootstrap version {version}")


def _concurrency(examined: Examined) -> Finding:
    client = examined.target.connection.client("lambda")
    with explained():
        quota = client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if quota <= SMALL_QUOTA:
        return Finding(
            Level.WARN,
            f"Lambda runs at most {quota} functions at once in this account and region",
            "have the quota `Concurrent executions` raised, and do not set reserved_concurrency",
        )
    return Finding(Level.OK, f"Lambda's quota is {quota} at once")


def _stack(examined: Examined) -> Finding:
    target = examined.target
    try:
        _ = target.outputs
        client = target.connection.client("cloudformation")
        with explained():
            state = client.describe_stacks(StackName=target.stack_name)["Stacks"][0]["StackStatus"]
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error))
    deploy = f"see its events, then `cdk deploy -c stage={target.stage}`"
    if state.endswith("_IN_PROGRESS"):
        return Finding(Level.WARN, f"{target.stack_name} is {state}", "wait until it is done")
    if state == "UPDATE_ROLLBACK_COMPLETE":
        return Finding(Level.WARN, f"the last deployment of {target.stack_name} failed and was undone", deploy)
    if state not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Finding(Level.FAIL, f"{target.stack_name} is {state}", deploy)
    return Finding(Level.OK, f"{target.stack_name} is {state}")


def _issuer(examined: Examined) -> Finding:
    name = deployed_issuer(examined.deployed)
    if name == AMPLIFY:
        said = f"{name}, whose API ends with Amplify Studio on {AMPLIFY_ENDS:%Y-%m-%d}"
        if AMPLIFY_ENDS - examined.now > TIME_TO_MOVE:
            return Finding(Level.OK, said)
        return Finding(Level.WARN, said, "move to an app of your own: docs/issuers.md, `From Amplify to Figma`")
    return Finding(Level.OK, f"{name}, at {deployed_app(examined.deployed).shown}")


def _app_secret(examined: Examined) -> Finding:
    if deployed_issuer(examined.deployed) == AMPLIFY:
        return Finding(Level.OK, f"{AMPLIFY} holds the app's credentials")
    try:
        read_credentials(examined.target)
    except NoCredentialsError as error:
        said = str(error).removesuffix(how_to_fill(examined.target)).strip()
        fix = f"`tokenctl app-credentials --stage {examined.target.stage}`"
        return Finding(Level.FAIL, said, fix)
    except TokenctlError as error:  # what is stored may be right: storing again is no remedy
        return Finding(Level.FAIL, str(error), "see `ConfigurationException` in docs/runbook.md")
    return Finding(Level.OK, "holds the app's credentials")


def _secret(examined: Examined) -> Finding:
    try:
        stored = read_pair(examined.target)
    except NoPairError as error:
        return Finding(Level.FAIL, str(error))
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error), "see `SecretUnavailableException` in docs/runbook.md")
    return Finding(Level.OK, f"holds a token pair, version {stored.version_id}")


def _window(examined: Examined) -> Finding:
    try:
        settings = examined.deployed.windows
    except TokenctlError:
        settings = DEFAULT_WINDOWS
    life = life_of(read_pair(examined.target).pair, now=examined.now, settings=settings)
    window = Window(life["window"])
    text = f"the token {sentence(life)}: {MEANING[window]}"
    if window in {Window.FRESH, Window.ADVISORY}:
        return Finding(Level.OK, text)
    level = Level.FAIL if window is Window.EXPIRED else Level.WARN
    return Finding(level, text, "look at the last outcome in `tokenctl status`, then `tokenctl refresh`")


def _key(examined: Examined) -> Finding:
    secrets = examined.target.connection.client("secretsmanager")
    with explained():
        key = secrets.describe_secret(SecretId=examined.target.secret_arn).get("KmsKeyId")
    if not key or key.endswith("alias/aws/secretsmanager"):
        return Finding(Level.OK, "the secret is encrypted with the key that AWS manages")
    client = examined.target.connection.client("kms")
    with explained():
        state = client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        return Finding(Level.FAIL, f"the secret's key is {state}", "enable the key, or cancel its deletion")
    read_pair(examined.target)  # what counts is that it decrypts
    return Finding(Level.OK, "the secret's key is enabled, and you could read the pair with it")


def _schedule(examined: Examined) -> Finding:
    schedules = examined.deployed.schedules()
    if not schedules:
        return Finding(Level.FAIL, "the stack's schedule is gone", f"`cdk deploy -c stage={examined.target.stage}`")
    expression, state = schedules[0]["ScheduleExpression"], schedules[0]["State"]
    if state != "ENABLED":
        return Finding(Level.FAIL, f"{expression} is {state}: nothing keeps the token alive", "enable the schedule")
    return Finding(Level.OK, f"{expression} is ENABLED")


def _last_run(examined: Examined) -> Finding:
    """Every tick logs that it checked the token, even if it then fails."""
    schedules = examined.deployed.schedules()
    period = (period_of(schedules[0]["ScheduleExpression"]) if schedules else None) or DAY
    span = 2 * period + timedelta(minutes=5)
    line = examined.deployed.last_line((Log.TOKEN_CHECKED,), examined.now, span)
    if line is not None:
        ago = relative((datetime.fromisoformat(line["at"]) - examined.now).total_seconds())
        return Finding(Level.OK, f"the schedule ran {ago}")
    begun = schedules[0].get("CreationDate") if schedules else None
    if isinstance(begun, datetime) and begun.astimezone(UTC) + period > examined.now:
        return Finding(Level.OK, "the schedule is new and has not run yet")
    fix = "see the function's log and the dead-letter queue"
    within = relative(span.total_seconds()).removeprefix("in ")
    return Finding(Level.WARN, f"the log shows no run of the schedule within {within}", fix)


def _errors(examined: Examined) -> Finding:
    wrong = examined.deployed.wrong_requests(examined.now, DAY)
    count = max(examined.deployed.errors(examined.now, DAY) - wrong, 0)
    besides = f", besides {wrong} wrong request{'s' * (wrong > 1)}" if wrong else ""
    if count:
        text = f"errors of the function within a day: {count}{besides}"
        return Finding(Level.WARN, text, "see its log, and docs/runbook.md")
    return Finding(Level.OK, f"the function raised no error within a day{besides}")


def _alarms(examined: Examined) -> Finding:
    alarms = examined.deployed.alarms()
    ringing = [short_name(alarm["AlarmName"]) for alarm in alarms if alarm["StateValue"] == "ALARM"]
    if ringing:
        return Finding(Level.FAIL, f"ringing: {', '.join(ringing)}", "docs/runbook.md has an entry for each alarm")
    return Finding(Level.OK, f"none of {len(alarms)} rings") if alarms else Finding(Level.WARN, "the stack has none")


def _dead_letters(examined: Examined) -> Finding:
    count = examined.deployed.dead_letters()
    if count:
        return Finding(
            Level.FAIL, f"waiting in the dead-letter queue: {count}", "see `The dead-letter queue` in the runbook"
        )
    return Finding(Level.OK, "the dead-letter queue is empty")


BEFORE_DEPLOYMENT: Final = (
    Check("region", (), _region),
    Check("credentials", (), _credentials),
    Check("bootstrap", ("credentials",), _bootstrap),
    Check("concurrency", ("credentials",), _concurrency),
)
AFTER_DEPLOYMENT: Final = (
    Check("stack", ("credentials",), _stack),
    Check("issuer", ("stack",), _issuer),
    Check("app secret", ("issuer",), _app_secret),
    Check("secret", ("stack",), _secret),
    Check("window", ("secret",), _window),
    Check("key", ("secret",), _key),
    Check("schedule", ("stack",), _schedule),
    Check("last run", ("stack",), _last_run),
    Check("errors", ("stack",), _errors),
    Check("alarms", ("stack",), _alarms),
    Check("dead letters", ("stack",), _dead_letters),
)
