"""Contract 2: the names are the interface."""

import pytest

from refresh_token import errors
from refresh_token.errors import RefreshTokenError, error_named

CONTRACT = {
    "InvalidParameterException": False,
    "SecretNotSeededException": False,
    "SecretMalformedException": False,
    "SecretUnavailableException": False,
    "ReauthorizationRequiredException": False,
    "IssuerUnavailableException": True,
    "IssuerProtocolException": False,
    "RefreshInProgressException": True,
    "TokenNotStoredException": False,
    "ConfigurationException": False,
}
"""Name: whether the same call may succeed later although nobody changes anything."""


def test_the_errors_are_those_of_the_contract_no_more_and_no_less() -> None:
    assert [error.__name__ for error in errors.ALL] == list(CONTRACT)
    defined = [value for value in vars(errors).values() if isinstance(value, type)]
    assert {error for error in defined if issubclass(error, RefreshTokenError)} == {*errors.ALL, RefreshTokenError}


@pytest.mark.parametrize(("name", "transient"), CONTRACT.items(), ids=CONTRACT)
def test_an_error_is_known_by_its_name(name: str, transient: bool) -> None:  # noqa: FBT001 - a table's column
    error = error_named(name)("what happened")
    assert (type(error).__name__, error.reason, str(error)) == (name, name, "what happened")
    assert error.transient is transient


@pytest.mark.parametrize("name", ["", "RefreshTokenError", "Exception", "FromANewerVersionException"])
def test_a_name_that_is_not_known_counts_as_unavailable(name: str) -> None:
    assert error_named(name) is errors.IssuerUnavailableException
