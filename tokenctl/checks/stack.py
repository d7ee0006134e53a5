"""Checks of the stack, its issuer and its app credentials."""

from datetime import timedelta
from typing import Final

from refresh_token.oauth.issuers import AMPLIFY, AMPLIFY_ENDS
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.stack.app_secret import NoCredentialsError, how_to_store, read_credentials
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.issuer import address_without_query, deployed_issuer, deployed_settings

TIME_TO_MOVE: Final = timedelta(days=90)
"""How long before the end of Amplify's API the doctor starts to warn: the life of one Figma token."""


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
    deploy = f"read its events, then `cdk deploy -c stage={target.stage}`"
    if state.endswith("_IN_PROGRESS"):
        return Finding(Level.WARN, f"{target.stack_name} is {state}", "wait until it is done")
    if state == "UPDATE_ROLLBACK_COMPLETE":
        return Finding(Level.WARN, f"the last deployment of {target.stack_name} failed and was rolled back", deploy)
    if state not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Finding(Level.FAIL, f"{target.stack_name} is {state}", deploy)
    return Finding(Level.OK, f"{target.stack_name} is {state}")


def check_issuer(subject: Subject) -> Finding:
    """Check which issuer the function uses, and that its API does not end soon."""
    issuer = deployed_issuer(subject.deployed)
    if issuer == AMPLIFY:
        text = f"{issuer}, whose API ends with Amplify Studio on {AMPLIFY_ENDS:%Y-%m-%d}"
        if AMPLIFY_ENDS - subject.now > TIME_TO_MOVE:
            return Finding(Level.OK, text)
        return Finding(Level.WARN, text, "move to an app of your own: docs/issuers.md, `From Amplify to Figma`")
    return Finding(Level.OK, f"{issuer}, at {address_without_query(deployed_settings(subject.deployed))}")


def check_app_secret(subject: Subject) -> Finding:
    """Check that the credentials of the operator's own app are stored."""
    if deployed_issuer(subject.deployed) == AMPLIFY:
        return Finding(Level.OK, f"{AMPLIFY} holds the app's credentials")
    try:
        read_credentials(subject.target)
    except NoCredentialsError as error:
        text = str(error).removesuffix(how_to_store(subject.target)).strip()
        return Finding(Level.FAIL, text, f"`tokenctl app-credentials --stage {subject.target.stage}`")
    except TokenctlError as error:  # the stored credentials may be right: storing them again would not help
        return Finding(Level.FAIL, str(error), "see `ConfigurationException` in docs/runbook.md")
    return Finding(Level.OK, "holds the app's credentials")
