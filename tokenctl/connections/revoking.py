"""Ending the grant of a connection at its provider, while nobody refreshes it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import RefreshTokenError
from refresh_token.fleet import operator_writes
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from tokenctl.connections.claimed import Claimed
from tokenctl.connections.deployed_provider import provider_of
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Outcome
from tokenctl.connections.sealing import Seal
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.connections.table import Table
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.sign_in.revocation import MAX_SECONDS, NOTHING_CHANGED, plan_revocation
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.pair_secret import mismatch

CLAIM_SECONDS = 2 * MAX_SECONDS
"""How long the claim holds if the process dies: longer than the provider may take."""


@dataclass(frozen=True)
class Revoker:
    """Revokes the grants of a fleet's connections."""

    fleet: Fleet
    table: Table
    seal: Seal
    events: StateChangeEvents

    @classmethod
    def of(cls, fleet: Fleet, events: StateChangeEvents) -> "Revoker":
        """Return the revoker of a fleet."""
        return cls(fleet, Table(fleet), Seal(fleet), events)

    def revoke(self, name: str, *, mark_only: bool) -> Outcome:
        """End the grant at the provider, unless a person has done so, and delete the tokens.

        Raises:
            TokenctlError: the connection is being refreshed, or the provider does not revoke the grant.

        """
        seen = self.table.get(name)
        if seen.state is State.REVOKED:
            return Outcome(connection=name, outcome="unchanged", state=seen.state, detail="it is revoked already")
        if mark_only:
            return self._marked(seen)
        marks = f"tokenctl connections revoke {name} --mark-only {self.fleet.target.option}"
        deployed = provider_of(self.fleet, seen.provider, seen.params)
        pair = self._pair(seen, deployed, marks)
        revocation = plan_revocation(deployed, pair, marks=marks)
        claimed = Claimed.existing(self.table, seen, seconds=CLAIM_SECONDS)
        try:
            revocation(pair)
            return self._after_revocation(seen, marks)
        except TokenctlError:
            claimed.release()
            raise

    def _after_revocation(self, seen: Record, marks: str) -> Outcome:
        try:
            return self._marked(seen)
        except TokenctlError as error:
            raise type(error)(
                f"The grant is revoked, but {seen.name} still has its tokens: {error} Fix that, then run `{marks}`."
            ) from None

    def _marked(self, seen: Record) -> Outcome:
        now = datetime.now(UTC)
        self.table.update(operator_writes.revoke(seen, version=str(uuid4()), now=now))
        self.events.changed(seen, State.REVOKED, now)
        return Outcome(connection=seen.name, outcome="revoked", state=State.REVOKED)

    def _pair(self, seen: Record, deployed: DeployedStack, marks: str) -> TokenPair:
        """Return the pair with its tokens in the clear; raises TokenctlError if it cannot be sent to the provider."""
        refresh = self.seal.open(seen.name, seen.refresh) if seen.refresh else None
        access = self.seal.open(seen.name, seen.access) if isinstance(seen.access, tuple) else seen.access
        try:
            pair = self.fleet.settings.providers[seen.provider].parse(
                seen.document(access, refresh), created=seen.stored_at or datetime.now(UTC)
            )
        except RefreshTokenError as error:
            fault = str(error)
        else:
            if problem := mismatch(deployed, pair):
                raise ConfigurationError(
                    f"The grant cannot be revoked with these settings: {problem}. {NOTHING_CHANGED}"
                )
            return pair
        raise TokenctlError(
            f"The tokens of {seen.name} cannot be read: {fault} End the access by hand, at the provider. Then run "
            f"`{marks}`."
        )
