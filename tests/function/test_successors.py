"""Version ids that tell where they come from."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh_token.successors import is_successor, successor_id

VERSIONS = st.text(min_size=1, max_size=64)
CHANCES = st.uuids(version=4).map(lambda one: one.hex)


@given(VERSIONS, CHANCES)
def test_an_id_is_a_uuid_that_secrets_manager_takes_and_tells_what_it_was_made_from(version: str, chance: str) -> None:
    made = successor_id(version, chance)
    assert str(UUID(made)) == made
    assert (UUID(made).version, UUID(made).variant) == (4, "specified in RFC 4122")
    assert is_successor(made, version)


@given(VERSIONS, VERSIONS, CHANCES)
def test_of_two_versions_it_is_the_successor_of_one(version: str, other: str, chance: str) -> None:
    assert is_successor(successor_id(version, chance), other) is (version == other)


def test_no_two_are_the_same() -> None:
    assert len({successor_id("V1", uuid4().hex) for _ in range(1000)}) == 1000


BY_HAND = "1e718130-cf44-46cc-9ad4-7d4e5e18d70c"


@pytest.mark.parametrize("candidate", ["", "V1", "x" * 32, BY_HAND, BY_HAND.replace("-", ""), "é" * 32])
def test_what_others_wrote_is_nobodys_successor(candidate: str) -> None:
    assert not is_successor(candidate, "V1")


def test_an_id_in_another_spelling_is_not_ours() -> None:
    made = successor_id("V1", uuid4().hex)
    assert not is_successor(made.upper(), "V1")
    assert not is_successor(made.replace("-", ""), "V1")
