"""Checks of the token pair and of the secret that holds it."""

from typing import Final

from refresh_token.core.windows import Window
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.pair_secret import NoPairError, read_pair
from tokenctl.stack.token_life import MEANING, life_of, sentence

_AWS_MANAGED_KEY: Final = "alias/aws/secretsmanager"


def check_secret(subject: Subject) -> Finding:
    """Check that the secret holds a token pair."""
    try:
        stored = read_pair(subject.target)
    except NoPairError as error:
        return Finding(Level.FAIL, str(error))
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error), "see `SecretUnavailableException` in docs/runbook.md")
    return Finding(Level.OK, f"holds a token pair, version {stored.version_id}")


def check_window(subject: Subject) -> Finding:
    """Check that the token is not overdue."""
    life = life_of(read_pair(subject.target).pair, now=subject.now, settings=subject.deployed.windows)
    window = Window(life["window"])
    text = f"the token {sentence(life)}: {MEANING[window]}"
    if window in {Window.FRESH, Window.ADVISORY}:
        return Finding(Level.OK, text)
    level = Level.FAIL if window is Window.EXPIRED else Level.WARN
    return Finding(level, text, "read the last outcome in `tokenctl status`, then run `tokenctl refresh`")


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
    read_pair(subject.target)  # an enabled key may still not decrypt for this operator
    return Finding(Level.OK, "the secret's key is enabled, and you can read the pair with it")
