"""cdk-nag, at every synthesis."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks


def add_checks(app: App) -> None:
    """Make the synthesis fail on every finding of the AwsSolutions pack that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
