"""A token in the wrong place: no message about the command line repeats it.

`test_command_line.py` and `aws_style/test_parameters.py` have other mistakes.
"""

import pytest

from tests.support.command_line import Tokenctl

CANARY = "figr_canaryCANARY0123456789canary"
LOWER = "canarycanarycanarycanary"
MIXED = "canaryCANARY0123456789canary"
"""These could be names."""

BODY = ("refresh-token", "--provider", "figma", "--refresh-token-body")
CALL = (*BODY, "token=a", "--function-name", "refresh")
NOBODY = ("--endpoint-url", "http://127.0.0.1:9")
NAMED = ("--stack-name", "--parameter-path")
SIGN_IN = ("authorize", "--client-id", "app")

LINES: list[tuple[str, ...]] = [
    (*BODY, f"file://{CANARY}"),
    (*BODY, f"token@=file://{CANARY}"),
    ("refresh-token", "--provider", CANARY, "--refresh-token-body", CANARY),
    ("refresh-token", "--cli-input-json", CANARY),
    ("refresh-token", "--cli-input-json", f"file://{CANARY}"),
    *((*CALL, option, CANARY) for option in ("--output", "--color", "--profile", "--region", "--stage")),
    *((*CALL, option, CANARY, *NOBODY) for option in ("--ca-bundle", "--cli-connect-timeout")),
    *(("status", "--stage", name, *NOBODY) for name in (LOWER, MIXED)),
    (*CALL, "--stage", LOWER, *NOBODY),
    (*CALL, "--endpoint-url", f"http://{CANARY}.invalid"),
    (*BODY, "token=a", "--function-name", CANARY, *NOBODY),
    *((command, option, CANARY, *NOBODY) for command in ("status", "token") for option in NAMED),
    ("help", CANARY),
    ("--stage", CANARY, "status"),
    ("seed", "--from", f"/{CANARY}/pair.json"),
    *((command, "--from", CANARY) for command in ("seed", "app-credentials")),
    *(
        (command, CANARY)
        for command in ("seed", "app-credentials", "token", "completion", "dead-letters", "errors", "list", "logs")
    ),
    ("seed", "--from-version", CANARY),
    *((command, "--client-secret", CANARY) for command in ("app-credentials", "authorize")),
    *(("status", option, CANARY) for option in ("--watch", "--output")),
    ("logs", "--hours", CANARY),
    *((*SIGN_IN, option, CANARY) for option in ("--authorize-url", "--port", "--redirect-host", "--token-url")),
    (*SIGN_IN, "--token-url", f"http://{CANARY}"),
    (*SIGN_IN, "--scope", f"{CANARY} x"),
    *((command, "--issuer", CANARY) for command in ("authorize", "doctor")),
    ("exchange-code-for-token", "--provider", "figma", "--request", f"code@=file://{CANARY}"),
]


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["", "debug"])
@pytest.mark.parametrize("words", LINES, ids=lambda words: " ".join(words).replace(CANARY, "TOKEN")[-60:])
def test_a_misplaced_token_is_not_repeated(tokenctl: Tokenctl, words: tuple[str, ...], debug: tuple[str, ...]) -> None:
    done = tokenctl(*words, *debug)
    assert done.code in {252, 253, 255}
    assert done.err.splitlines()[-1].startswith("tokenctl: ")
    assert "should not happen" not in done.err
    for secret in (CANARY, LOWER, MIXED):
        assert secret not in done.out + done.err
