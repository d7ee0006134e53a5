"""Controls a stand-in from a test or a demo. The calls are the same for one in this process or in another."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

import urllib3

from local.standin.calls import Call
from local.standin.counts import Counts
from local.standin.faults import Fault
from local.standin.grants import CLIENT_ID, USER, Grant


class FaultOptions(TypedDict, total=False):
    """The fields of `Fault` without its operation."""

    user: str | None
    share: float
    times: int | None
    after: bool
    delay: float
    drop: bool
    status: int
    code: str
    message: str
    body: str
    content_type: str
    headers: Mapping[str, str]
    answer: Mapping[str, Any]
    omit: tuple[str, ...]


class StandinControl:
    """Controls the stand-in at `url`. Every method raises `RuntimeError` if the stand-in refuses the request."""

    def __init__(self, url: str) -> None:
        self.url = url

    def grant(self, *, user: str = USER, client_id: str = CLIENT_ID, expires_in: int | None = None) -> Grant:
        """Sign `user` in without a browser; the access token lives `expires_in` seconds."""
        (grant,) = self.grant_many([user], client_id=client_id, expires_in=expires_in)
        return grant

    def grant_many(
        self, users: Sequence[str], *, client_id: str = CLIENT_ID, expires_in: int | None = None
    ) -> list[Grant]:
        """Sign all these users in, in one request."""
        issued = self._ask("POST", "grants", users=[*users], client_id=client_id, expires_in=expires_in)
        return [Grant(**members) for members in issued]

    def grants(self) -> list[Grant]:
        """Return every grant, oldest first."""
        return [Grant(**members) for members in self.state()["grants"]]

    @property
    def live_access_token(self) -> str:
        """The default user's newest access token. Raises `LookupError` before the first grant."""
        for grant in self.grants():
            if grant.user == USER:
                return grant.access_token
        raise LookupError(f"{USER} has not granted anything. Call grant() first.")

    def accepts(self, access_token: str) -> bool:
        """Whether `GET /v1/me` accepts this access token. The request counts as a call."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return urllib3.request("GET", f"{self.url}/v1/me", headers=headers, retries=False).status == 200  # noqa: PLR2004 - HTTP

    def fail(self, operation: str, **how: Unpack[FaultOptions]) -> None:
        """Make the next `times` calls of `operation` fail as `Fault` describes (1 by default; None: all calls)."""
        self._ask("POST", "faults", operation=operation, **how)

    def pending_faults(self) -> list[Fault]:
        """Return the faults that are still to come."""
        return [Fault(**members | {"omit": tuple(members["omit"])}) for members in self.state()["faults"]]

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._ask("DELETE", "faults")

    def calls(self, operation: str | None = None) -> list[Call]:
        """Return the calls of one operation, or of all, in order of arrival."""
        calls = [Call(**members) for members in self._ask("GET", "calls")]
        return [call for call in calls if operation in {None, call.operation}]

    def counts(self) -> dict[str, Counts]:
        """Return what happened to each user's refreshes on the wire."""
        return {user: Counts(**members) for user, members in self._ask("GET", "counts").items()}

    def forget_calls(self) -> None:
        """Forget the calls so far."""
        self._ask("DELETE", "calls")

    def kill(self, *, user: str = USER) -> None:
        """Kill the user's live access token, as a refresh by somebody else would."""
        self._ask("POST", "kill", user=user)

    def revoke(self, *, user: str = USER) -> None:
        """Revoke the grant. The stand-in refuses its refresh token from now on."""
        self._ask("POST", "revoke", user=user)

    def set_expires_in(self, seconds: int) -> None:
        """Set the life, and the `expiresIn`, of access tokens issued from now on."""
        self._ask("POST", "settings", expires_in=seconds)

    def set_rotation(self, *, on: bool) -> None:
        """Make each refresh also replace the refresh token and answer with the new one. Figma does not do this.

        A spent refresh token that comes again then revokes the grant.
        """
        self._ask("POST", "settings", rotate=on)

    def set_rate_limit(self, per_second: float) -> None:
        """Allow so many refreshes a second; the rest gets 429 with `Retry-After`. 0 removes the limit."""
        self._ask("POST", "settings", rate_limit=per_second)

    def advance(self, seconds: float) -> None:
        """Move the stand-in's clock ahead."""
        self._ask("POST", "settings", advance=seconds)

    def state(self) -> dict[str, Any]:
        """Return the stand-in's state, without the calls."""
        state: dict[str, Any] = self._ask("GET", "state")
        return state

    def reset(self) -> None:
        """Forget grants, codes, faults, calls and settings."""
        self._ask("DELETE", "state")

    def _ask(self, method: str, resource: str, **members: object) -> Any:  # noqa: ANN401 - JSON
        body = json.dumps(members).encode()
        response = urllib3.request(method, f"{self.url}/_standin/{resource}", body=body, retries=False)
        if response.status != 200:  # noqa: PLR2004 - HTTP
            raise RuntimeError(f"The stand-in refused {method} {resource}: {response.data.decode()}")
        return response.json()
