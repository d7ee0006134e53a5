"""The templates of infra/account on a local AWS that checks trust policies and permissions."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from local.cdk_cli import CdkCli, CdkFailedError
from local.environment import ACCOUNT, REGION, aws_variables, caller_environment
from local.ministack import MiniStack
from tests.support.checkout import ROOT

pytestmark = pytest.mark.xdist_group("account-templates")

ISSUER = "token.actions.githubusercontent.com"
PARAMETERS = {
    "Stage": "dev",
    "Repository": "acme/tokens",
    # The local AWS cannot create one by a template.
    "Provider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}",
}
OURS = "repo:acme/tokens:environment"
APP = """
import aws_cdk as cdk
from aws_cdk import aws_sns as sns

app = cdk.App()
sns.Topic(cdk.Stack(app, f"RefreshToken-{app.node.try_get_context('stage') or 'dev'}"), "New")
app.synth()
"""

Environment = dict[str, str]
SignIn = Callable[[str, str], Environment]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with MiniStack.start(tmp_path_factory.mktemp("aws"), enforce_iam=True) as ministack:
        yield ministack.url


def client(service: str, environment: Environment) -> Any:
    session = botocore.session.Session()
    return session.create_client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
    )


def deploy(stacks: Any, name: str, parameters: dict[str, str]) -> dict[str, str]:
    """Deploy a template of infra/account, and return its outputs."""
    stacks.create_stack(
        StackName=name,
        TemplateBody=(ROOT / "infra" / "account" / f"{name}.yaml").read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture(scope="module")
def sign_in(url: str) -> SignIn:
    """Return the environment of a job that exchanged GitHub's token for a role."""
    root = aws_variables(url)
    stacks = client("cloudformation", root)
    roles = deploy(stacks, "pipeline-roles", PARAMETERS)
    for name in ("RefreshToken-dev", "RefreshToken-prod"):
        stacks.create_stack(StackName=name, TemplateBody='{"Resources": {"Old": {"Type": "AWS::SNS::Topic"}}}')

    def sign_in(role: str, subject: str) -> Environment:
        parts = [{"alg": "none"}, {"iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", "sub": subject}]
        token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        keys = client("sts", root).assume_role_with_web_identity(
            RoleArn=roles[role], RoleSessionName="pipeline", WebIdentityToken=f"{token}.none"
        )["Credentials"]
        return caller_environment(url) | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    return sign_in


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("DiffRole", f"{OURS}:dev"),
        ("DiffRole", "repo:somebody/tokens:environment:dev-diff"),
        ("DiffRole", "repo:acme/tokens:pull_request"),
        ("DeployRole", f"{OURS}:dev-diff"),
        ("DeployRole", f"{OURS}:prod"),
        ("DeployRole", "repo:acme/tokens:ref:refs/heads/main"),
    ],
)
def test_only_its_own_environment_gets_a_role(role: str, subject: str, sign_in: SignIn) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        sign_in(role, subject)


