"""A fleet's function for consumers, from event to answer: moto holds table and key, a local server is the provider."""

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from refresh_token import errors
from refresh_token.core.windows import iso_utc
from refresh_token.fleet.states import State
from tests.support.event_bus import EventBus
from tests.support.fleet import NAME
from tests.support.function_environment import APP_ID, APP_SECRET, NOBODY_LISTENS, SERVICE, forget_clients
from tests.support.moto_fleet import DOWN, OLD, REFUSES, MotoFleet
from tests.support.moto_function import Lines
from tests.support.token_server import LIFETIME, basic, issued

OTHER = "acme/u2"


class TestALivingToken:
    @pytest.mark.parametrize(("window", "state"), [("fresh", "fresh"), ("advisory", "due")])
    def test_costs_one_read_and_no_line(self, fleet: MotoFleet, printed: Lines, window: str, state: str) -> None:
        record = fleet.seed(window, values={"realm": 7}, scope="read")
        answer = fleet.ask()
        assert answer.pop("expiresIn") > 86_400
        assert answer == {
            "connection": NAME,
            "provider": "oauth2",
            "accessToken": OLD,
            "versionId": record.version,
            "state": state,
            "scope": "read",
            "values": {"realm": 7},
            **{key: record.facts[key] for key in ("expiresAt", "refreshedAt")},
        }
        assert fleet.calls == {"GetItem": 1}
        assert (fleet.server.seen, printed()) == ([], [])

    def test_that_is_sealed_costs_one_call_more(self, fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEAL_ACCESS_TOKENS", "true")
        forget_clients()
        fleet.stage.seals_access = True
        fleet.seed()
        assert fleet.ask()["accessToken"] == OLD
        assert fleet.calls == {"GetItem": 1, "Decrypt": 1}

    @pytest.mark.parametrize("provider", ["oauth2", "figma"])
    def test_may_be_asked_by_its_provider(self, fleet: MotoFleet, provider: str) -> None:
        fleet.seed()
        assert fleet.ask(provider=provider)["provider"] == "oauth2"

    def test_of_another_provider_is_not_given(self, fleet: MotoFleet) -> None:
        fleet.seed()
        assert "must be `oauth2`" in fleet.refused(errors.InvalidParameterException, provider="xero")


class TestADyingToken:
    @pytest.mark.parametrize("window", ["mandatory", "expired", "unknown"])
    def test_is_refreshed_by_few_calls(self, fleet: MotoFleet, window: str) -> None:
        old = fleet.seed(window)
        answer = fleet.ask()
        new = fleet.stage.table.record(NAME)
        assert (answer["accessToken"], answer["versionId"]) == ("access-issued", new.version)
        assert (answer["state"], LIFETIME - 60 < answer["expiresIn"] <= LIFETIME) == ("fresh", True)
        (seen,) = fleet.server.seen
        assert (seen.form["refresh_token"], basic(seen.headers)) == (f"canary-{NAME}", f"{APP_ID}:{APP_SECRET}")
        assert fleet.calls - Counter({"GetSecretValue": 1}) == {
            "GetItem": 1,
            "UpdateItem": 2,
            "Decrypt": 1,
            "Encrypt": 1,
        }
        assert (new.refresh, new.claim_id, new.state) == (old.refresh, None, State.ACTIVE)
        assert fleet.stage.opened(NAME) == f"canary-{NAME}"

    def test_is_handed_out_while_the_provider_is_down(self, fleet: MotoFleet) -> None:
        fleet.seed("mandatory")
        fleet.server.answer(DOWN)
        assert [fleet.ask()["state"] for _ in range(3)] == ["degraded"] * 3
        assert len(fleet.server.seen) == 1, "then there is a cooldown"
        assert fleet.stage.table.record(NAME).state is State.COOLING

    def test_that_is_dead_has_the_cooldowns_error(self, fleet: MotoFleet) -> None:
        fleet.seed("expired")
        fleet.server.answer(DOWN)
        fleet.refused(errors.IssuerUnavailableException)
        fleet.server.answer(issued())
        fleet.server.seen.clear()
        assert "cannot cause another attempt" in fleet.refused(errors.IssuerUnavailableException)
        assert fleet.server.seen == []
        assert fleet.ask(force=True)["accessToken"] == "access-issued"

    @pytest.mark.parametrize(("window", "calls"), [("advisory", 0), ("mandatory", 1), ("expired", 1)])
    def test_on_demand_is_refreshed_when_asked(self, fleet: MotoFleet, window: str, calls: int) -> None:
        fleet.seed(window)
        fleet.stage.table.change(NAME, policy={"S": "demand"})
        assert fleet.ask()["accessToken"] == ("access-issued" if calls else OLD)
        assert len(fleet.server.seen) == calls

    def test_of_a_neighbour_is_left_alone(self, fleet: MotoFleet) -> None:
        fleet.seed("expired")
        other = fleet.seed("expired", name=OTHER)
        fleet.ask()
        assert fleet.stage.table.record(OTHER).version == other.version


class TestAReport:
    def test_of_the_current_version_replaces_it(self, fleet: MotoFleet) -> None:
        old = fleet.seed()
        assert fleet.ask(failedVersionId=old.version)["accessToken"] == "access-issued"
        again = fleet.ask(failedVersionId=old.version)
        assert (again["accessToken"], len(fleet.server.seen)) == ("access-issued", 1)

    def test_of_a_new_token_is_damped(self, fleet: MotoFleet) -> None:
        record = fleet.seed(refreshed_at=datetime.now(UTC) - timedelta(seconds=3))
        assert fleet.ask(failedVersionId=record.version)["versionId"] == record.version
        assert fleet.server.seen == []

    def test_heals_a_lost_answer(self, fleet: MotoFleet) -> None:
        """The provider has replaced both tokens, and the function dies before it stores them: a claim stays open."""
        old = fleet.seed()
        until = datetime.now(UTC).timestamp() - 1
        fleet.stage.table.change(NAME, claimId={"S": "gone"}, claimUntil={"N": str(until)}, openClaims={"N": "1"})
        assert fleet.ask(failedVersionId=old.version)["accessToken"] == "access-issued"
        assert fleet.stage.table.record(NAME).open_claims == 0


REFRESHED = None
PAUSED, SIGN_IN, BROKEN = (
    errors.ConnectionPausedException,
    errors.ReauthorizationRequiredException,
    errors.SecretMalformedException,
)
STATES: dict[State, tuple[type[errors.RefreshTokenError], type[errors.RefreshTokenError] | None, str]] = {
    State.PAUSED: (PAUSED, PAUSED, f"tokenctl connections resume {NAME}"),
    State.REVOKED: (PAUSED, PAUSED, f"tokenctl connections authorize {NAME}"),
    State.STUCK: (PAUSED, REFRESHED, f"tokenctl connections refresh {NAME}"),
    State.REFUSED: (SIGN_IN, REFRESHED, f"tokenctl connections authorize {NAME}"),
    State.MALFORMED: (BROKEN, BROKEN, f"tokenctl connections authorize {NAME}"),
}
"""The error of a question, that of a force, and the command that the error names. The access token still lives."""


class TestAState:
    @pytest.mark.parametrize(("state", "expected"), STATES.items(), ids=STATES)
    def test_answers_at_once(
        self,
        fleet: MotoFleet,
        state: State,
        expected: tuple[type[errors.RefreshTokenError], type[errors.RefreshTokenError] | None, str],
    ) -> None:
        version = fleet.seed().version
        fleet.force_state(state)
        refusal, forced, command = expected
        for more in ({}, {"failedVersionId": version}):
            message = fleet.refused(refusal, **more)
            assert command in message
            assert NAME in message
        assert fleet.stage.table.record(NAME).state is state
        if forced:
            fleet.refused(forced, force=True)
            assert fleet.server.seen == []
        else:
            assert fleet.server.seen == []
            assert fleet.ask(force=True)["accessToken"] == "access-issued"
            assert fleet.stage.table.record(NAME).state is State.ACTIVE

    def test_of_a_missing_one_is_told(self, fleet: MotoFleet, printed: Lines) -> None:
        fleet.seed()
        assert OTHER in fleet.refused(errors.ConnectionNotFoundException, OTHER)
        lines = printed()
        assert [line["connection"] for line in lines if "message" in line] == [OTHER]
        assert not [line for line in lines if "Faults" in line]

    def test_of_an_unknown_provider_is_a_fault(self, fleet: MotoFleet, printed: Lines) -> None:
        fleet.seed()
        fleet.stage.table.change(NAME, provider={"S": "acme"})
        fleet.refused(errors.ConfigurationException)
        assert [line["Faults"] for line in printed() if "Faults" in line] == [[1.0]]

    @pytest.mark.parametrize("event", [{}, {"connection": "no name"}, {"connection": NAME, "force": 1}, []])
    def test_is_not_read_for_a_wrong_event(self, fleet: MotoFleet, event: object) -> None:
        with pytest.raises(errors.InvalidParameterException):
            fleet.invoke(event)
        assert fleet.calls == {}


class TestFaults:
    @pytest.mark.parametrize("variable", ["CONNECTIONS_TABLE", "PROVIDERS", "ADVISORY_WINDOW_SECONDS"])
    def test_a_wrong_environment_is_named(
        self, fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.delenv(variable)
        forget_clients()
        assert variable in fleet.refused(errors.ConfigurationException)

    def test_a_missing_table_cannot_be_read(self, fleet: MotoFleet) -> None:
        boto3.client("dynamodb").delete_table(TableName=fleet.stage.table.name)
        fleet.refused(errors.SecretUnavailableException)

    @pytest.mark.usefixtures("fast_retries")
    def test_a_key_that_is_down_spends_nothing(self, fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch) -> None:
        fleet.seed("expired")
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", NOBODY_LISTENS)
        forget_clients()
        fleet.refused(errors.SecretUnavailableException)
        assert fleet.server.seen == []
        monkeypatch.delenv("AWS_ENDPOINT_URL_KMS")
        forget_clients()
        assert fleet.ask()["accessToken"] == "access-issued"


class TestChangesOfState:
    def test_are_told_once(self, fleet: MotoFleet, bus: EventBus) -> None:
        told = []
        fleet.seed("expired")
        force: dict[str, Any] = {"force": True}
        for reply, more in ((DOWN, {}), (DOWN, force), (issued(), force), (issued(), {})):
            fleet.server.answer(reply)
            with suppress(errors.IssuerUnavailableException):
                fleet.ask(**more)
            told.append([(each["connection"], each["from"], each["to"], each["reason"]) for each in bus.take()])
        assert told == [[(NAME, "active", "cooling", "degraded")], [], [(NAME, "cooling", "active", "recovered")], []]
        record = fleet.seed(refresh_expires_at=datetime(2999, 1, 1, tzinfo=UTC))
        fleet.server.answer(REFUSES)
        fleet.refused(errors.ReauthorizationRequiredException, failedVersionId=record.version)
        (refused,) = bus.take()
        assert refused == {
            "service": SERVICE,
            "connection": NAME,
            "provider": "oauth2",
            "from": "active",
            "to": "refused",
            "reason": "reauthorization-required",
            "at": refused["at"],
            "expiresAt": record.facts["expiresAt"],
            "refreshExpiresAt": iso_utc(datetime(2999, 1, 1, tzinfo=UTC)),
        }

    def test_tell_the_end_of_a_grant_once(
        self, fleet: MotoFleet, bus: EventBus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = json.loads(fleet.environment["PROVIDERS"])
        monkeypatch.setenv("PROVIDERS", json.dumps({"oauth2": {**rows["oauth2"], "GRANT_ABSOLUTE_DAYS": "365"}}))
        forget_clients()
        signed_in = datetime.now(UTC) - timedelta(days=355)
        told = []
        for window in ("fresh", "advisory"):
            fleet.seed(window, granted_at=signed_in)
            for act in (fleet.work, fleet.work, lambda: fleet.ask(force=True), fleet.work):
                act()
                told.append([(each["from"], each["to"], each["reason"]) for each in bus.take()])
        assert told == 2 * [[("active", "active", "grant-expiring")], [], [], []]
