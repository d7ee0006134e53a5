"""Checks of the AWS account and region, which make sense before the first deployment."""

from typing import Final

from refresh_token.oauth.issuers import AMPLIFY
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.issuer import deployed_issuer

BOOTSTRAP_PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
MIN_BOOTSTRAP_VERSION: Final = 6
"""The synthesized stack's `requiresBootstrapStackVersion`."""

SMALL_QUOTA: Final = 10


def check_region(subject: Subject) -> Finding:
    """Check that a region is set and that the issuer works there."""
    session = subject.target.aws.session
    region = session.region_name
    if not region:
        return Finding(Level.FAIL, "no region is set", "set AWS_REGION or give --region")
    issuer = subject.planned_issuer or _issuer_or_default(subject)
    if issuer != AMPLIFY:
        return Finding(Level.OK, f"{region}; the issuer {issuer} works in every region")
    if region in session.get_available_regions("amplifyuibuilder"):
        return Finding(Level.OK, f"{region} has Amplify UI Builder")
    fix = "deploy to one of the regions in docs/limits.md, or use another issuer: docs/issuers.md"
    return Finding(Level.FAIL, f"{region} has no Amplify UI Builder", fix)


def _issuer_or_default(subject: Subject) -> str:
    try:
        return deployed_issuer(subject.deployed)
    except TokenctlError:
        return AMPLIFY  # perhaps there is no stack yet; amplify is the default of a new one


def check_credentials(subject: Subject) -> Finding:
    """Check that AWS accepts the operator's credentials."""
    try:
        client = subject.target.aws.client("sts")
        with translate_aws_errors():
            identity = client.get_caller_identity()
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error))
    return Finding(Level.OK, f"account {identity['Account']}, {identity['Arn']}")


def check_bootstrap(subject: Subject) -> Finding:
    """Check that the CDK bootstrap stack is there and recent enough, with the qualifier that the stack names."""
    name = _deployed_parameter(subject)
    if name is None:
        return Finding(Level.OK, "what deployed the stack needs no bootstrap, or knows its own")
    version = _parameter(subject, name)
    if version is None:
        others = _other_bootstraps(subject)
        if others:
            text = f"there is no parameter {name}; the account and region are bootstrapped with {', '.join(others)}"
            return Finding(
                Level.FAIL, text, "set the context key `@aws-cdk/core:bootstrapQualifier`, or bootstrap again"
            )
        text = f"account and region are not bootstrapped for the CDK: there is no parameter {name}"
        return Finding(Level.FAIL, text, "run `cdk bootstrap`")
    if not version.isdecimal() or int(version) < MIN_BOOTSTRAP_VERSION:
        text = f"CDK bootstrap version {version}, at least {MIN_BOOTSTRAP_VERSION} is needed"
        return Finding(Level.FAIL, text, "run `cdk bootstrap`")
    return Finding(Level.OK, f"CDK bootstrap version {version}")


def _deployed_parameter(subject: Subject) -> str | None:
    """Return the parameter that the deployed template names, the CDK's if it cannot be read; None if there is none."""
    if subject.target.named_function is not None:
        return None
    client = subject.target.aws.client("cloudformation")
    try:
        with translate_aws_errors():
            summary = client.get_template_summary(StackName=subject.target.stack_name)
    except (TokenctlError, KeyError):  # botocore raises KeyError for an answer to another operation
        return BOOTSTRAP_PARAMETER
    defaults = {parameter["ParameterKey"]: parameter.get("DefaultValue") for parameter in summary.get("Parameters", ())}
    return defaults.get("BootstrapVersion")


def _parameter(subject: Subject, name: str) -> str | None:
    from botocore.exceptions import ClientError

    client = subject.target.aws.client("ssm")
    with translate_aws_errors():
        try:
            value: str = client.get_parameter(Name=name)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            return None
    return value


def _other_bootstraps(subject: Subject) -> list[str]:
    """Return the parameters of bootstrap stacks with other qualifiers; none if the operator may not list them."""
    client = subject.target.aws.client("ssm")
    try:
        with translate_aws_errors():
            found = client.get_parameters_by_path(Path="/cdk-bootstrap", Recursive=True)["Parameters"]
    except TokenctlError:
        return []
    return sorted(parameter["Name"] for parameter in found if parameter["Name"].endswith("/version"))


def check_concurrency(subject: Subject) -> Finding:
    """Check that Lambda's quota leaves room for reserved concurrency."""
    client = subject.target.aws.client("lambda")
    with translate_aws_errors():
        quota = client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if quota <= SMALL_QUOTA:
        return Finding(
            Level.WARN,
            f"Lambda runs at most {quota} functions at once in this account and region",
            "ask AWS to raise the quota `Concurrent executions`, and do not set reserved_concurrency",
        )
    return Finding(Level.OK, f"Lambda's quota is {quota} concurrent executions")
