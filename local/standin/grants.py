"""Figma's rules for codes and tokens, as pure state: no HTTP, and the clock is an argument.

The rules (Figma's REST API documentation, "Authentication", and what the live service does):

* An app has one live access token per user. A refresh kills the previous one at once.
* The refresh token is reusable and stays the same, unless `rotate` is on. Then each refresh replaces it, and a spent
  one that comes again revokes the grant, as at providers that take it for theft (RFC 9700, 4.14.2).
* A code lives 30 seconds and works once, with the redirect address that it was issued for.

Figma does not document what a second sign-in does. We assume that it replaces the earlier grant and its refresh token.
"""

import base64
import dataclasses
import hashlib
import itertools
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

CODE_LIFETIME = 30
"""Seconds during which an authorization code can be exchanged."""

NINETY_DAYS = 7_776_000
"""The life of Figma's access tokens in seconds, as its answers state it."""

CLIENT_ID = "standin-app"
CLIENT_SECRET = "standin-app-secret"  # noqa: S105 - it protects nothing: the stand-in invents every token
USER = "designer@example.com"


Key = tuple[str, str]
"""App and user."""


class RefusedError(Exception):
    """The provider refuses. The message says why, and holds no token."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one user granted to one app, with its only live access token (`expires_at`: epoch seconds)."""

    client_id: str
    user: str
    access_token: str
    refresh_token: str
    expires_in: int
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class Code:
    """The terms of an authorization code (`expires_at`: epoch seconds; `challenge`: PKCE S256 or None)."""

    client_id: str
    user: str
    redirect_uri: str
    challenge: str | None
    expires_at: float


class Grants:
    """All grants and unused codes of the stand-in. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.expires_in = NINETY_DAYS
        self.rotate = False
        self._clock = clock
        self._lock = threading.RLock()
        self._grants: dict[Key, Grant] = {}
        self._codes: dict[str, Code] = {}
        self._owners: dict[str, Key] = {}
        self._spent: dict[Key, set[str]] = defaultdict(set)
        self._refreshes: Counter[str] = Counter()
        self._reuses: Counter[str] = Counter()

    def all(self) -> list[Grant]:
        """Return every grant, oldest first."""
        with self._lock:
            return list(self._grants.values())

    def clear(self) -> None:
        """Forget every grant and code, and restore the default settings."""
        with self._lock:
            for kept in (self._grants, self._codes, self._owners, self._spent, self._refreshes, self._reuses):
                kept.clear()
            self.expires_in, self.rotate = NINETY_DAYS, False

    def issue(self, client_id: str = CLIENT_ID, user: str = USER, expires_in: int | None = None) -> Grant:
        """Sign `user` in to the app, with a new pair that replaces the user's previous one."""
        with self._lock:
            self._spent.pop((client_id, user), None)
            return self._issue((client_id, user), f"figr_{secrets.token_urlsafe(30)}", expires_in)

    def _issue(self, key: Key, refresh_token: str, expires_in: int | None = None) -> Grant:
        lifetime = self.expires_in if expires_in is None else expires_in
        grant = Grant(
            client_id=key[0],
            user=key[1],
            access_token=f"figd_{secrets.token_urlsafe(30)}",
            refresh_token=refresh_token,
            expires_in=lifetime,
            expires_at=self._clock() + lifetime,
        )
        self._grants[key] = grant
        self._owners |= dict.fromkeys((grant.access_token, grant.refresh_token), key)
        return grant

    def refresh(self, refresh_token: str, client_id: str | None = None) -> Grant:
        """Replace the live access token of this refresh token's grant.

        Raises `RefusedError` if the token is unknown or spent, or belongs to another app than `client_id`.
        """
        with self._lock:
            key = self._owners.get(refresh_token)
            grant = self._grants.get(key) if key else None
            if grant is None or key is None or client_id not in {None, grant.client_id}:
                raise RefusedError("Invalid refresh token")
            if refresh_token in self._spent[key]:
                self._reuses[grant.user] += 1
                del self._grants[key]
            if refresh_token != grant.refresh_token:
                raise RefusedError("Invalid refresh token")
            self._refreshes[grant.user] += 1
            if not self.rotate:
                return self._issue(key, refresh_token)
            self._spent[key].add(refresh_token)
            return self._issue(key, f"figr_{secrets.token_urlsafe(30)}")

    def newcomer(self, client_id: str) -> str:
        """Return a user who has granted nothing to the app: `USER`, or one who is numbered."""
        name, _, host = USER.partition("@")
        users = itertools.chain([USER], (f"{name}-{number}@{host}" for number in itertools.count(2)))
        with self._lock:
            return next(user for user in users if (client_id, user) not in self._grants)

    def authorize(self, client_id: str, redirect_uri: str, challenge: str | None = None, user: str = USER) -> str:
        """Return a code after the user has pressed Allow."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = Code(
                client_id=client_id,
                user=user,
                redirect_uri=redirect_uri,
                challenge=challenge,
                expires_at=self._clock() + CODE_LIFETIME,
            )
        return code

    def exchange(
        self, code: str, redirect_uri: str, client_id: str | None = None, verifier: str | None = None
    ) -> Grant:
        """Turn a code into a grant. Every attempt uses the code up, even a refused one (RFC 6749, 4.1.2).

        Raises `RefusedError` if the code is unknown, used, too old, or issued for another app or address, or if
        `verifier` does not match the code's PKCE challenge (RFC 7636, 4.6).
        """
        with self._lock:
            terms = self._codes.pop(code, None)
            if terms is None or client_id not in {None, terms.client_id}:
                raise RefusedError("Invalid code")
            if self._clock() >= terms.expires_at:
                raise RefusedError("The code has expired")
            if redirect_uri != terms.redirect_uri:
                raise RefusedError("The redirect address is not the one that the code was issued for")
            if (s256(verifier) if verifier else None) != terms.challenge:
                raise RefusedError("The code verifier does not match the challenge")
            return self.issue(terms.client_id, terms.user)

    def holder(self, access_token: str) -> Grant | None:
        """Return the grant with this live access token, or None."""
        with self._lock:
            key = self._owners.get(access_token)
            grant = self._grants.get(key) if key else None
            lives = grant and grant.access_token == access_token and self._clock() < grant.expires_at
            return grant if lives else None

    def owner(self, token: str) -> str | None:
        """Return the user to whom any token belongs or belonged, or None."""
        with self._lock:
            key = self._owners.get(token)
            return key[1] if key else None

    def refreshes(self) -> Counter[str]:
        """Return how many times each user's access token was replaced, whether or not the caller learnt of it."""
        with self._lock:
            return self._refreshes.copy()

    def reuses(self) -> Counter[str]:
        """Return how many times each user's spent refresh token came again."""
        with self._lock:
            return self._reuses.copy()

    def kill(self, user: str = USER) -> None:
        """Kill the user's live access tokens. Their refresh tokens keep working."""
        with self._lock:
            for key, grant in self._grants.items():
                if grant.user == user:
                    self._grants[key] = dataclasses.replace(grant, expires_at=self._clock())

    def revoke(self, user: str = USER) -> None:
        """Revoke everything that the user granted, as on Figma's "connected apps" page."""
        with self._lock:
            self._grants = {key: grant for key, grant in self._grants.items() if grant.user != user}


def s256(verifier: str) -> str:
    """Return the PKCE challenge of a verifier, method S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
