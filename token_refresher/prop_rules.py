"""What a prop must be. A fault is a line "<prop>=<value>: <rule>", as for a setting."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from aws_cdk import RemovalPolicy, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from token_refresher.environment_rules import environment_faults
from token_refresher.fault_line import fault_line
from token_refresher.issuers import Issuer
from token_refresher.settings.reader import SettingsError, unknown

_MARKS: Final[Mapping[type, str]] = {
    ec2.IVpc: "vpc_id",
    ec2.SubnetSelection: "subnet_type",
    ec2.ISecurityGroup: "security_group_id",
    secretsmanager.ISecret: "secret_arn",
    dynamodb.ITable: "table_arn",
    logs.ILogGroup: "log_group_arn",
    sqs.IQueue: "queue_arn",
    sns.ITopic: "topic_arn",
    sns.ITopicSubscription: "bind",
    kms.IKey: "key_arn",
    iam.IRole: "role_arn",
    iam.IManagedPolicy: "managed_policy_arn",
    lambda_.ILayerVersion: "layer_version_arn",
    lambda_.ICodeSigningConfig: "code_signing_config_arn",
    iam.IGrantable: "grant_principal",
    IConstruct: "node",
}
"""An attribute that only objects of this type have: Python cannot ask whether an object has an interface of the CDK."""

MAX_LAYERS: Final = 5
"""Of a function (Lambda quotas)."""


@dataclass(frozen=True)
class _Text:
    """A text of this form, or with `at_deployment` one that is known only then."""

    rule: str
    pattern: str
    at_deployment: bool = True

    def __call__(self, value: object) -> str | None:
        """Return what is wrong with the value, or None."""
        if isinstance(value, str):
            later = self.at_deployment and Token.is_unresolved(value)
            if later or re.fullmatch(self.pattern, value, re.ASCII):
                return None
        return unknown(value) or f"must be {self.rule}"


_PATH: Final = _Text(
    "a path such as /teams/figma: at most 14 levels, 900 characters, letters, digits and .-_, not below /aws or /ssm",
    r"(?=.{1,900}\Z)(?!(?i:/aws|/ssm))(/[\w.-]+){0,14}/?",
)
"""API reference of Systems Manager, PutParameter."""
_RULES: Final[Mapping[str, Callable[[object], str | None]]] = {
    "function_name": _Text("1 to 64 letters, digits, hyphens and underscores", r"[\w-]{1,64}"),
    # API reference of Secrets Manager, CreateSecret.
    "secret_name": _Text(
        "1 to 512 letters, digits and /_+=.@- without a hyphen and six characters at the end, as ARNs have them",
        r"(?!.*-[A-Za-z0-9]{6}\Z)[\w/+=.@-]{1,512}",
    ),
    # The synthesis makes a permission for each account.
    "consumer_accounts": _Text("an account's 12 digits", r"\d{12}", at_deployment=False),
}


def arguments_faults(**given: object) -> list[str]:
    """Return a line for each wrong argument of a refresher that is neither a setting nor a prop."""
    path, asset, policy = given["parameter_path"], given["asset"], given["removal_policy"]
    faults = []
    if "issuer" in given and not isinstance(given["issuer"], Issuer):
        faults.append(fault_line("issuer", given["issuer"], "must be an Issuer, such as Issuer.figma()"))
    if not isinstance(given["service_name"], (str, type(None))):
        faults.append(fault_line("service_name", given["service_name"], "must be text"))
    if path not in (None, "") and (fault := _PATH(path)):
        faults.append(fault_line("parameter_path", path, fault))
    if asset is not None and not (isinstance(asset, Path) and asset.is_dir()):
        faults.append(fault_line("asset", asset, "must be the Path of a folder"))
    if not isinstance(policy, RemovalPolicy) or policy is RemovalPolicy.SNAPSHOT:
        faults.append(
            fault_line("removal_policy", policy, "must be RemovalPolicy.DESTROY, RETAIN or one of its others")
        )
    if not isinstance(given["emulator"], bool):
        faults.append(fault_line("emulator", given["emulator"], "must be True or False"))
    return faults


def demand(name: str, value: object, kind: type) -> None:
    """Check an argument of a method.

    Raises:
        SettingsError: it is of another type, or lets in everybody.

    """
    faults = [*_faults(name, kind, value)]
    if not faults and isinstance(value, (iam.AnyPrincipal, iam.StarPrincipal)):
        faults.append(fault_line(name, value, "must not be everybody"))
    if faults:
        raise SettingsError(faults)


def value_faults(kind: type, props: Mapping[str, object]) -> list[str]:
    """Return a line for each prop whose value is wrong by itself. `kind` declares the types."""
    hints = get_type_hints(kind)
    return [line for name, value in props.items() for line in _faults(name, hints[name], value)]


def _faults(name: str, hint: Any, value: object) -> Iterator[str]:  # noqa: ANN401 - any type
    if hint == Mapping[str, str]:
        yield from environment_faults(name, value)
    elif get_origin(hint) in (Sequence, Mapping):
        yield from _members_faults(name, hint, value)
    elif hint is Path:
        yield from _certificates_faults(name, value)
    elif hint in _MARKS:
        if isinstance(value, type) or not hasattr(value, _MARKS[hint]):
            module = hint.__module__.removeprefix("aws_cdk.").partition(".")[0]
            # What somebody takes for a secret may be what is in one.
            shown = type(value) if hint is secretsmanager.ISecret else value
            yield fault_line(name, shown, f"must be an {module}.{hint.__name__}")
    elif fault := _RULES[name](value):
        yield fault_line(name, value, fault)


def _members_faults(name: str, hint: Any, value: object) -> Iterator[str]:  # noqa: ANN401 - any type
    """Check each member of a list, or each value of a dictionary."""
    if isinstance(value, (list, tuple) if get_origin(hint) is Sequence else Mapping):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _faults(name, get_args(hint)[-1], each)
    elif get_origin(hint) is Sequence:
        yield fault_line(name, value, unknown(value) or "must be a list")
    else:
        yield f"{name}: must be a dictionary"


def _certificates_faults(name: str, value: object) -> Iterator[str]:
    if not isinstance(value, (str, Path)) or not Path(value).is_file():
        yield fault_line(name, value, "must be the path of a file")
    elif b"-----BEGIN CERTIFICATE-----" not in Path(value).read_bytes():
        yield fault_line(name, value, "must hold certificates in PEM format")
