"""Accepts a checker's finding on one resource, with a reason. It needs no checker itself."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct

_CHECKOV = "CKV"


def acknowledge(resource: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on this one resource.

    The keys are rule ids. cdk-nag's ids, with the finding in brackets if the rule has many, go to the CDK's
    validations. Checkov's ids go into the resource's metadata in the template, where Checkov reads them.
    """
    skipped = [{"id": rule, "comment": reason} for rule, reason in reasons.items() if rule.startswith(_CHECKOV)]
    if skipped:
        cfn = resource.node.default_child or resource
        assert isinstance(cfn, CfnResource)  # noqa: S101 - the type checker cannot know
        cfn.add_metadata("checkov", {"skip": skipped})
    Validations.of(resource).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items() if not rule.startswith(_CHECKOV))
    )
