"""`tokenctl logs`: finding what the function logged about one request."""

import pytest

from local.deployment import Deployment
from refresh_token.signals import Log
from tests.support.command_line import Tokenctl

pytestmark = pytest.mark.xdist_group("deployed")


@pytest.mark.usefixtures("fresh")
def test_finds_what_is_about_one_request(tokenctl: Tokenctl, stack: Deployment) -> None:
    assert not stack.invoke({"source": "aws.scheduler"}).failed
    request = stack.invoke({"provider": "sketch"}).payload["requestId"]
    logged, report = tokenctl("logs", "--find", request, "--output", "json").json
    assert (logged["message"], logged["reason"]) == (Log.REQUEST_FAILED, "InvalidParameterException")
    assert report["message"].startswith("REPORT ")
    line, _ = tokenctl("logs", "--find", request).out.splitlines()
    assert line.startswith(f"{logged['at']}  ERROR  {Log.REQUEST_FAILED}  ")
    assert "  detail=`provider` must be `figma`, the provider of this function." in line
    everything = tokenctl("logs").out
    assert f"  INFO  {Log.TOKEN_CHECKED}  " in everything
    assert "_aws" not in everything
    for words in (("--find", f'{request}" \\'), ("--hours", "0.0000001")):
        nothing = tokenctl("logs", *words)
        assert (nothing.code, nothing.out) == (0, "")
        assert nothing.err.startswith("The log shows nothing like that.")
