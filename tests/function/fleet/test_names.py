"""Names of connections, their shards, and the states."""

import pytest

from refresh_token.fleet.names import is_name, slot_of, slots_of, tenant_of
from refresh_token.fleet.states import State, trouble_of, troubles_of


@pytest.mark.parametrize("name", ["a", "acme/u1", "A.b_c-9/x", "a" * 64 + "/" + "b" * 64, ".", "-/-"])
def test_a_name_has_one_or_two_parts(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/",
        "a/",
        "/a",
        "a/b/c",
        "a b",
        "a" * 65,
        "a/" + "b" * 65,
        "u@example.com",
        "#brake#x",
        "ä",
        "a\n",
        None,
        7,
        ["a"],
    ],
)
def test_nothing_else_is_a_name(value: object) -> None:
    assert not is_name(value)


@pytest.mark.parametrize(("name", "tenant"), [("acme/u1", "acme"), ("acme", "acme")])
def test_a_tenant_is_the_first_part(name: str, tenant: str) -> None:
    assert tenant_of(name) == tenant


def test_connections_are_spread_over_all_slots() -> None:
    names = [f"acme/u{number}" for number in range(2000)]
    found = [slot_of("figma", name) for name in names]
    assert set(found) == set(slots_of("figma"))
    assert max(map(found.count, slots_of("figma"))) < 2 * len(names) / len(slots_of("figma"))
    assert [slot_of("figma", f"acme/u{number}") for number in (1, 2)] == ["figma#d", "figma#6"], (
        "a slot never changes, or items would be forgotten"
    )


def test_only_what_is_not_active_has_trouble() -> None:
    assert trouble_of(State.ACTIVE, "acme/u1") is None
    for state in set(State) - {State.ACTIVE}:
        assert trouble_of(state, "acme/u1") in troubles_of(state)
