"""Asking before a pair is stored that the deployed issuer cannot refresh."""

from refresh_token.core.issued_by import IssuedBy
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_issued_by
from tokenctl.terminal.confirm import confirm


def confirm_issuer(deployed: DeployedStack, new: IssuedBy, *, yes: bool) -> None:
    """Ask whether to go on if the new pair is of another issuer or host than the function's; raises as `confirm`."""
    own = deployed_issued_by(deployed)
    if own not in {None, new}:
        confirm(
            f"{deployed.target.stack_name} uses {own}, and will refuse a pair of {new}. Deploy it with the settings of "
            f"{new} before the new token is due.",
            yes=yes,
        )
