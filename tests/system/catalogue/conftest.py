"""The function's issuer and tokenctl's sign-in, before a server that plays the provider."""

from tests.support.function_environment import app_secret, aws, aws_environment, boto3_session, botocore_session

__all__ = ["app_secret", "aws", "aws_environment", "boto3_session", "botocore_session"]
