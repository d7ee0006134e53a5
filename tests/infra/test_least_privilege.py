"""Roles and resource policies allow what is needed and nothing else, and no policy document escapes these checks."""

from collections.abc import Callable

import pytest

from tests.support.policies import CHECKS
from tests.support.synthesised import Synthesised

pytestmark = pytest.mark.xdist_group("synth")


@pytest.mark.parametrize("check", CHECKS)
def test_every_policy_is_exactly_as_intended(check: Callable[[Synthesised], None], every_stage: Synthesised) -> None:
    check(every_stage)
