"""Checks of the token pair and of the secret that holds it."""

from typing import Any, Final

from refresh_token.core.refresh_policy import on_demand
from refresh_token.core.windows import Window, iso_utc
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.issuer import sign_in_command
from tokenctl.stack.pair_secret import NoPairError, mismatch, read_pair
from tokenctl.stack.token_life import MEANING, MEANING_ON_DEMAND, MEANING_STATIC, life_of, relative, sentence

_AWS_MANAGED_KEY: Final = "alias/aws/secretsmanager"
TIME_TO_ROTATE: Final = 30 * 86_400
"""Seconds before the end of a token that a person renews: from then on, the doctor warns."""


def check_secret(subject: Subject) -> Finding:
    """Check that the secret holds a token pair, of the issuer that the function uses."""
    try:
        stored = read_pair(subject.deployed)
    except NoPairError as error:
        return Finding(Level.FAIL, str(error))
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error), "see `SecretUnavailableException` in docs/runbook.md")
    if problem := mismatch(subject.deployed, stored.pair):
        fix = f"`{sign_in_command(subject.deployed)}`, or deploy the settings of {stored.pair.issued_by} again"
        return Finding(Level.FAIL, problem, fix)
    owner = f" of {stored.pair.issued_by}" if stored.pair.issued_by else ""
    return Finding(Level.OK, f"holds a token pair{owner}, version {stored.version_id}")


def check_window(subject: Subject) -> Finding:
    """Check that the token is not overdue."""
    settings, pair = subject.deployed.settings, read_pair(subject.deployed).pair
    life = life_of(pair, now=subject.now, settings=settings.windows)
    window = Window(life["window"])
    if settings.static:
        return _static_window(subject, life)
    if on_demand(settings.policy, pair) and pair.access_token:
        return Finding(Level.OK, f"the token {sentence(life)}: {MEANING_ON_DEMAND[window]}")
    text = f"the token {sentence(life)}: {MEANING[window]}"
    if window in {Window.FRESH, Window.ADVISORY}:
        return Finding(Level.OK, text)
    rests = pair.lifetime is not None and pair.lifetime < (subject.deployed.period or pair.lifetime)
    if window is Window.EXPIRED and rests:
        return Finding(Level.WARN, f"{text}. It lives shorter than the time between two runs", "see the check `policy`")
    level = Level.FAIL if window is Window.EXPIRED else Level.WARN
    return Finding(level, text, "read the last outcome in `tokenctl status`, then run `tokenctl refresh`")


def _static_window(subject: Subject, life: dict[str, Any]) -> Finding:
    text = f"the token {sentence(life)}: {MEANING_STATIC[Window(life['window'])]}"
    if life["secondsLeft"] > TIME_TO_ROTATE:
        return Finding(Level.OK, text)
    fix = f"create a new token at the provider and run `tokenctl rotate {subject.target.option}`"
    return Finding(Level.WARN if life["secondsLeft"] > 0 else Level.FAIL, text, fix)


def check_grant(subject: Subject) -> Finding:
    """Check that the grant does not end soon: then no refresh helps any more."""
    settings = subject.deployed.settings
    if settings.static:
        return Finding(Level.OK, "a person renews the token, so there is no grant that could end")
    pair = read_pair(subject.deployed).pair
    end = settings.grant_life.end(pair)
    if end is None:
        text = "the end of the grant is not known: the issuer does not say it, and grant_idle_days and"
        return Finding(Level.OK, f"{text} grant_absolute_days are not set")
    left = end - subject.now
    ended = "ends" if left.total_seconds() > 0 else "ended"
    text = f"the grant {ended} {iso_utc(end)} ({relative(left.total_seconds())})"
    if not settings.grant_life.is_ending(pair, now=subject.now):
        return Finding(Level.OK, text)
    level = Level.WARN if left.total_seconds() > 0 else Level.FAIL
    return Finding(level, f"{text}, unless a refresh prolongs it", f"`{sign_in_command(subject.deployed)}`")


def check_key(subject: Subject) -> Finding:
    """Check that the key that encrypts the secret can be used."""
    secrets = subject.target.aws.client("secretsmanager")
    with translate_aws_errors():
        key = secrets.describe_secret(SecretId=subject.target.secret_arn).get("KmsKeyId")
    if not key or key.endswith(_AWS_MANAGED_KEY):
        return Finding(Level.OK, "the secret is encrypted with the key that AWS manages")
    client = subject.target.aws.client("kms")
    with translate_aws_errors():
        state = client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        return Finding(Level.FAIL, f"the secret's key is {state}", "enable the key, or cancel its deletion")
    read_pair(subject.deployed)  # an enabled key may still not decrypt for this operator
    return Finding(Level.OK, "the secret's key is enabled, and you can read the pair with it")
