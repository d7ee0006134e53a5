"""cdk-nag, on at every synth."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks


def add_checks(app: App) -> None:
    """Make synthesis fail on every finding of the AwsSolutions pack that nobody acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
