"""The secret's function beside a fleet: its pair has moved there, or the stack keeps only connections."""

import json

import pytest

from refresh_token import errors
from refresh_token.fleet.operator_writes import pause
from tests.support.events import FORCE, TICK, Event, bare, report
from tests.support.fleet import NAME
from tests.support.function_environment import forget_clients
from tests.support.moto_fleet import OLD, MotoFleet
from tests.support.moto_function import Lines, MotoFunction

POINTER = json.dumps({"connection": NAME, "provider": "oauth2"})


@pytest.fixture
def moved(fleet: MotoFleet, deployment: MotoFunction, monkeypatch: pytest.MonkeyPatch) -> MotoFunction:
    """The secret's function, whose issuer is the provider of the connection."""
    for name, value in json.loads(fleet.environment["PROVIDERS"])["oauth2"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PROVIDERS")
    forget_clients()
    deployment.store(POINTER)
    return deployment


def refused(moved: MotoFunction, event: Event, error: type[errors.RefreshTokenError]) -> str:
    with pytest.raises(errors.RefreshTokenError) as caught:
        moved.invoke(event)
    assert type(caught.value) is error
    assert "canary" not in str(caught.value)
    return str(caught.value)


class TestAConsumerOfEither:
    def test_gets_the_same_answer(self, moved: MotoFunction, fleet: MotoFleet) -> None:
        fleet.seed()
        answers = [moved.invoke({}), moved.invoke({"provider": "figma"}), fleet.ask()]
        for answer in answers:
            assert answer.pop("expiresIn") > 0
        assert answers[0]["accessToken"] == OLD
        assert answers == [answers[0]] * 3

    def test_heals_a_dead_token_for_both(self, moved: MotoFunction, fleet: MotoFleet) -> None:
        """The item starts with the version that the secret had, so a report of it, through either, is understood."""
        dead = fleet.seed().version
        healed = moved.invoke(report(dead))
        assert healed["accessToken"] == "access-issued"
        assert fleet.ask(failedVersionId=dead)["versionId"] == healed["versionId"]
        assert moved.invoke(report(dead))["versionId"] == healed["versionId"]
        assert len(fleet.server.seen) == 1
        assert moved.issuer.seen == []

    def test_may_force(self, moved: MotoFunction, fleet: MotoFleet) -> None:
        fleet.seed()
        assert moved.invoke(FORCE)["versionId"] == fleet.ask()["versionId"]
        assert len(fleet.server.seen) == 1

    def test_gets_the_error_of_its_state(self, moved: MotoFunction, fleet: MotoFleet) -> None:
        fleet.stage.table.make("update_item", pause(fleet.seed()))
        for event in ({}, TICK):
            assert NAME in refused(moved, event, errors.ConnectionPausedException)

    @pytest.mark.parametrize("token", [f"canary-{NAME}", "canary-other"])
    def test_cannot_send_a_refresh_token(self, moved: MotoFunction, fleet: MotoFleet, token: str) -> None:
        fleet.seed()
        assert "moved to its fleet" in refused(moved, bare(token), errors.InvalidParameterException)
        assert fleet.server.seen == moved.issuer.seen == []


class TestATick:
    @pytest.mark.parametrize(("window", "outcome"), [("fresh", "fresh"), ("advisory", "idle"), ("expired", "idle")])
    def test_leaves_the_refresh_to_the_fleet(
        self, moved: MotoFunction, fleet: MotoFleet, window: str, outcome: str
    ) -> None:
        version = fleet.seed(window).version
        answer = moved.invoke(TICK)
        assert (answer["outcome"], answer["versionId"]) == (outcome, version)
        assert fleet.server.seen == []


class TestAPointer:
    def test_without_a_fleet_is_malformed(
        self, moved: MotoFunction, fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fleet.seed()
        monkeypatch.delenv("CONNECTIONS_TABLE")
        forget_clients()
        for event in ({}, TICK, bare("canary-other")):
            assert "connections=true" in refused(moved, event, errors.SecretMalformedException)
        assert fleet.calls.keys() <= {"GetSecretValue"}

    def test_to_another_provider_is_refused(
        self, moved: MotoFunction, fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fleet.seed()
        monkeypatch.setenv("ISSUER", "amplify")
        forget_clients()
        refused(moved, {}, errors.ConfigurationException)

    def test_to_nothing_is_told(self, moved: MotoFunction) -> None:
        assert NAME in refused(moved, {}, errors.ConnectionNotFoundException)

    def test_must_be_a_name(self, moved: MotoFunction) -> None:
        moved.store('{"connection": "canary@example.com"}')
        assert "`connection` must be" in refused(moved, {}, errors.SecretMalformedException)


class TestASecretThatNeverHeldAPair:
    @pytest.fixture
    def unused(self, fleet: MotoFleet, deployment: MotoFunction) -> MotoFunction:
        assert fleet.handler
        return deployment

    def test_is_no_fault_beside_a_fleet(self, unused: MotoFunction, printed: Lines) -> None:
        assert unused.invoke(TICK) == {"outcome": "idle", "versionId": None, "expiresAt": None}
        (line,) = printed()
        assert {name: line[name] for name in ("Ticked", "NeedsSignIn", "PairNotStored", "Failing")} == {
            "Ticked": [1.0],
            **{name: [0.0] for name in ("NeedsSignIn", "PairNotStored", "Failing")},
        }

    @pytest.mark.parametrize("event", [{}, FORCE])
    def test_says_whom_to_ask(self, unused: MotoFunction, event: Event) -> None:
        assert "ConnectionsFunctionArn" in refused(unused, event, errors.SecretNotSeededException)

    @pytest.mark.parametrize("alone", [True, False], ids=["no fleet", "emptied"])
    def test_is_one_otherwise(self, unused: MotoFunction, monkeypatch: pytest.MonkeyPatch, *, alone: bool) -> None:
        if alone:
            monkeypatch.delenv("CONNECTIONS_TABLE")
            forget_clients()
        else:
            unused.store("{}")
        assert "ConnectionsFunctionArn" not in refused(unused, TICK, errors.SecretNotSeededException)
