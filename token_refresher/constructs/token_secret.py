"""The secret with the token pair, and its own key if it has one."""

from typing import Any

import jsii
from aws_cdk import Duration, RemovalPolicy, Resource, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from token_refresher.constructs.empty_secret import complete_arn, empty_secret, keys_for, only_for, via_secrets_manager
from token_refresher.props import Props
from token_refresher.settings.reader import SettingsError

READ = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
WRITE = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")


@jsii.implements(iam.IResourceWithPolicy)
class TokenSecret(Resource):
    """An operator fills it, then the function keeps it up to date. A new `AppSecret` uses the same `key`."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: Props,
        customer_managed_key: bool,
        removal_policy: RemovalPolicy,
        title: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._existing = existing = props.get("secret")
        self._policy: iam.PolicyDocument | None = None
        self._policy_changed = False
        self.key: kms.IKey | None
        if existing:
            self.key, self.arn = existing.encryption_key, complete_arn(existing, "secret")
            return
        self.key = props.get("encryption_key") or (_key(self, removal_policy, title) if customer_managed_key else None)
        self.arn = empty_secret(
            self,
            description=f"{title} token pair, written by an operator and by the refresh function.",
            key=self.key,
            removal_policy=removal_policy,
            no_rotation="Native rotation would leave a dead token in place between its steps. "
            "The schedule and the refresh function rotate instead.",
            name=props.get("secret_name"),
        )

    def statements(self, *, replace: bool) -> list[iam.PolicyStatement]:
        """Return the permissions to read the pair, and with `replace` also to replace it."""
        sid, actions = ("KeepTokenPair", [*READ, *WRITE]) if replace else ("ReadToken", [*READ])
        use_key = iam.PolicyStatement(
            sid="UseKeyForTokenPair" if replace else "UseKeyForToken",
            actions=["kms:Decrypt", *(["kms:GenerateDataKey"] if replace else [])],
            resources=keys_for(self, self.key),
            conditions=self._through_the_secret(),
        )
        return [iam.PolicyStatement(sid=sid, actions=actions, resources=[self.arn]), use_key]

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a grantee read the pair. For another account, the policies of secret and key say so too.

        Raises:
            SettingsError: the grantee is of another account, and the secret's or the key's policy cannot be changed.

        """
        grant = iam.Grant.add_to_principal(grantee=grantee, actions=[*READ], resource_arns=[self.arn])
        if self.key:
            grant = grant.combine(
                iam.Grant.add_to_principal(
                    grantee=grantee,
                    actions=["kms:Decrypt"],
                    resource_arns=[self.key.key_arn],
                    conditions=self._through_the_secret(),
                )
            )
        accounts = {grantee.grant_principal.principal_account or _account_in(grantee), Stack.of(self).account}
        # A synthesis that does not know an account takes it for the same.
        is_here = len(accounts) == 1 or (None not in accounts and any(Token.is_unresolved(one) for one in accounts))
        return grant if grant.success and is_here else self._let_in(grantee, is_here=is_here)

    def _let_in(self, grantee: iam.IGrantable, *, is_here: bool) -> iam.Grant:
        """Let in a grantee of another account, or one without a policy of its own."""
        if self.key is None and not is_here:
            raise SettingsError(
                ["grant_read: the key aws/secretsmanager serves this account only. Set customer_managed_key"]
            )
        principals = [grantee.grant_principal]
        # The secret names its key, so the key's policy cannot name the secret. The secret's policy does the rest.
        conditions = {"StringEquals": {"kms:ViaService": via_secrets_manager(Stack.of(self).region)}}
        decrypt = iam.PolicyStatement(
            principals=principals, actions=["kms:Decrypt"], resources=["*"], conditions=conditions
        )
        grant = iam.Grant.add_to_principal_and_resource(
            grantee=grantee,
            actions=[*READ],
            resource=self,
            resource_arns=[self.arn],
            resource_self_arns=["*"],
        )
        if not self._policy_changed:  # a grant of this kind always reports success
            raise SettingsError(["grant_read: the policy of an imported secret cannot be changed. Add it there"])
        if self.key and not self.key.add_to_resource_policy(decrypt, allow_no_op=True).statement_added:
            raise SettingsError(["grant_read: the policy of an imported key cannot be changed. Add it there"])
        return grant

    def add_to_resource_policy(self, statement: iam.PolicyStatement) -> iam.AddToResourcePolicyResult:
        """Add the statement to the secret's policy, unless the secret was imported. The CDK calls it."""
        if self._existing:
            added = self._existing.add_to_resource_policy(statement)
        else:
            self._resource_policy().add_statements(statement)
            added = iam.AddToResourcePolicyResult(statement_added=True, policy_dependable=self)
        self._policy_changed = added.statement_added
        return added

    def _resource_policy(self) -> iam.PolicyDocument:
        """Return the policy of the new secret, which has none until somebody needs one."""
        if self._policy is None:
            self._policy = iam.PolicyDocument()
            secretsmanager.CfnResourcePolicy(
                self, "Policy", secret_id=self.arn, resource_policy=self._policy, block_public_policy=True
            )
        return self._policy

    def _through_the_secret(self) -> dict[str, Any]:
        return only_for(self.arn, region=Stack.of(self).region)


def _account_in(grantee: iam.IGrantable) -> str | None:
    """Return the account in the ARN of a principal that is named by it."""
    principal = grantee.grant_principal
    named = principal.arn.split(":")[4:5] if isinstance(principal, iam.ArnPrincipal) else []
    return named[0] if named and named[0].isdigit() else None


def _key(scope: Construct, removal_policy: RemovalPolicy, title: str) -> kms.Key:
    """Return the secrets' own key. IAM policies of this account decide who may use it.

    It encrypts the pair and the app's credentials only. Logs, lock and dead letters hold no token, and people need them
    most when the key itself is the problem.
    """
    return kms.Key(
        scope,
        "Key",
        description=f"Encrypts the {title} token pair and, if there are any, the app's credentials.",
        enable_key_rotation=True,
        removal_policy=removal_policy,
        pending_window=Duration.days(7) if removal_policy is RemovalPolicy.DESTROY else None,
    )
