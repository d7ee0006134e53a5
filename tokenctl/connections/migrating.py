"""Moving the pair of a stack into its fleet and back, while consumers use it: at no moment does it have two keepers.

    secret   V, claimed ------------------> pointer to the connection ......
    item     ......... V, claimed ------------------------> V, free ........
    killed   nothing   | run it again      | run it again  | done

The connection has the version id that the secret had, so that a report of a dead token means the same on both sides.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from refresh_token.core.secret_format import MOVED_TO
from refresh_token.core.secret_keys import read_document
from refresh_token.core.token_pair import TokenPair
from refresh_token.environment import CONNECTIONS_TABLE, STATIC
from refresh_token.fleet.record import Record
from refresh_token.oauth.issuers import AMPLIFY, FIGMA
from tokenctl.connections.claimed import NOTHING, Claimed
from tokenctl.connections.entries import KEYS, Entries, Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.json_lines import Fault
from tokenctl.connections.sealing import Seal
from tokenctl.connections.table import Table
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function import tick
from tokenctl.stack.issuer import deployed_issuer
from tokenctl.stack.lock_claim import claimed_pair
from tokenctl.stack.pair_secret import NoPairError, mismatch, read_pair, validate_pair
from tokenctl.stack.secrets_manager import get_current_value, swap_document


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What has moved."""

    connection: str
    version_id: str
    left_out: tuple[str, ...] = ()
    """The secret's keys that the connection does not keep; the secret keeps them."""


@dataclass(frozen=True)
class Migration:
    """Moves between the secret of a stack and its fleet."""

    deployed: DeployedStack
    fleet: Fleet

    def into_fleet(self, name: str) -> Moved:
        """Make the stack's pair a connection, and let the secret point to it.

        Raises:
            TokenctlError: there is no pair, or another connection of that name, or a refresh is running.

        """
        value = self._value()
        self._require_service()
        if (pointed := _pointer(value)) is not None:
            if pointed == name:
                return self._free(name, value["VersionId"])
            raise TokenctlError(f"The pair of the stack is the connection {pointed} already. {NOTHING}")
        try:
            stored = read_pair(self.deployed)
        except NoPairError as error:
            raise TokenctlError(f"There is no pair to move. {error}") from None
        version_id, entry = stored.version_id, self._entry(name, stored.pair)
        with claimed_pair(self.deployed, version_id):
            if self._value()["VersionId"] != version_id:
                raise TokenctlError(f"Meanwhile, the pair has been refreshed. {NOTHING} Run the command again.")
            claimed = Claimed.new(self.fleet, entry, version_id)
            others = {key: each for key, each in stored.pair.unknown.items() if key not in KEYS}
            pointer = {**others, MOVED_TO: name, "provider": entry.provider.name}
            try:
                swap_document(self.deployed.target, self.deployed.target.secret_arn, pointer, expected=version_id)
            except BaseException:
                if _pointer(self._value()) != name:  # the answer may just be lost
                    claimed.delete()
                    raise
        claimed.hand_over()
        return Moved(connection=name, version_id=version_id, left_out=tuple(sorted(others)))

    def out_of_fleet(self, name: str) -> Moved:
        """Make a connection the stack's pair, and delete the connection.

        Raises:
            TokenctlError: the secret holds another pair, the connection has no tokens, or it is being refreshed.

        """
        value, table = self._value(), Table(self.fleet)
        seen = table.get(name)
        pointed = _pointer(value)
        stored = bool(value.get("VersionId")) and value["VersionId"] == seen.version
        if not stored:
            self._require_room(value, pointed, name)
        claimed = Claimed.existing(table, seen)
        version_id = seen.version
        try:
            version_id = seen.version if stored else self._store(seen, value)
        except BaseException:
            if self._value()["VersionId"] != seen.version:  # the answer may just be lost
                claimed.release()
                raise
        claimed.delete()
        tick(self.deployed.target)
        return Moved(connection=name, version_id=version_id)

    def _value(self) -> Mapping[str, str]:
        value = get_current_value(self.deployed.target, self.deployed.target.secret_arn)
        return {"VersionId": value.get("VersionId", ""), "SecretString": value.get("SecretString") or "{}"}

    def _require_service(self) -> None:
        """Raise ConfigurationError unless the function that the pair's consumers call can serve the connection."""
        if self.deployed.target.function_variables.get(CONNECTIONS_TABLE) != self.fleet.table:
            raise ConfigurationError(
                f"The function of {self.deployed.target.stack_name} cannot read the fleet, so its consumers would get "
                f"errors. {NOTHING} Deploy the stack with `-c connections=true` again, with this release."
            )

    def _entry(self, name: str, pair: TokenPair) -> Entry:
        issuer = deployed_issuer(self.deployed)
        if issuer == STATIC:
            raise ConfigurationError(f"A person renews the token of this stack, so no fleet can. {NOTHING}")
        document = {
            **{key: each for key, each in json.loads(pair.to_json()).items() if key in KEYS},
            "connection": name,
            "provider": FIGMA if issuer == AMPLIFY else issuer,
        }
        now = datetime.now(UTC)
        try:
            return Entries(Issuers(self.fleet.settings.providers)).make(document, created=now, now=now)
        except Fault as fault:
            text = str(fault)
        raise TokenctlError(f"The pair of the stack cannot become a connection: {text}. {NOTHING}")

    def _free(self, name: str, version_id: str) -> Moved:
        """End a move that was killed after the secret pointed to the connection."""
        table = Table(self.fleet)
        seen = table.get(name)
        if seen.claim_id is not None and not seen.is_claimed(datetime.now(UTC).timestamp()):
            Claimed(table, seen, seen.claim_id).hand_over()
        return Moved(connection=name, version_id=seen.version or version_id)

    def _require_room(self, value: Mapping[str, str], pointed: str | None, name: str) -> None:
        if pointed == name or not read_document(value["SecretString"]):
            return
        if pointed is not None:
            raise TokenctlError(f"The pair of the stack is the connection {pointed}, not {name}. {NOTHING}")
        read_pair(self.deployed)  # whatever is no pair has a message of its own
        raise TokenctlError(f"The secret of the stack holds another pair. {NOTHING} Revoke it, or use another stack.")

    def _store(self, seen: Record, value: Mapping[str, str]) -> str:
        """Store the connection's pair in the secret, beside the keys that the secret has kept."""
        seal, settings = Seal(self.fleet), self.deployed.settings
        access = seal.open(seen.name, seen.access) if isinstance(seen.access, tuple) else seen.access
        refresh = seal.open(seen.name, seen.refresh) if seen.refresh else None
        kept = {key: each for key, each in read_document(value["SecretString"]).items() if key not in KEYS}
        document = {**kept, **json.loads(seen.document(access, refresh)), "provider": settings.provider}
        pair = validate_pair(json.dumps(document), settings)
        if problem := mismatch(self.deployed, pair):
            raise ConfigurationError(f"{seen.name} cannot become the stack's pair: {problem}. {NOTHING}")
        target = self.deployed.target
        return swap_document(target, target.secret_arn, document, expected=value["VersionId"], version_id=seen.version)


def _pointer(value: Mapping[str, str]) -> str | None:
    """Return the connection to which the secret points."""
    document = read_document(value["SecretString"])
    name = document.get(MOVED_TO)
    holds_pair = document.keys() & {"accessToken", "refreshToken", "access_token", "refresh_token"}
    return name if isinstance(name, str) and not holds_pair else None
