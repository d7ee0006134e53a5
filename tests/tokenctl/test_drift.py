"""What `tokenctl repair` shows of a difference."""

from typing import Any

import pytest

from tokenctl.drift.differences import differences


@pytest.mark.parametrize(
    ("wanted", "live", "shown"),
    [
        ({"State": "ENABLED"}, {"State": "DISABLED"}, "State: DISABLED -> ENABLED"),
        ({"Timeout": 60}, {"Timeout": "60"}, None),
        (
            {"Environment": {"Variables": {"A": "canary"}}},
            {"Environment": {"Variables": {}}},
            "Environment.Variables.A",
        ),
        ({"Environment": {"Variables": {"A": "canary"}}}, {}, "Environment"),
        ({"Subscription": [{"Endpoint": "canary"}]}, {"Subscription": []}, "Subscription"),
    ],
)
def test_no_hidden_value_is_shown(wanted: dict[str, Any], live: dict[str, Any], shown: str | None) -> None:
    assert [str(each) for each in differences(wanted, live)] == ([shown] if shown else [])
