"""Who signed in, as the issuer tells it: a name for people, or nothing."""

import json

import pytest

from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.issuers import FigmaSettings, OAuth2Settings
from tests.support.http_server import answering
from tokenctl.sign_in.signed_in_user import MAX_LENGTH, who_asks

TOKEN = "figd_canary"
PAIR = TokenPair(access_token=TOKEN, refresh_token="")


@pytest.mark.parametrize(
    ("status", "body", "name"),
    [
        (200, json.dumps({"handle": "Ada", "email": "ada@example.com"}), "Ada (ada@example.com)"),
        (200, json.dumps({"email": "ada@example.com"}), "ada@example.com"),
        (200, json.dumps({"handle": "A" * 999}), "A" * MAX_LENGTH),
        (200, json.dumps({"handle": "\x1b[31mAda", "email": 5}), None),
        (200, json.dumps({"handle": f"it is {TOKEN}"}), None),
        (200, "[]", None),
        (403, json.dumps({"handle": "Ada"}), None),
        (302, "", None),
    ],
)
def test_what_the_issuer_says_becomes_a_name(status: int, body: str, name: str | None) -> None:
    with answering(status, body, {"Content-Type": "application/json", "Location": "http://127.0.0.1:1/"}) as url:
        profile = FigmaSettings(base_url=url).profile
        who = who_asks(profile, profile.code_url, None)
        assert who
        assert who(PAIR) == name
    assert who(PAIR) is None, "nobody answers there"


def test_nobody_else_is_asked() -> None:
    figma = FigmaSettings().profile
    assert who_asks(figma, "https://elsewhere.example/token", None) is None
    assert who_asks(OAuth2Settings(token_url="https://a.example/t").profile, "https://a.example/t", None) is None
