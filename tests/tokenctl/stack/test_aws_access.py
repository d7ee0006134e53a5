"""The session and the clients of AWS calls."""

from dataclasses import replace

import pytest

from tokenctl.stack.aws_access import AwsAccess


def test_region_option_beats_aws_region_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert AwsAccess().session.region_name == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert AwsAccess().session.region_name == "eu-west-2"
    assert AwsAccess(region="eu-west-3").session.region_name == "eu-west-3"


def test_each_client_is_made_once_per_settings() -> None:
    aws = AwsAccess()
    with aws.closing:
        made = [aws.client("sqs") for _ in range(3)]
        assert made[0] is made[1] is made[2]
        patient = aws.client("sqs", read_timeout=900)
        assert patient is aws.client("sqs", read_timeout=900) is not made[0]
        assert patient.meta.config.read_timeout == 900
        elsewhere = replace(aws, endpoint_url="http://127.0.0.1:1")
        assert elsewhere.client("sqs").meta.endpoint_url == "http://127.0.0.1:1"
