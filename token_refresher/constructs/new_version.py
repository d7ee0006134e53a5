"""What the version that a deployment tries does wrong, apart from the version that serves the other calls."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from refresh_token.errors import (
    InvalidParameterException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    SecretNotSeededException,
)
from token_refresher.constructs.refresh_function import LIVE
from token_refresher.constructs.refresh_metrics import RefreshMetrics

_MINUTE = Duration.minutes(1)
_OF_ANY_VERSION = (
    InvalidParameterException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    SecretNotSeededException,
)
"""Errors that the old version would raise as well. The function does not count them by version."""


def errors_of_new_version(function: lambda_.Function, metrics: RefreshMetrics) -> cloudwatch.MathExpression:
    """Return the errors in a minute of the version that is deployed, without those that any version would raise."""
    errors = cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="Errors",
        # Lambda counts by version while an alias divides its calls between two (Developer Guide, "Types of metrics for
        # Lambda functions").
        dimensions_map={
            "FunctionName": function.function_name,
            "Resource": f"{function.function_name}:{LIVE}",
            "ExecutedVersion": function.current_version.version,
        },
        statistic="Sum",
        period=_MINUTE,
    )
    others = {f"other{number}": error.__name__ for number, error in enumerate(_OF_ANY_VERSION, start=1)}
    return cloudwatch.MathExpression(
        expression=" - ".join(f"FILL({name}, 0)" for name in ("errors", *others)),
        using_metrics={
            "errors": errors,
            **{name: metrics.metric_failures(reason=reason, period=_MINUTE) for name, reason in others.items()},
        },
        period=_MINUTE,
    )
