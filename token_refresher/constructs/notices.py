"""What the synthesis says about a refresher, beyond its faults."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import Annotations, Stack, Token
from constructs import Construct

from refresh_token.oauth.issuers import AMPLIFY_ENDS
from token_refresher.bundling.python_runtime import NAMED_PYTHON, RUNTIME_PYTHON, has_byte_code
from token_refresher.issuers import Issuer
from token_refresher.settings.fleet_capacity import bottlenecks
from token_refresher.settings.fleet_settings import StandAloneSettings

UI_BUILDER_REGIONS: Final = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
        *("ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)
"""The regions of Amplify UI Builder in botocore's endpoints. A synthesis has no botocore; a test compares the two."""


def notify(scope: Construct, issuers: Sequence[Issuer], *, asset: Path, emulator: bool) -> None:
    """Say what there is to say about the issuers and the bundle."""
    if any(issuer.calls_ui_builder for issuer in issuers):
        _tell_when_amplify_ends(scope)
        _warn_where_amplify_is_missing(scope)
    if not emulator:
        _demand_byte_code(scope, asset)


def _tell_when_amplify_ends(scope: Construct) -> None:
    """Say until when Amplify UI Builder works."""
    Annotations.of(scope).add_info_v2(
        "refresh-token:amplify",
        f"The issuer amplify works until {AMPLIFY_ENDS:%-d %B %Y}, when Amplify Studio ends. To move to figma, see "
        "docs/issuers.md#from-amplify-to-figma.",
    )


def _warn_where_amplify_is_missing(scope: Construct) -> None:
    """Warn if the stack's region has no Amplify UI Builder. A region that is only known at deployment passes."""
    region = Stack.of(scope).region
    if not Token.is_unresolved(region) and region not in UI_BUILDER_REGIONS:
        Annotations.of(scope).add_warning_v2(
            "refresh-token:amplify-region",
            f"{region} has no Amplify UI Builder, so no refresh can succeed there. Deploy to another region "
            "(docs/limits.md), or use another issuer (docs/issuers.md).",
        )


def warn_of_bottlenecks(scope: Construct, settings: StandAloneSettings) -> None:
    """Warn if a fleet cannot refresh as many connections a second as its settings ask for."""
    for text in bottlenecks(settings):
        Annotations.of(scope).add_warning_v2(
            f"refresh-token:{text.partition('=')[0]}",
            f"{text}, or lower refreshes_per_second={settings['refreshes_per_second']} (docs/fleet.md).",
        )


def _demand_byte_code(scope: Construct, asset: Path) -> None:
    """Warn of a bundle without byte code. In a stack with termination protection, it is an error: the CLI stops."""
    if has_byte_code(asset):
        return
    text = (
        f"The function's bundle was built without Python {RUNTIME_PYTHON} and holds no byte code: the function takes "
        "about twice as long to start, and the asset differs from the one that other machines build. Put a "
        f"python{RUNTIME_PYTHON} on PATH, or set {NAMED_PYTHON} to the path of one."
    )
    if Stack.of(scope).termination_protection:
        Annotations.of(scope).add_error(text)
    else:
        Annotations.of(scope).add_warning_v2("refresh-token:no-byte-code", text)
