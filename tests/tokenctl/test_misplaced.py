"""A token in the wrong place: no message about the command line repeats it."""

import pytest

from tests.support.command_line import Tokenctl

CANARY = "figr_canaryCANARY0123456789canary"
LOWER = "canarycanarycanarycanary"
"""This one could be a name."""

BODY = ("refresh-token", "--provider", "figma", "--refresh-token-body")
ASKED = (*BODY, "token=a", "--function-name", "refresh")
NOBODY = ("--endpoint-url", "http://127.0.0.1:9")

LINES: list[tuple[str, ...]] = [
    (*BODY, f"file://{CANARY}"),
    (*BODY, f"token@=file://{CANARY}"),
    (*BODY, f"fileb://{CANARY}"),
    (*BODY, f"token={CANARY},token={CANARY}"),
    (*BODY, f'{{"token": "{CANARY}"'),
    (*BODY, f"tokne={CANARY}"),
    (*BODY, f"{CANARY}=x"),
    (*BODY, CANARY),
    ("refresh-token", "--provider", CANARY, "--refresh-token-body", CANARY),
    ("refresh-token", "--cli-input-json", CANARY),
    ("refresh-token", "--cli-input-json", f"file://{CANARY}"),
    ("refresh-token", "--cli-input-yaml", f"{CANARY}: x"),
    ("refresh-token", "--cli-input-yaml", f"file://{CANARY}"),
    ("refresh-token", "--generate-cli-skeleton", CANARY),
    (*ASKED, "--output", CANARY),
    (*ASKED, "--query", f"{CANARY}["),
    (*ASKED, "--color", CANARY),
    (*ASKED, "--profile", CANARY),
    (*ASKED, "--region", CANARY),
    (*ASKED, "--stage", CANARY),
    (*ASKED, "--stage", LOWER),
    (*ASKED, "--ca-bundle", CANARY, *NOBODY),
    (*ASKED, "--endpoint-url", CANARY),
    (*ASKED, "--endpoint-url", f"http://{CANARY}.invalid"),
    (*ASKED, "--cli-connect-timeout", CANARY),
    (*ASKED, CANARY),
    (*ASKED, f"--{CANARY}"),
    (*BODY, "token=a", "--function-name", CANARY, *NOBODY),
    (CANARY,),
    ("help", CANARY),
    ("--stage", CANARY, "status"),
    ("seed", "--from", CANARY),
    ("seed", "--from", f"/{CANARY}/pair.json"),
    ("seed", CANARY),
    ("app-credentials", "--from", CANARY),
    ("app-credentials", CANARY),
    ("app-credentials", "--client-secret", CANARY),
    ("token", CANARY),
    ("status", "--watch", CANARY),
    ("status", "--output", CANARY),
    ("completion", CANARY),
    ("authorize", "--client-id", "app", "--authorize-url", CANARY),
    ("authorize", "--client-id", "app", "--port", CANARY),
    ("authorize", "--issuer", CANARY),
    ("authorize", "--client-secret", CANARY),
    ("authorize", "--token-url", CANARY),
    ("authorize", "--token-url", f"http://{CANARY}"),
    ("doctor", "--issuer", CANARY),
    ("authorize", "--client-id", "app", "--redirect-host", CANARY),
    ("authorize", "--client-id", "app", "--scope", f"{CANARY} x"),
    ("exchange-code-for-token", "--provider", "figma", "--request", f"code@=file://{CANARY}"),
]


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["", "debug"])
@pytest.mark.parametrize("words", LINES, ids=lambda words: " ".join(words).replace(CANARY, "TOKEN")[-60:])
def test_a_misplaced_token_is_not_repeated(tokenctl: Tokenctl, words: tuple[str, ...], debug: tuple[str, ...]) -> None:
    done = tokenctl(*words, *debug)
    assert done.code in {252, 253, 255}
    assert done.err.splitlines()[-1].startswith("tokenctl: ")
    assert "should not happen" not in done.err
    for text in (done.out, done.err):
        assert CANARY not in text
        assert LOWER not in text
