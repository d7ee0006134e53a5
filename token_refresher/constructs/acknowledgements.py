"""Accepts a checker's finding on one resource, with a reason. It needs no checker itself."""

from collections.abc import Mapping

import aws_cdk
from aws_cdk import CfnResource
from constructs import IConstruct

_CHECKOV = "CKV"
_PACKS = ("NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321")
"""cdk-nag's other packs, which have the same rules and prefix them with their names."""


INLINE = {
    "-IAMNoInlinePolicy": "The policy lives and dies with its role and fits no other. In the role, it is there before "
    "the role is used."
}
"""Why the policies of our roles are no managed policies."""


def acknowledge(resource: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on this one resource.

    The keys are rule ids. cdk-nag's ids, with the finding in brackets if the rule has many, go to the CDK's
    validations, which aws-cdk-lib has since 2.252. A key that begins with a hyphen is a rule of every pack but
    AwsSolutions. Checkov's ids go into the resource's metadata in the template, where Checkov reads them.
    """
    skipped = [{"id": rule, "comment": reason} for rule, reason in reasons.items() if rule.startswith(_CHECKOV)]
    if skipped:
        cfn = resource.node.default_child or resource
        assert isinstance(cfn, CfnResource)  # noqa: S101 - the type checker cannot know
        cfn.add_metadata("checkov", {"skip": skipped})
    if not hasattr(aws_cdk, "Validations"):
        return
    aws_cdk.Validations.of(resource).acknowledge(
        *(
            aws_cdk.Acknowledgment(id=name, reason=reason)
            for rule, reason in reasons.items()
            if not rule.startswith(_CHECKOV)
            for name in ([f"{pack}{rule}" for pack in _PACKS] if rule.startswith("-") else [rule])
        )
    )
