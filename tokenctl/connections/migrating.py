"""Moving the pair of a stack into its fleet and back, while consumers use it: at no moment does it have two keepers.

    secret   V, claimed ------------------> pointer to the connection ......
    item     ......... V, claimed ------------------------> V, free ........
    killed   nothing   | run it again      | run it again  | done

The connection has the version id that the secret had, so that a report of a dead token means the same on both sides.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Final
from uuid import uuid4

from refresh_token.core.secret_format import MOVED_TO
from refresh_token.core.secret_keys import read_document
from refresh_token.core.token_pair import TokenPair
from refresh_token.environment import CONNECTIONS_TABLE, STATIC
from refresh_token.fleet import operator_writes, writes
from refresh_token.fleet.attributes import encode_item
from refresh_token.fleet.operator_writes import seed
from refresh_token.fleet.record import Record
from refresh_token.oauth.issuers import AMPLIFY, FIGMA
from tokenctl.connections.entries import KEYS, Entries, Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.json_lines import Fault
from tokenctl.connections.sealing import Seal
from tokenctl.connections.storing import Storing
from tokenctl.connections.table import ChangedError, Table
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function import tick
from tokenctl.stack.issuer import deployed_issuer
from tokenctl.stack.lock_claim import SECONDS, claimed_pair
from tokenctl.stack.pair_secret import NoPairError, mismatch, read_pair, validate_pair
from tokenctl.stack.secrets_manager import get_current_value, swap_document

GRACE: Final = 600
"""Seconds after the claim until the dispatcher looks at a connection whose move was killed: time to run it again."""

NOTHING: Final = "Nothing was changed."


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
            claimed = self._claim_new(entry, version_id)
            others = {key: each for key, each in stored.pair.unknown.items() if key not in KEYS}
            pointer = {**others, MOVED_TO: name, "provider": entry.provider.name}
            try:
                swap_document(self.deployed.target, self.deployed.target.secret_arn, pointer, expected=version_id)
            except BaseException:
                if _pointer(self._value()) != name:  # the answer may just be lost
                    self.table.delete(operator_writes.remove_claimed(name, str(claimed.claim_id)))
                    raise
        self._release(claimed)
        return Moved(connection=name, version_id=version_id, left_out=tuple(sorted(others)))

    def out_of_fleet(self, name: str) -> Moved:
        """Make a connection the stack's pair, and delete the connection.

        Raises:
            TokenctlError: the secret holds another pair, the connection has no tokens, or it is being refreshed.

        """
        value, seen = self._value(), self.table.get(name)
        pointed = _pointer(value)
        stored = bool(value.get("VersionId")) and value["VersionId"] == seen.version
        if not stored:
            self._require_room(value, pointed, name)
        claim_id = self._claim(seen)
        version_id = seen.version
        try:
            version_id = seen.version if stored else self._store(seen, value)
        except BaseException:
            if self._value()["VersionId"] != seen.version:  # the answer may just be lost
                self.table.update(writes.release(seen, claim_id))
                raise
        self.table.delete(operator_writes.remove_claimed(name, claim_id))
        tick(self.deployed.target)
        return Moved(connection=name, version_id=version_id)

    @property
    def table(self) -> Table:
        """The table of the fleet."""
        return Table(self.fleet)

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

    def _claim_new(self, entry: Entry, version_id: str) -> Record:
        """Store the connection, claimed. One of this very version is left from a move that was killed."""
        now = datetime.now(UTC)
        until = now.timestamp() + SECONDS
        held = {"claimId": str(uuid4()), "claimUntil": until, "openClaims": 1, "dueAt": ceil(until) + GRACE}
        item = Storing(self.fleet).item(entry, version=version_id, now=now)
        before = self.table.find(entry.name)
        if before is not None and before.version != version_id:
            raise TokenctlError(f"There is another connection {entry.name}. {NOTHING}")
        try:
            self.table.put(seed({**item, **encode_item(held)}, over=None if before is None else version_id))
        except ChangedError:
            raise TokenctlError(f"Meanwhile, somebody else has made {entry.name}. {NOTHING}") from None
        return self.table.get(entry.name)

    def _release(self, claimed: Record) -> None:
        """Let others refresh the connection, and the dispatcher look at it soon."""
        soon = ceil(datetime.now(UTC).timestamp())
        self.table.update(writes.release(_due(claimed, soon), str(claimed.claim_id)))

    def _free(self, name: str, version_id: str) -> Moved:
        """End a move that was killed after the secret pointed to the connection."""
        seen = self.table.get(name)
        if seen.claim_id is not None and not seen.is_claimed(datetime.now(UTC).timestamp()):
            self._release(seen)
        return Moved(connection=name, version_id=seen.version or version_id)

    def _require_room(self, value: Mapping[str, str], pointed: str | None, name: str) -> None:
        if pointed == name or not read_document(value["SecretString"]):
            return
        if pointed is not None:
            raise TokenctlError(f"The pair of the stack is the connection {pointed}, not {name}. {NOTHING}")
        read_pair(self.deployed)  # whatever is no pair has a message of its own
        raise TokenctlError(f"The secret of the stack holds another pair. {NOTHING} Revoke it, or use another stack.")

    def _claim(self, seen: Record) -> str:
        now, claim_id = datetime.now(UTC).timestamp(), str(uuid4())
        try:
            self.table.update(writes.claim(seen, now=now, seconds=SECONDS, claim_id=claim_id, ignore_cooldown=True))
        except ChangedError as error:
            if error.now is None or not error.now.is_claimed(now):
                raise
            raise TokenctlError(f"{seen.name} is being refreshed. {NOTHING} Try again in a minute.") from None
        return claim_id

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


def _due(record: Record, at: int) -> Record:
    return record if record.due_at is None else replace(record, due_at=at)
