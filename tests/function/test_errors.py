"""The errors' names, which are an interface."""

import pytest

from refresh_token import errors
from refresh_token.errors import RefreshTokenError, error_named


@pytest.mark.parametrize("error", errors.ALL)
def test_an_error_is_found_by_its_name(error: type[RefreshTokenError]) -> None:
    assert error_named(error.__name__) is error
    assert (error("what happened").reason, str(error("what happened"))) == (error.__name__, "what happened")
    assert error.transient is (error in {errors.IssuerUnavailableException, errors.RefreshInProgressException})


@pytest.mark.parametrize("name", ["", "RefreshTokenError", "Exception", "FromANewerVersionException"])
def test_an_unknown_name_means_unavailable(name: str) -> None:
    assert error_named(name) is errors.IssuerUnavailableException
