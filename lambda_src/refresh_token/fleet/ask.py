"""A consumer asks for the token of a connection, or reports a dead one; an operator forces a refresh. Pure.

The store refuses a connection whose state allows no refresh, whatever is asked, so nobody calls the provider then. All
others are served as the connection of a single secret is (`core.refresher`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from refresh_token.core.connections import Connection
from refresh_token.core.refresher import Refresher
from refresh_token.core.results import LiveToken
from refresh_token.errors import InvalidParameterException, RefreshTokenError
from refresh_token.events import Force, ReportFailure
from refresh_token.fleet.providers import Provider, provider_named
from refresh_token.fleet.questions import Question
from refresh_token.fleet.wording import about


class Found(NamedTuple):
    """A connection, and the name of its provider."""

    connection: Connection
    provider: str


class Find(Protocol):
    """Reads the item of a connection."""

    def __call__(self, name: str, *, force: bool) -> Found:
        """Return the connection, and the name of its provider.

        ``force``: an operator asks, so the refresh of a connection that is stuck or refused is tried.

        Raises:
            ConnectionNotFoundException: there is no such connection.
            ConfigurationException: the fleet does not know its provider, or its settings are wrong.
            SecretUnavailableException: the table cannot be read.

        """
        ...


class Answered(NamedTuple):
    """A live token of a connection, and the name of its provider."""

    provider: str
    token: LiveToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Answers questions about connections. ``refresher_for`` returns the use cases of one."""

    find: Find
    refresher_for: Callable[[Connection], Refresher]
    providers: Mapping[str, Provider]

    def answer(self, question: Question) -> Answered:
        """Return the live token that a question asks for.

        Raises:
            RefreshTokenError: the request failed; the message names the connection.

        """
        try:
            return self._answer(question)
        except RefreshTokenError as error:
            failed = about(error, question.connection)
        raise failed

    def _answer(self, question: Question) -> Answered:
        force = isinstance(question.request, Force)
        connection, provider = self.find(question.connection, force=force)
        meant = provider_named(question.provider, self.providers) if question.provider else None
        if question.provider is not None and (meant is None or meant.name != provider):
            raise InvalidParameterException(f"`provider` must be `{provider}`, the provider of this connection.")
        return Answered(provider, self._token(question, self.refresher_for(connection)))

    def _token(self, question: Question, refresher: Refresher) -> LiveToken:
        match question.request:
            case ReportFailure(version_id):
                return refresher.report_failure(version_id)
            case Force():
                return refresher.force()
            case _:
                return refresher.live_token()
