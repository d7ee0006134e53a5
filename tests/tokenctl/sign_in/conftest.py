"""The fixtures that these tests share with those of the function."""

from tests.support.function_environment import aws_environment, botocore_session, token_endpoint

__all__ = ["aws_environment", "botocore_session", "token_endpoint"]
