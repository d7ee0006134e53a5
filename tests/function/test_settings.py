"""The function's environment."""

from datetime import timedelta

import pytest

from refresh_token.errors import ConfigurationException
from refresh_token.settings import Settings
from refresh_token.windows import WindowSettings

GOOD = {
    "SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
    "LOCK_TABLE": "locks",
    "ADVISORY_WINDOW_SECONDS": "604800",
    "MANDATORY_WINDOW_SECONDS": "86400",
}


def test_a_right_environment_is_read_whatever_else_stands_in_it() -> None:
    assert Settings.from_environment({**GOOD, "HOME": "/"}) == Settings(
        secret_arn=GOOD["SECRET_ARN"],
        lock_table="locks",
        windows=WindowSettings(advisory=timedelta(days=7), mandatory=timedelta(days=1)),
    )


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_a_variable_that_is_not_there_is_named_alone(name: str, value: str | None) -> None:
    environment = {**GOOD, name: value or ""} if value is not None else {k: v for k, v in GOOD.items() if k != name}
    with pytest.raises(ConfigurationException) as caught:
        Settings.from_environment(environment)
    assert [known for known in GOOD if known in str(caught.value)] == [name]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ConfigurationException) as caught:
        Settings.from_environment({})
    assert [known for known in GOOD if known in str(caught.value)] == list(GOOD)
    assert "Deploy the stack again" in str(caught.value)


@pytest.mark.parametrize("name", ["ADVISORY_WINDOW_SECONDS", "MANDATORY_WINDOW_SECONDS"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "1e3", "one", " 5", "+5", "1_000", "٣", "²", "1000000000", "9" * 5000]
)
def test_a_window_must_be_a_positive_whole_number_in_plain_digits(name: str, value: str) -> None:
    with pytest.raises(ConfigurationException, match=f"{name} must be a positive whole number"):
        Settings.from_environment({**GOOD, name: value})


@pytest.mark.parametrize("mandatory", ["604800", "604801"])
def test_the_mandatory_window_is_the_shorter_one(mandatory: str) -> None:
    with pytest.raises(ConfigurationException, match="must be less than ADVISORY"):
        Settings.from_environment({**GOOD, "MANDATORY_WINDOW_SECONDS": mandatory})


def test_windows_a_second_apart_and_nine_digits_long_are_right() -> None:
    windows = {"ADVISORY_WINDOW_SECONDS": "999999999", "MANDATORY_WINDOW_SECONDS": "999999998"}
    assert Settings.from_environment({**GOOD, **windows}).windows == WindowSettings(
        advisory=timedelta(seconds=999_999_999), mandatory=timedelta(seconds=999_999_998)
    )
