"""What a redirect is taken for."""

from collections.abc import Mapping, Sequence

import pytest

from tokenctl.sign_in.redirect import Kind, Redirect, judge

STATE = "the-state"

CASES: dict[str, tuple[Mapping[str, Sequence[str]], Redirect]] = {
    "code and state": ({"code": ["c"], "state": [STATE]}, Redirect(kind=Kind.ALLOWED, code="c")),
    "unknown parameters": (
        {"code": ["c"], "state": [STATE], "iss": ["https://x"]},
        Redirect(kind=Kind.ALLOWED, code="c"),
    ),
    "denied": ({"error": ["access_denied"], "state": [STATE]}, Redirect(kind=Kind.DENIED)),
    "known error": (
        {"error": ["invalid_scope"], "state": [STATE]},
        Redirect(kind=Kind.REFUSED, reason="invalid_scope"),
    ),
    "error in words": ({"error": ["<b>boo"], "state": [STATE]}, Redirect(kind=Kind.REFUSED)),
    "empty error": ({"error": [""], "state": [STATE]}, Redirect(kind=Kind.REFUSED)),
    "error twice": ({"error": ["access_denied", "x"], "state": [STATE]}, Redirect(kind=Kind.REFUSED)),
    "error and code": ({"error": ["access_denied"], "code": ["c"], "state": [STATE]}, Redirect(kind=Kind.DENIED)),
    "state alone": ({"state": [STATE]}, Redirect(kind=Kind.INCOMPLETE)),
    "empty code": ({"code": [""], "state": [STATE]}, Redirect(kind=Kind.INCOMPLETE)),
    "code twice": ({"code": ["c", "d"], "state": [STATE]}, Redirect(kind=Kind.INCOMPLETE)),
    "nothing": ({}, Redirect(kind=Kind.FORGED)),
    "no state": ({"code": ["c"]}, Redirect(kind=Kind.FORGED)),
    "empty state": ({"code": ["c"], "state": [""]}, Redirect(kind=Kind.FORGED)),
    "other state": ({"code": ["c"], "state": ["the-statf"]}, Redirect(kind=Kind.FORGED)),
    "beginning of the state": ({"code": ["c"], "state": ["the-stat"]}, Redirect(kind=Kind.FORGED)),
    "other case": ({"code": ["c"], "state": ["THE-STATE"]}, Redirect(kind=Kind.FORGED)),
    "state twice": ({"code": ["c"], "state": [STATE, STATE]}, Redirect(kind=Kind.FORGED)),
    "denied with another state": ({"error": ["access_denied"], "state": ["x"]}, Redirect(kind=Kind.FORGED)),
    "state that is not ASCII": ({"code": ["c"], "state": ["š"]}, Redirect(kind=Kind.FORGED)),
    "state that is no text": ({"code": ["c"], "state": ["\ud800"]}, Redirect(kind=Kind.FORGED)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_redirect_is_judged(name: str) -> None:
    parameters, expected = CASES[name]
    assert judge(parameters, state=STATE) == expected


def test_no_redirect_answers_an_empty_state() -> None:
    assert judge({"code": ["c"], "state": [""]}, state="").kind is Kind.FORGED


def test_the_repr_does_not_show_the_code() -> None:
    assert "c0de" not in repr(judge({"code": ["c0de"], "state": [STATE]}, state=STATE))
