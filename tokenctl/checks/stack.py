"""Checks of the stack, its issuer and its app credentials."""

from datetime import timedelta
from typing import Final

from refresh_token.environment import STATIC
from refresh_token.errors import ConfigurationException
from refresh_token.oauth.issuers import AMPLIFY, AMPLIFY_ENDS
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.drift.drift import compare, not_compared
from tokenctl.drift.template import DeployedTemplate
from tokenctl.errors import TokenctlError
from tokenctl.stack.app_secret import NoCredentialsError, how_to_store, read_credentials, unusable
from tokenctl.stack.deploy_command import how_to_deploy
from tokenctl.stack.issuer import address_without_query, app_keys, deployed_issuer, deployed_settings, issuer_title
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.secrets_manager import LostSecretError
from tokenctl.stack.side_by_side import limit_inside
from tokenctl.stack.signing_key import lacks_private_key

TIME_TO_MOVE: Final = timedelta(days=90)
"""How long before the end of Amplify's API the warning affects the exit code: the life of one Figma token."""


DEPLOYED: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""The states after a deployment that succeeded."""
_EVENTS: Final = "`aws cloudformation describe-stack-events {stack}` says why"
_DELETE: Final = f"{_EVENTS}; `aws cloudformation delete-stack {{stack}}`, then {{deploy}}"
_CHANGING: Final = (Level.WARN, "it is being changed", "wait until it is done, then run the doctor again", True)
_UNKNOWN: Final = (Level.WARN, "the doctor does not know this state", _EVENTS, True)
_STATES: Final = {
    "REVIEW_IN_PROGRESS": (Level.FAIL, "it has never been deployed", "{deploy}", True),
    "CREATE_FAILED": (Level.FAIL, "its first deployment failed", _DELETE, True),
    "ROLLBACK_FAILED": (Level.FAIL, "its first deployment failed, and some of it could not be removed", _DELETE, True),
    "ROLLBACK_COMPLETE": (Level.FAIL, "its first deployment failed and was undone", _DELETE, True),
    "UPDATE_FAILED": (
        *(Level.FAIL, "its last deployment failed and was not undone"),
        f"{_EVENTS}; `aws cloudformation rollback-stack {{stack}}`, or {{deploy}}",
        False,
    ),
    "UPDATE_ROLLBACK_FAILED": (
        *(Level.FAIL, "its last deployment failed and could not be undone; no other one can start"),
        f"{_EVENTS}; `aws cloudformation continue-update-rollback {{stack}}`, then {{deploy}}",
        False,
    ),
    "UPDATE_ROLLBACK_COMPLETE": (
        *(Level.WARN, "its last deployment failed and was undone"),
        f"{_EVENTS}; then {{deploy}}",
        False,
    ),
    "DELETE_IN_PROGRESS": (
        *(Level.FAIL, "somebody is deleting it"),
        "`aws cloudformation wait stack-delete-complete {stack}`, then {deploy}",
        True,
    ),
    "DELETE_FAILED": (
        *(Level.FAIL, "somebody has deleted it, and some of it is left"),
        *(_DELETE, True),
    ),
}
"""Level, text, fix, and whether the other checks then make no sense (CloudFormation API reference, StackStatus)."""


def check_stack(subject: Subject) -> Finding:
    """Check that the stack exists and that its last deployment succeeded."""
    target = subject.target
    try:
        if target.named_function is not None:
            return Finding(Level.OK, f"the function is {target.stack_name}")
        state: str = target.description["StackStatus"]
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error))
    if state in DEPLOYED:
        return Finding(Level.OK, f"{target.stack_name} is {state}")
    names = {"stack": f"--stack-name {target.stack_name}", "deploy": how_to_deploy(target)}
    level, text, fix, stops = _STATES.get(state, _CHANGING if state.endswith("_IN_PROGRESS") else _UNKNOWN)
    return Finding(level, f"{target.stack_name} is {state}: {text}", fix.format(**names), stops=stops)


def check_changes(subject: Subject) -> Finding:
    """Check that nobody has changed by hand what the stack deployed."""
    if subject.target.named_function is not None:
        return Finding(Level.OK, "only a stack says what it has deployed")
    template = DeployedTemplate(subject.target)
    compared = compare(template, limit=limit_inside())
    forbidden = [change.resource.label for change in compared.changes if change.forbids]
    texts = {
        "this may keep the function or its schedule from working": forbidden,
        "changed by hand after the deployment": [change.resource.label for change in compared.changes],
        "could not be compared": [each.resource.label for each in compared.unread],
    }
    if any(texts.values()):
        text = "; ".join(f"{what}: {', '.join(labels)}" for what, labels in texts.items() if labels)
        does = "shows what, and restores it" if compared.changes else "says why"
        if compared.changes and not any(change.restorable for change in compared.changes):
            does = "says how to create it again"
        return Finding(Level.FAIL if forbidden else Level.WARN, text, f"{subject.restore} {does}")
    unknown = not_compared(template)
    aside = f", not counting what is not compared: {', '.join(unknown)}" if unknown else ""
    return Finding(Level.OK, f"everything is as the stack deployed it{aside}")


def check_issuer(subject: Subject) -> Finding:
    """Check which issuer the function uses, and that its API does not end soon."""
    issuer = deployed_issuer(subject.deployed)
    if issuer == AMPLIFY:
        text = f"{issuer}, whose API ends with Amplify Studio on {AMPLIFY_ENDS:%Y-%m-%d}"
        fix = "move to an app of your own: docs/issuers.md#from-amplify-to-figma"
        return Finding(Level.WARN, text, fix, urgent=AMPLIFY_ENDS - subject.now <= TIME_TO_MOVE)
    if issuer == STATIC:
        return Finding(Level.OK, f"{issuer}: a person renews the token")
    settings = deployed_settings(subject.deployed)
    title, address = issuer_title(subject.deployed), address_without_query(settings)
    how = ": a person renews the token" if settings.token_life is None else ""
    return Finding(Level.OK, f"{title}{f', at {address}' if address else ''}{how}")


def check_app_secret(subject: Subject) -> Finding:
    """Check that the credentials of the operator's own app are stored, and that the function can use them."""
    issuer = deployed_issuer(subject.deployed)
    without = {AMPLIFY: f"{AMPLIFY} holds the app's credentials", STATIC: "a person renews the token, without an app"}
    if issuer in without or not app_keys(subject.deployed):
        wants_none = f"{issuer_title(subject.deployed)} wants no credentials of an app"
        return Finding(Level.OK, without.get(issuer, wants_none))
    store = f"`tokenctl app-credentials {subject.target.option}`"
    try:
        app = read_credentials(subject.deployed)
    except NoCredentialsError as error:
        return Finding(Level.FAIL, str(error).removesuffix(how_to_store(subject.target)).strip(), store)
    except LostSecretError:
        raise  # `perform_checks` has its finding
    except TokenctlError as error:  # the stored credentials may be right: storing them again would not help
        return Finding(Level.FAIL, str(error), f"see {entry_of(ConfigurationException.__name__)}")
    if fault := unusable(app, subject.deployed):
        back = f", or deploy the settings of {app.issued_by} again" if app.issued_by else ""
        return Finding(Level.FAIL, f"the app's credentials cannot be used: {fault}", f"{store}{back}")
    whose = f" for {app.issued_by}" if app.issued_by else ""
    if lacks_private_key(subject.deployed):
        fix = f"`tokenctl import-key <file> {subject.target.option}`"
        return Finding(Level.FAIL, f"holds the app's credentials{whose}, but the key that signs is still empty", fix)
    return Finding(Level.OK, f"holds the app's credentials{whose}")
