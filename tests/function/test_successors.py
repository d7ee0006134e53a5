"""Version ids that show which version they succeed."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh_token.core.successors import is_successor, successor_id

VERSIONS = st.text(min_size=1, max_size=64)
RANDOM = st.uuids(version=4).map(lambda one: one.hex)
BY_HAND = "1e718130-cf44-46cc-9ad4-7d4e5e18d70c"
MADE = successor_id("V1", uuid4().hex)
OTHERS = ["", "V1", "x" * 32, BY_HAND, BY_HAND.replace("-", ""), "é" * 32, MADE.upper(), MADE.replace("-", "")]


@given(VERSIONS, VERSIONS, RANDOM)
def test_an_id_is_a_uuid(version: str, other: str, random: str) -> None:
    made = successor_id(version, random)
    assert str(UUID(made)) == made
    assert (UUID(made).version, UUID(made).variant) == (4, "specified in RFC 4122")
    assert is_successor(made, version)
    assert is_successor(made, other) is (version == other)


@pytest.mark.parametrize("candidate", OTHERS, ids=range(len(OTHERS)))
def test_other_ids_succeed_nothing(candidate: str) -> None:
    assert not is_successor(candidate, "V1")
