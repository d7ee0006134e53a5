"""What the roles of a fleet's functions allow, by the conditions that local AWS emulators do not know."""

from typing import Any

import pytest

from tests.support.fleet_role_calls import CALLS, PARTS
from tests.support.iam import Role

pytestmark = pytest.mark.xdist_group("synth")


def test_the_secrets_function_serves_a_moved_pair() -> None:
    role = Role("prod-fleet")
    for name in ("read a connection", "write a connection", "seal a token", "open a token"):
        assert not role.refuses(*CALLS[name][0])
    for name in ("find what is due", "decrypt without a context", "send work", "take work", "make a connection"):
        assert role.refuses(*CALLS[name][0])


@pytest.mark.parametrize(("call", "allowed"), CALLS.values(), ids=CALLS)
def test_each_role_allows_what_its_function_does(call: tuple[str, str, dict[str, Any]], allowed: str) -> None:
    found = [part for part, name in PARTS.items() if not Role("prod-fleet", part=name).refuses(*call)]
    assert found == allowed.split()
