"""cdk-nag, on at every synth, and the way to accept one of its findings with a reason."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def add_checks(app: App) -> None:
    """Make synthesis fail on every finding of the AwsSolutions pack that nobody acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))


def acknowledge(resource: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on this one resource. Keys are rule ids, with the finding in brackets where the rule has many."""
    Validations.of(resource).acknowledge(*(Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items()))
