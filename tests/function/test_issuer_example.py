"""The worked example in docs/issuers.md works: one module, one line."""

import re
import traceback
from pathlib import Path

import pytest

from refresh_token import errors, issuers
from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import Issuer
from refresh_token.issuers.registry import ISSUERS, issuer_from
from tests.support.checkout import ROOT
from tests.support.function_environment import APP_SECRET, AppSecret
from tests.support.token_server import Reply, TokenServer, http

DOCUMENT = ROOT / "docs" / "issuers.md"


@pytest.fixture
def acme(tmp_path: Path, token_endpoint: TokenServer, app_secret: AppSecret, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    module, line = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "acme.py").write_text(module)
    monkeypatch.setattr(issuers, "__path__", [*issuers.__path__, str(tmp_path)])
    (added,) = re.findall(r'^    "(acme)": "(acme)",$', line, re.MULTILINE)
    registry = Path(issuers.__path__[0], "registry.py").read_text()
    assert line.replace('    "acme": "acme",\n', "") in registry, "but for the new row"
    monkeypatch.setitem(ISSUERS, *added)
    environment = {"ACME_BASE_URL": token_endpoint.url, "APP_SECRET_ARN": app_secret.arn, "ALLOW_HTTP_ISSUER": "true"}
    return issuer_from({"ISSUER": "acme", **environment})


def test_it_issues_a_token(acme: Issuer, token_endpoint: TokenServer) -> None:
    token_endpoint.answer(http(200, b'{"token": "new", "ttl": 60}'))
    issued = acme.refresh(Grant("old"), None, seconds=30)
    assert (issued, acme.rotates) == (IssuedToken(access_token="new", expires_in=60), False)
    assert acme.issued_by == ("acme", token_endpoint.url.removeprefix("http://"))
    (seen,) = token_endpoint.seen
    assert (seen.line, seen.form) == ("POST /session/renew HTTP/1.1", {"session": "old"})
    assert seen.headers["X-Acme-Key"] == APP_SECRET


FAULTS = [
    (http(403, b'{"error": "bad_key"}'), errors.ConfigurationException),
    (http(403, b'{"error": "gone"}'), errors.ReauthorizationRequiredException),
    (http(200, b"{}"), errors.IssuerProtocolException),
    (Reply(hang_up=True), errors.IssuerUnavailableException),
]


@pytest.mark.parametrize(("reply", "expected"), FAULTS)
def test_its_errors_are_the_contracts(
    reply: Reply, expected: type[errors.RefreshTokenError], acme: Issuer, token_endpoint: TokenServer
) -> None:
    token_endpoint.answer(reply)
    with pytest.raises(expected) as caught:
        acme.refresh(Grant("old"), None, seconds=11.5)
    assert APP_SECRET not in "".join(traceback.format_exception(caught.value))
