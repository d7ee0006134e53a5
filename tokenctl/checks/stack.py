"""Checks of the stack, its issuer and its app credentials."""

from datetime import timedelta
from typing import Final

from refresh_token.environment import STATIC
from refresh_token.oauth.issuers import AMPLIFY, AMPLIFY_ENDS
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.stack.app_secret import NoCredentialsError, how_to_store, read_credentials, unusable
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import deploy_command
from tokenctl.stack.issuer import address_without_query, deployed_issuer, deployed_settings

TIME_TO_MOVE: Final = timedelta(days=90)
"""How long before the end of Amplify's API the warning affects the exit code: the life of one Figma token."""


def check_stack(subject: Subject) -> Finding:
    """Check that the stack exists and that its last deployment succeeded."""
    target = subject.target
    try:
        _ = target.outputs
        client = target.aws.client("cloudformation")
        with translate_aws_errors():
            state = client.describe_stacks(StackName=target.stack_name)["Stacks"][0]["StackStatus"]
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error))
    if state.endswith("_IN_PROGRESS"):
        return Finding(Level.WARN, f"{target.stack_name} is {state}", "wait until it is done")
    if state in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Finding(Level.OK, f"{target.stack_name} is {state}")
    deploy = f"read its events, then `{deploy_command(target)}`"
    if state == "UPDATE_ROLLBACK_COMPLETE":
        return Finding(Level.WARN, f"the last deployment of {target.stack_name} failed and was rolled back", deploy)
    return Finding(Level.FAIL, f"{target.stack_name} is {state}", deploy)


def check_issuer(subject: Subject) -> Finding:
    """Check which issuer the function uses, and that its API does not end soon."""
    issuer = deployed_issuer(subject.deployed)
    if issuer == AMPLIFY:
        text = f"{issuer}, whose API ends with Amplify Studio on {AMPLIFY_ENDS:%Y-%m-%d}"
        fix = "move to an app of your own: docs/issuers.md, `From Amplify to Figma`"
        return Finding(Level.WARN, text, fix, urgent=AMPLIFY_ENDS - subject.now <= TIME_TO_MOVE)
    if issuer == STATIC:
        return Finding(Level.OK, f"{issuer}: a person renews the token")
    return Finding(Level.OK, f"{issuer}, at {address_without_query(deployed_settings(subject.deployed))}")


def check_app_secret(subject: Subject) -> Finding:
    """Check that the credentials of the operator's own app are stored, and that the function can use them."""
    issuer = deployed_issuer(subject.deployed)
    if issuer == AMPLIFY:
        return Finding(Level.OK, f"{AMPLIFY} holds the app's credentials")
    if issuer == STATIC:
        return Finding(Level.OK, "a person renews the token, without an app")
    store = f"`tokenctl app-credentials {subject.target.option}`"
    try:
        app = read_credentials(subject.deployed)
    except NoCredentialsError as error:
        return Finding(Level.FAIL, str(error).removesuffix(how_to_store(subject.target)).strip(), store)
    except TokenctlError as error:  # the stored credentials may be right: storing them again would not help
        return Finding(Level.FAIL, str(error), "see `ConfigurationException` in docs/runbook.md")
    if fault := unusable(app, subject.deployed):
        back = f", or deploy the settings of {app.issued_by} again" if app.issued_by else ""
        return Finding(Level.FAIL, f"the app's credentials cannot be used: {fault}", f"{store}{back}")
    return Finding(Level.OK, f"holds the app's credentials{f' for {app.issued_by}' if app.issued_by else ''}")
