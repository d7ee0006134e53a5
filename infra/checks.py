"""What each synthesis checks: cdk-nag's rules, and that no deployed setting is dropped without a word."""

from aws_cdk import Annotations, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

from infra.deployed_settings import comparison
from infra.deployed_template import QUALIFIER, QUALIFIER_KEY, UnreadTemplateError, deployed_template
from infra.stage_settings import StageSettings


def add_checks(app: App) -> None:
    """Make the synthesis fail on every finding of the AwsSolutions pack that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))


def compare_with_deployed(stack: Stack, settings: StageSettings) -> None:
    """Make `cdk deploy` refuse to drop deployed settings about issuer, windows and endpoint; warn of others.

    An error in the annotations stops `cdk deploy`, but not `cdk destroy`.
    """
    annotations = Annotations.of(stack)
    try:
        qualifier = stack.node.try_get_context(QUALIFIER_KEY) or QUALIFIER
        template = deployed_template(settings.stack_name, qualifier=qualifier)
    except UnreadTemplateError as reason:
        annotations.add_info_v2("refresh-token:not-compared", f"Deployed settings were not compared: {reason}.")
        return
    refusal, warning = comparison(template, settings)
    if refusal:
        annotations.add_error(refusal)
    if warning:
        annotations.add_warning_v2("refresh-token:dropped-settings", warning)
