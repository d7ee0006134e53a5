"""EventBridge's PutEvents on a real socket: it records what it takes."""

import json
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.support.http_server import App

BUS = "operators"


@dataclass
class EventBus(App):
    """The bus `operators` of another account's choice. ``fault`` answers instead, if it is set."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    """The number of entries of each call."""
    fault: Response | None = None
    refuses: int = 0
    """How many entries of each call it does not take."""
    url: str = ""

    def respond(self, request: Request) -> Response:
        assert request.headers["X-Amz-Target"] == "AWSEvents.PutEvents"
        given = json.loads(request.get_data())["Entries"]
        self.calls.append(len(given))
        if self.fault:
            return self.fault
        self.entries += given[self.refuses :]
        results = [{"ErrorCode": "InternalFailure"}] * self.refuses + [{"EventId": "1"}] * (len(given) - self.refuses)
        return Response(json.dumps({"FailedEntryCount": self.refuses, "Entries": results}))

    def take(self) -> list[dict[str, Any]]:
        """Return the details of the events since the last call, each event's form checked."""
        taken, self.entries = self.entries, []
        for entry in taken:
            assert (entry["Source"], entry["DetailType"]) == ("refresh-token", "Connection State Change")
            assert entry["EventBusName"] == BUS
            assert "canary" not in json.dumps(entry)
        return [json.loads(entry["Detail"]) for entry in taken]
