"""What the synthesis says about a refresher, beyond its faults."""

from aws_cdk import Annotations
from constructs import Construct

from refresh_token.oauth.issuers import AMPLIFY_ENDS


def tell_when_amplify_ends(scope: Construct) -> None:
    """Say until when Amplify UI Builder works."""
    Annotations.of(scope).add_info_v2(
        "refresh-token:amplify",
        f"The issuer amplify works until {AMPLIFY_ENDS:%-d %B %Y}, when Amplify Studio ends. To move to figma, see "
        "docs/issuers.md#from-amplify-to-figma.",
    )
