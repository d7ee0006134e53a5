"""Checks of the token pair and of the secret that holds it."""

from collections.abc import Mapping
from typing import Any, Final

from refresh_token.core.ports import StoredPair
from refresh_token.core.refresh_policy import on_demand
from refresh_token.core.spending import can_refresh
from refresh_token.core.windows import Window, iso_utc
from refresh_token.errors import ReauthorizationRequiredException, SecretUnavailableException, TokenNotStoredException
from refresh_token.signals import Alarm
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.issuer import renewal_command, sign_in_command
from tokenctl.stack.pair_secret import NoPairError, mismatch
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.secret_versions import is_moved_back, list_versions
from tokenctl.stack.secrets_manager import LostSecretError
from tokenctl.stack.token_life import life_of, meaning, relative, relative_to, sentence, utc_minute
from tokenctl.stack.verdict import TIME_TO_ROTATE

_AWS_MANAGED_KEY: Final = "alias/aws/secretsmanager"
KEY_FIXES: Final = {
    "Disabled": "`aws kms enable-key {key}`",
    "PendingDeletion": "`aws kms cancel-key-deletion {key} && aws kms enable-key {key}`",
}
"""What mends a key, by its state (KMS API reference, KeyMetadata)."""


def check_secret(subject: Subject) -> Finding:
    """Check that the secret holds a token pair, of the issuer that the function uses."""
    try:
        stored = subject.stored
    except NoPairError as error:
        return _without_pair(subject, error)
    except LostSecretError:
        raise  # `perform_checks` has its finding
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error), f"see {entry_of(SecretUnavailableException.__name__)}")
    if problem := mismatch(subject.deployed, stored.pair):
        fix = f"`{sign_in_command(subject.deployed)}`, or deploy the settings of {stored.pair.issued_by} again"
        return Finding(Level.FAIL, problem, fix)
    settings = subject.deployed.settings
    if not settings.static and not can_refresh(stored.pair, settings.spends):
        return _without_refresh_token(subject, stored)
    if not stored.version_id:
        return Finding(Level.OK, "is empty: the app's credentials are enough to get a token")
    what = "a token pair" if stored.pair.refresh_token else "a token"
    owner = f" of {stored.pair.issued_by}" if stored.pair.issued_by and not settings.static else ""
    holds = f"holds {what}{owner}, version {stored.version_id}"
    return _moved_back(subject) or Finding(Level.OK, holds)


def _without_pair(subject: Subject, error: NoPairError) -> Finding:
    if error.moved_to and subject.has_fleet:
        return Finding(Level.SKIP, f"has moved to the fleet: it is the connection {error.moved_to}")
    if error.not_seeded and subject.has_fleet:
        return Finding(Level.SKIP, "the stack keeps connections only: its secret is empty")
    return Finding(Level.FAIL, str(error))


def _moved_back(subject: Subject) -> Finding | None:
    created = {label: each.created for each in list_versions(subject.target) for label in each.stages}
    if not is_moved_back(created):
        return None
    text = "somebody has moved AWSCURRENT to an older version, whose tokens may be dead"
    fix = f"`tokenctl seed {subject.target.option} --from-version AWSPREVIOUS` stores the newer pair again"
    return Finding(Level.WARN, text, fix)


def _without_refresh_token(subject: Subject, stored: StoredPair) -> Finding:
    """Return the finding about what a stack with `issuer=static` has left; the function says the same."""
    text = "holds an access token, but no refresh token, so it cannot be refreshed"
    end, sign_in = stored.pair.expires_at, f"`{sign_in_command(subject.deployed)}`"
    if end is not None and end > subject.now:
        return Finding(Level.WARN, f"{text}: consumers get it until {utc_minute(end)}", f"{sign_in} before then")
    return Finding(Level.FAIL, text, sign_in)


def check_window(subject: Subject) -> Finding:
    """Check that the token is not overdue."""
    settings, pair = subject.deployed.settings, subject.stored.pair
    life = life_of(pair, now=subject.now, settings=settings.windows, spends=settings.spends)
    window, demanded = Window(life["window"]), on_demand(settings.policy, pair)
    failure = subject.failure["reason"] if subject.failure else None
    says = meaning(life, static=settings.static, on_demand=demanded, failure=failure)
    if not pair.access_token:
        return Finding(Level.WARN, says, "see the check `grant`") if failure else Finding(Level.OK, says)
    text = f"the token {sentence(life)}: {says}"
    if settings.static:
        return _static_window(subject, life, text)
    if demanded or not can_refresh(pair, settings.spends):
        return Finding(Level.OK, text)  # that it cannot be refreshed, the check `secret` has said
    if window in {Window.FRESH, Window.ADVISORY}:
        return Finding(Level.OK, text)
    rests = pair.lifetime is not None and pair.lifetime < (subject.deployed.period or pair.lifetime)
    if window is Window.EXPIRED and rests:
        return Finding(Level.WARN, f"{text}. It lives shorter than the time between two runs", "see the check `policy`")
    level = Level.FAIL if window is Window.EXPIRED else Level.WARN
    return Finding(level, text, f"see {entry_of(Alarm.TOKEN_EXPIRES)}")


def _static_window(subject: Subject, life: dict[str, Any], text: str) -> Finding:
    if life["secondsLeft"] > TIME_TO_ROTATE:
        return Finding(Level.OK, text)
    fix = f"create a new token at the provider and run `tokenctl rotate {subject.target.option}`"
    return Finding(Level.WARN if life["secondsLeft"] > 0 else Level.FAIL, text, fix)


def check_grant(subject: Subject) -> Finding:
    """Check that the last refresh did not fail, and that the grant does not end soon."""
    settings = subject.deployed.settings
    if subject.failure is not None:
        return _after_failure(subject, subject.failure)
    if settings.static or settings.spends == "nothing":
        why = "a person renews the token" if settings.static else "the app's credentials are enough"
        return Finding(Level.OK, f"{why}, so there is no grant that could end")
    pair = subject.stored.pair
    if not can_refresh(pair, settings.spends):
        return Finding(Level.OK, "without a refresh token there is no grant that could end")
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


def _after_failure(subject: Subject, failure: Mapping[str, Any]) -> Finding:
    """Return the finding about the current version, whose last refresh failed."""
    reason, ago = failure["reason"], relative_to(subject.now, failure["at"])
    if reason != ReauthorizationRequiredException.__name__:
        level = Level.FAIL if reason == TokenNotStoredException.__name__ else Level.WARN
        text = f"the last refresh failed {ago}, {reason}: {failure['detail']}"
        return Finding(level, text, f"see {entry_of(reason)}")
    end = subject.stored.pair.expires_at
    lives = end is not None and end > subject.now
    if subject.deployed.settings.static:
        text = f"the token was reported dead {ago}"
    else:
        text = f"the issuer refused the grant {ago}"
        text += f"; consumers get the token until {utc_minute(end)}" if lives else "; consumers get an error"
    return Finding(Level.FAIL, text, f"`{renewal_command(subject.deployed)}`")


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
        fix = KEY_FIXES.get(state, f"see {entry_of(SecretUnavailableException.__name__)}")
        return Finding(Level.FAIL, f"the secret's key is {state}", fix.format(key=f"--key-id {key}"))
    _ = subject.stored  # an enabled key may still not decrypt for this operator
    return Finding(Level.OK, "the secret's key is enabled, and you can read the pair with it")
