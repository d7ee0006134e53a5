"""The session and the clients of AWS calls."""

from dataclasses import replace
from pathlib import Path

import pytest

from tokenctl.errors import ConfigurationError
from tokenctl.stack.aws_access import AwsAccess


def test_region_option_beats_aws_region_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert AwsAccess().session.region_name == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert AwsAccess().session.region_name == "eu-west-2"
    assert AwsAccess(region="eu-west-3").session.region_name == "eu-west-3"


def test_an_empty_region_leads_to_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert AwsAccess(region="", endpoint_url="http://127.0.0.1:1").client("sqs").meta.region_name == ""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv(name, "")
        with pytest.raises(ConfigurationError, match="The AWS region is empty"):
            AwsAccess().client("sqs")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")


def test_profile_option_beats_exported_keys_beat_aws_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile p]\naws_access_key_id = of the profile\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "p")
    keys = [AwsAccess(profile=profile).session.get_credentials() for profile in (None, "p")]
    assert [each and each.access_key for each in keys] == ["test", "of the profile"]


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