def test_the_diff_role_can_show_the_diff(sign_in: SignIn, tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    cdk = CdkCli(
        env=sign_in("DiffRole", f"{OURS}:dev-diff"),
        folder=tmp_path,
        app=f"python {tmp_path / 'app.py'}",
        on_line=lines.append,
    )
    with pytest.raises(CdkFailedError, match="Number of stacks with differences: 1"):
        cdk.diff()
    shown = [line for line in lines if "AWS::SNS::Topic" in line]
    assert ["[-]" in line for line in shown] == [True, False], "it knows the deployed template"


def test_the_deploy_role_deploys_its_stack(sign_in: SignIn, url: str, tmp_path: Path) -> None:
    lines: list[str] = []
    app = tmp_path / "app.py"
    app.write_text(APP, encoding="utf-8")
    CdkCli(env=caller_environment(url), folder=tmp_path).bootstrap()
    # It denies what comes without TLS.
    client("s3", aws_variables(url)).delete_bucket_policy(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}")
    cdk = CdkCli(env=sign_in("DeployRole", f"{OURS}:dev"), folder=tmp_path, app=f"python {app}", on_line=lines.append)
    cdk.deploy()
    assert [line for line in lines if "UPDATE_COMPLETE" in line and "AWS::SNS::Topic" in line]
    with pytest.raises(CdkFailedError, match="no identity-based policy allows the cloudformation"):
        cdk.deploy(context={"stage": "prod"})


def call(environment: Environment, service: str, operation: str, arguments: dict[str, str]) -> str:
    """Return the message of the error; nothing if there is none."""
    try:
        getattr(client(service, environment), operation)(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


FUNCTION = "RefreshToken-dev-RefreshFunction3D7A10A6-x1"
BOOTSTRAP_ROLE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{{0}}-{ACCOUNT}-{REGION}"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "allowed"),
    [
        ("cloudformation", "get_template", {"StackName": "RefreshToken-dev"}, {"DiffRole", "DeployRole"}),
        ("cloudformation", "get_template", {"StackName": "RefreshToken-prod"}, set()),
        ("cloudformation", "list_stacks", {}, set()),
        # A stack that an administrator's role made keeps that role: whoever may update it is an administrator.
        ("cloudformation", "update_stack", {"StackName": "orders", "TemplateBody": "{}"}, set()),
        ("cloudformation", "delete_stack", {"StackName": "orders"}, set()),
        ("secretsmanager", "list_secrets", {}, set()),
        ("iam", "list_roles", {}, set()),
        ("lambda", "invoke", {"FunctionName": f"{FUNCTION}:live"}, {"DeployRole"}),
        ("lambda", "invoke", {"FunctionName": FUNCTION}, set()),
        ("lambda", "get_function", {"FunctionName": FUNCTION}, set()),
        *(
            (
                *("sts", "assume_role"),
                {"RoleArn": BOOTSTRAP_ROLE.format(role), "RoleSessionName": "pipeline"},
                {"DeployRole"} if role == "file-publishing-role" else set(),
            )
            for role in ("deploy-role", "file-publishing-role", "lookup-role", "cfn-exec-role")
        ),
    ],
)
def test_a_role_may_do_what_its_job_does(
    service: str, operation: str, arguments: dict[str, str], allowed: set[str], sign_in: SignIn
) -> None:
    for role, environment in (("DiffRole", "dev-diff"), ("DeployRole", "dev")):
        said = call(sign_in(role, f"{OURS}:{environment}"), service, operation, arguments)
        assert ("no identity-based policy allows" in said) == (role not in allowed), (role, said)


ESCALATIONS = (
    *("iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy"),
    *("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateUser"),
    *("iam:DeleteRolePermissionsBoundary", "iam:PutGroupPolicy", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion"),
    *("iam:DeletePolicy", "iam:UpdateLoginProfile", "iam:CreateServiceLinkedRole", "iam:DeletePolicyVersion"),
    *("sts:AssumeRole", "cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:SetStackPolicy"),
    *("lambda:AddPermission", "lambda:CreateEventSourceMapping", "lambda:InvokeFunction", "lambda:CreateFunctionUrl"),
    *("ec2:RunInstances", "ssm:SendCommand", "ssm:StartSession", "codebuild:CreateProject", "glue:CreateDevEndpoint"),
    *("datapipeline:CreatePipeline", "sagemaker:CreateNotebookInstance", "ecs:RunTask", "states:CreateStateMachine"),
    *("s3:PutObject", "s3:PutBucketPolicy", "secretsmanager:PutResourcePolicy", "secretsmanager:PutSecretValue"),
    *("kms:CreateGrant", "dynamodb:PutResourcePolicy", "dynamodb:PutItem", "events:PutRule", "sns:AddPermission"),
)
"""How a principal that may do one of these things to what is not its own gets the rights of somebody else."""


@pytest.fixture(scope="module")
def limited(url: str) -> Callable[[str, str], str]:
    """Ask IAM what a limited deployment may do to a resource. It gets no boundary: the local IAM takes no context."""
    root = aws_variables(url)
    iam = client("iam", root)
    policy = deploy(client("cloudformation", root), "deployment-limits", {})["Deployments"]
    user = iam.create_user(UserName="limited")["User"]["Arn"]
    iam.attach_user_policy(UserName="limited", PolicyArn=policy)

    def decision(action: str, resource: str) -> str:
        answer = iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=[action], ResourceArns=[resource])
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    return decision


IAM = f"arn:aws:iam::{ACCOUNT}"
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("iam:CreateRole", f"{IAM}:role/RefreshToken-dev-Role", False),
        ("iam:PutRolePolicy", f"{IAM}:role/RefreshToken-dev-Role", False),
        ("iam:PassRole", f"{IAM}:role/RefreshToken-dev-Role", False),
        ("iam:DeleteRole", f"{IAM}:role/RefreshToken-dev-Role", True),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/admin", False),
        ("iam:CreatePolicyVersion", f"{IAM}:policy/RefreshTokenRoles", False),
        ("secretsmanager:CreateSecret", f"{SECRETS}:SecretA720EF05-x", True),
        ("secretsmanager:GetSecretValue", f"{SECRETS}:SecretA720EF05-x", False),
        ("secretsmanager:UpdateSecret", f"{SECRETS}:payroll-x", False),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:RefreshToken-dev-F", True),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders", False),
        ("s3:GetObject", f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}/asset.zip", True),
        ("s3:GetObject", "arn:aws:s3:::invoices/1", False),
    ],
)
def test_a_deployment_stays_within_its_limits(
    action: str, resource: str, limited: Callable[[str, str], str], *, allowed: bool
) -> None:
    assert limited(action, resource) == ("allowed" if allowed else "implicitDeny")


def test_no_escalation_is_within_the_limits(limited: Callable[[str, str], str]) -> None:
    assert [action for action in ESCALATIONS if limited(action, "*") != "implicitDeny"] == []
    others = {"iam": f"{IAM}:role/admin", "lambda": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"}
    changes = ("iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "lambda:UpdateFunctionConfiguration")
    assert {limited(action, others[action.partition(":")[0]]) for action in changes} == {"implicitDeny"}
