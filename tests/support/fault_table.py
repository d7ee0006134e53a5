"""The fault matrix as two tables: what each fault leads to, and what that means for each caller in each window."""

from dataclasses import dataclass
from typing import Any, Final

from local.standin import HTML, MALFORMED
from local.standin.control import FaultOptions

OUTCOMES: Final = """
then     | who      | fresh  | advisory | mandatory | expired | unknown
works    | tick     | fresh  | new      | new       | new     | new
works    | consumer | fresh  | due      | new       | new     | new
works    | report   | new    | new      | new       | new     | new
works    | force    | new    | new      | new       | new     | new
passing  | tick     | fresh  | degraded | raises    | raises  | raises
passing  | consumer | fresh  | due      | degraded  | raises  | raises
passing  | report   | raises | raises   | raises    | raises  | raises
passing  | force    | raises | raises   | raises    | raises  | raises
lasting  | tick     | fresh  | raises   | raises    | raises  | raises
lasting  | consumer | fresh  | due      | degraded  | raises  | raises
lasting  | report   | raises | raises   | raises    | raises  | raises
lasting  | force    | raises | raises   | raises    | raises  | raises
unstored | tick     | fresh  | raises   | raises    | raises  | raises
unstored | consumer | fresh  | due      | raises    | raises  | raises
unstored | report   | raises | raises   | raises    | raises  | raises
unstored | force    | raises | raises   | raises    | raises  | raises
unread   | tick     | raises | raises   | raises    | raises  | raises
unread   | consumer | raises | raises   | raises    | raises  | raises
unread   | report   | raises | raises   | raises    | raises  | raises
unread   | force    | raises | raises   | raises    | raises  | raises
cooling  | tick     | fresh  | new      | new       | new     | new
cooling  | consumer | fresh  | due      | degraded  | raises  | raises
cooling  | report   | raises | raises   | raises    | raises  | raises
cooling  | force    | new    | new      | new       | new     | new
healing  | tick     | new    | new      | new       | new     | new
healing  | consumer | fresh  | due      | new       | new     | new
healing  | report   | new    | new      | new       | new     | new
healing  | force    | new    | new      | new       | new     | new
"""
"""`fresh`, `due` and `degraded` answer with the stored pair, which stays; `new`: the stored pair is the issuer's live
one; the next table names the error of `raises`. Only `fresh` and `due` never call the issuer."""

FAULTS: Final = """
call                     | given            | then     | raises                           | faults
RefreshToken             |                  | works    |                                  | none, extra refresh token, refreshToken number, answer after a moment, expiresIn short, expiresIn epoch seconds, expiresIn epoch milliseconds, expiresIn ten years, no expiresIn, expiresIn zero, expiresIn negative, expiresIn past seconds, expiresIn past milliseconds, expiresIn boolean, expiresIn fraction, expiresIn text, expiresIn null, expiresIn list
RefreshToken             |                  | passing  | IssuerUnavailableException       | 503, 400 ThrottlingException, 403 ThrottlingException, 408, 429, 500, 502, 504, 503 HTML, 500 after it acted, connection dropped, connection dropped after it acted, no answer in time, 400 HTML, 401, 403
RefreshToken             |                  | lasting  | ReauthorizationRequiredException | 400 InvalidParameterException
RefreshToken             |                  | lasting  | ConfigurationException           | 403 AccessDeniedException, 403 InvalidSignatureException, 400 ExpiredTokenException
RefreshToken             |                  | lasting  | IssuerProtocolException          | malformed, HTML, empty body, 404, 301, no accessToken, accessToken number, accessToken empty
RefreshToken             | a failure stands | cooling  | IssuerUnavailableException       | none
RefreshToken             | an answer lost   | healing  |                                  | none
GetSecretValue           |                  | works    |                                  | answer lost
GetSecretValue           |                  | unread   | SecretNotSeededException         | ResourceNotFoundException
GetSecretValue           |                  | unread   | SecretUnavailableException       | InternalServiceError, InvalidParameterException, InvalidRequestException, DecryptionFailure, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
GetSecretValue, again    |                  | works    |                                  | answer lost
GetSecretValue, again    |                  | lasting  | SecretNotSeededException         | ResourceNotFoundException
GetSecretValue, again    |                  | lasting  | SecretUnavailableException       | InternalServiceError, InvalidParameterException, InvalidRequestException, DecryptionFailure, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
DescribeSecret           | no value         | unread   | SecretNotSeededException         | answer lost
DescribeSecret           | no value         | unread   | SecretUnavailableException       | ResourceNotFoundException, InternalServiceError, InvalidParameterException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
PutItem                  |                  | passing  | RefreshInProgressException       | ConditionalCheckFailedException, answer lost
PutItem                  |                  | lasting  | ConfigurationException           | ResourceNotFoundException, AccessDeniedException, UnrecognizedClientException
PutItem                  |                  | passing  | IssuerUnavailableException       | InternalServerError, ProvisionedThroughputExceededException, ItemCollectionSizeLimitExceededException, TransactionConflictException, RequestLimitExceeded, ReplicatedWriteConflictException, ThrottlingException, ExpiredTokenException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
DeleteItem               | a failure stands | works    |                                  | answer lost
DeleteItem               | a failure stands | passing  | RefreshInProgressException       | ConditionalCheckFailedException
DeleteItem               | a failure stands | lasting  | ConfigurationException           | ResourceNotFoundException, AccessDeniedException, UnrecognizedClientException
DeleteItem               | a failure stands | passing  | IssuerUnavailableException       | InternalServerError, ProvisionedThroughputExceededException, ItemCollectionSizeLimitExceededException, TransactionConflictException, RequestLimitExceeded, ReplicatedWriteConflictException, ThrottlingException, ExpiredTokenException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
GetItem                  |                  | works    |                                  | ResourceNotFoundException, InternalServerError, ProvisionedThroughputExceededException, RequestLimitExceeded, ThrottlingException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, answer lost, no answer in time
PutSecretValue           |                  | works    |                                  | answer lost
PutSecretValue           |                  | unstored | TokenNotStoredException          | InternalServiceError, InvalidParameterException, InvalidRequestException, LimitExceededException, EncryptionFailure, ResourceExistsException, ResourceNotFoundException, DecryptionFailure, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
UpdateSecretVersionStage |                  | works    |                                  | answer lost
UpdateSecretVersionStage |                  | unstored | TokenNotStoredException          | InternalServiceError, InvalidParameterException, InvalidRequestException, LimitExceededException, ResourceNotFoundException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
UpdateItem               |                  | works    |                                  | ConditionalCheckFailedException, ResourceNotFoundException, InternalServerError, ProvisionedThroughputExceededException, ItemCollectionSizeLimitExceededException, TransactionConflictException, RequestLimitExceeded, ReplicatedWriteConflictException, ThrottlingException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, answer lost, no answer in time
UpdateItem               | issuer 503       | passing  | IssuerUnavailableException       | ConditionalCheckFailedException, ResourceNotFoundException, InternalServerError, AccessDeniedException, connection dropped, answer lost, no answer in time
UpdateItem               | no write         | unstored | TokenNotStoredException          | ConditionalCheckFailedException, ResourceNotFoundException, InternalServerError, AccessDeniedException, connection dropped, answer lost, no answer in time
FigmaRefresh             |                  | works    |                                  | none, extra refresh token, answer after a moment, expires_in ten years, no token_type, expires_in zero, expires_in negative, expires_in text, no expires_in
FigmaRefresh             |                  | passing  | IssuerUnavailableException       | 503, 429 with a time, 408, 500 after it acted, 502 HTML, connection dropped, connection dropped after it acted, no answer in time, 400 HTML
FigmaRefresh             |                  | lasting  | ReauthorizationRequiredException | 400, 401, 403, 400 invalid_grant
FigmaRefresh             |                  | lasting  | ConfigurationException           | 401 client, 401 invalid_client, 400 client_id
FigmaRefresh             |                  | lasting  | IssuerProtocolException          | malformed, HTML, empty body, 10 MB, 404, 302, no access_token
AppToken                 |                  | works    |                                  | none, no expires_in, expires_in zero
AppToken                 |                  | passing  | IssuerUnavailableException       | 503, 429 with a time, connection dropped, connection dropped after it acted
AppToken                 |                  | lasting  | ConfigurationException           | 400 invalid_grant, 401 invalid_client
AppToken                 |                  | lasting  | IssuerProtocolException          | malformed, empty body, no access_token
AppToken                 | a failure stands | cooling  | IssuerUnavailableException       | none
AppToken                 | an answer lost   | healing  |                                  | none
PutSecretValue, app's    |                  | works    |                                  | answer lost
PutSecretValue, app's    |                  | unstored | TokenNotStoredException          | InternalServiceError, AccessDeniedException
UpdateSecretVersionStage, app's |           | unstored | TokenNotStoredException          | InternalServiceError
GetSecretValue, app      |                  | works    |                                  | ThrottlingException once, connection dropped twice
GetSecretValue, app      |                  | passing  | IssuerUnavailableException       | ThrottlingException three times
GetSecretValue, app      |                  | lasting  | ConfigurationException           | ResourceNotFoundException once, AccessDeniedException once, DecryptionFailure once, InvalidRequestException once
ItemRefresh              |                  | works    |                                  | none, extra refresh token, no expiresIn
ItemRefresh              |                  | passing  | IssuerUnavailableException       | 503, 500 after it acted, connection dropped
ItemRefresh              |                  | lasting  | ReauthorizationRequiredException | 400 InvalidParameterException
ItemRefresh              |                  | lasting  | ConfigurationException           | 403 AccessDeniedException
ItemRefresh              |                  | lasting  | IssuerProtocolException          | malformed, no accessToken
ItemRefresh              | a failure stands | cooling  | IssuerUnavailableException       | none
ItemRefresh              | an answer lost   | healing  |                                  | none
GetItem, item            |                  | works    |                                  | answer lost
GetItem, item            |                  | unread   | SecretUnavailableException       | ResourceNotFoundException, InternalServerError, ProvisionedThroughputExceededException, RequestLimitExceeded, ThrottlingException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
UpdateItem, claim        |                  | works    |                                  | answer lost
UpdateItem, claim        |                  | passing  | RefreshInProgressException       | ConditionalCheckFailedException
UpdateItem, claim        |                  | lasting  | ConfigurationException           | ResourceNotFoundException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException
UpdateItem, claim        |                  | passing  | IssuerUnavailableException       | InternalServerError, ProvisionedThroughputExceededException, ItemCollectionSizeLimitExceededException, TransactionConflictException, RequestLimitExceeded, ReplicatedWriteConflictException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
Decrypt                  |                  | works    |                                  | answer lost
Decrypt                  |                  | lasting  | SecretUnavailableException       | NotFoundException, DisabledException, KeyUnavailableException, InvalidKeyUsageException, DependencyTimeoutException, InvalidGrantTokenException, KMSInternalException, KMSInvalidStateException, DryRunOperationException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time, IncorrectKeyException
Decrypt                  |                  | lasting  | SecretMalformedException         | InvalidCiphertextException
Encrypt, trial           | it rotates       | works    |                                  | answer lost
Encrypt, trial           | it rotates       | lasting  | SecretUnavailableException       | NotFoundException, DisabledException, KeyUnavailableException, InvalidKeyUsageException, DependencyTimeoutException, InvalidGrantTokenException, KMSInternalException, KMSInvalidStateException, DryRunOperationException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
Encrypt, new token       | it rotates       | unstored | TokenNotStoredException          | NotFoundException, DisabledException, KeyUnavailableException, InvalidKeyUsageException, DependencyTimeoutException, InvalidGrantTokenException, KMSInternalException, KMSInvalidStateException, DryRunOperationException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ThrottlingException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, answer lost, no answer in time
UpdateItem, store        |                  | works    |                                  | answer lost, ConditionalCheckFailedException
UpdateItem, store        |                  | unstored | TokenNotStoredException          | ResourceNotFoundException, InternalServerError, ProvisionedThroughputExceededException, ItemCollectionSizeLimitExceededException, TransactionConflictException, RequestLimitExceeded, ReplicatedWriteConflictException, ThrottlingException, AccessDeniedException, UnrecognizedClientException, ExpiredTokenException, ServiceUnavailable, InternalFailure, 502 HTML, connection dropped, no answer in time
UpdateItem, close        | issuer 503       | passing  | IssuerUnavailableException       | ResourceNotFoundException, InternalServerError, AccessDeniedException, connection dropped, answer lost, no answer in time
"""  # noqa: E501 - one row, one line
"""Figma is the issuer in the rows `FigmaRefresh` and `GetSecretValue, app` (its app's credentials), a provider that
wants nothing but the app's credentials in the rows `AppToken` and `… app's`, and Amplify elsewhere. In the rows of
`ITEM_CALLS` the pair is an item of a fleet.
`_cells_of`, below, says which caller meets each fault in which window."""

ITEM_CALLS: Final = {
    "ItemRefresh": 0,
    "GetItem, item": 1,
    "UpdateItem, claim": 1,
    "Decrypt": 1,
    "Encrypt, trial": 1,
    "Encrypt, new token": 2,
    "UpdateItem, store": 2,
    "UpdateItem, close": 2,
}
"""The calls of a refresh of an item, each with its number among the calls of its operation."""

EVERY_WINDOW: Final = (
    ("report", "fresh"),
    ("tick", "advisory"),
    ("consumer", "mandatory"),
    ("force", "expired"),
    ("consumer", "unknown"),
)
"""Every window once, and every caller."""

TELLING: Final = ("tick", "advisory")
"""Where each kind of failure has an outcome of its own."""

WHO: Final = {("DeleteItem", "a failure stands"): ("tick", "force")}
"""The only callers of some rows: these two clear the record of a failure; the others meet the cooldown."""

SLOW: Final = "no answer in time"
"""Takes a second per attempt, so every row has one cell of it."""

COMMON: Final = frozenset(
    {
        *("AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException", "ThrottlingException"),
        *("ServiceUnavailable", "InternalFailure", "502 HTML", "connection dropped", "answer lost", SLOW),
    }
)
"""What any AWS call can meet, whether the service models it or not."""

SERVICES: Final = {
    "GetSecretValue": "secretsmanager",
    "DescribeSecret": "secretsmanager",
    "PutSecretValue": "secretsmanager",
    "UpdateSecretVersionStage": "secretsmanager",
    "GetItem": "dynamodb",
    "PutItem": "dynamodb",
    "UpdateItem": "dynamodb",
    "DeleteItem": "dynamodb",
    "Decrypt": "kms",
    "Encrypt": "kms",
}
"""The AWS operations that the function may call. Any other call fails the cell that makes it."""

SERVER_ERRORS: Final = {
    "InternalServerError": 500,
    "InternalServiceError": 500,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
}

_PAST_SECONDS: Final = 1_500_000_000
_AHEAD_SECONDS: Final = 4_000_000_000

ISSUER_FAULTS: Final[dict[str, FaultOptions]] = {
    "none": {},
    "extra refresh token": {},  # the stand-in has a setting for it
    "answer after a moment": {"delay": 0.05},
    "400 InvalidParameterException": {"status": 400, "code": "InvalidParameterException"},
    "400 ThrottlingException": {"status": 400, "code": "ThrottlingException"},
    "400 ExpiredTokenException": {"status": 400, "code": "ExpiredTokenException"},
    "400 HTML": {"status": 400, "body": HTML, "content_type": "text/html"},
    "301": {"status": 301, "body": "", "headers": {"Location": "/elsewhere"}},
    "401": {"status": 401, "code": "UnauthorizedException"},
    "403": {"status": 403, "code": "ForbiddenException"},
    "403 AccessDeniedException": {"status": 403, "code": "AccessDeniedException"},
    "403 InvalidSignatureException": {"status": 403, "code": "InvalidSignatureException"},
    "403 ThrottlingException": {"status": 403, "code": "ThrottlingException"},
    "404": {"status": 404, "code": "ResourceNotFoundException"},
    "408": {"status": 408, "code": "RequestTimeout"},
    "429": {"status": 429, "code": "TooManyRequestsException"},
    "500": {"status": 500},
    "500 after it acted": {"status": 500, "after": True},
    "502": {"status": 502, "body": ""},
    "503": {"status": 503, "code": "ServiceUnavailableException"},
    "503 HTML": {"status": 503, "body": HTML, "content_type": "text/html"},
    "504": {"status": 504, "body": ""},
    "connection dropped": {"drop": True},
    "connection dropped after it acted": {"drop": True, "after": True},
    SLOW: {"delay": 30, "after": True},
    "malformed": {"body": MALFORMED},
    "HTML": {"body": HTML, "content_type": "text/html"},
    "empty body": {"body": ""},
    "no accessToken": {"omit": ("accessToken",)},
    "accessToken number": {"answer": {"accessToken": 7}},
    "accessToken empty": {"answer": {"accessToken": ""}},
    "refreshToken number": {"answer": {"refreshToken": 7}},
    "no expiresIn": {"omit": ("expiresIn",)},
    "expiresIn short": {"answer": {"expiresIn": 600}},
    "expiresIn ten years": {"answer": {"expiresIn": 315_360_000}},
    "expiresIn epoch seconds": {"answer": {"expiresIn": _AHEAD_SECONDS}},
    "expiresIn epoch milliseconds": {"answer": {"expiresIn": _AHEAD_SECONDS * 1000}},
    "expiresIn past seconds": {"answer": {"expiresIn": _PAST_SECONDS}},
    "expiresIn past milliseconds": {"answer": {"expiresIn": _PAST_SECONDS * 1000}},
    "expiresIn zero": {"answer": {"expiresIn": 0}},
    "expiresIn negative": {"answer": {"expiresIn": -1}},
    "expiresIn boolean": {"answer": {"expiresIn": True}},
    "expiresIn fraction": {"answer": {"expiresIn": 3600.5}},
    "expiresIn text": {"answer": {"expiresIn": "3600"}},
    "expiresIn null": {"answer": {"expiresIn": None}},
    "expiresIn list": {"answer": {"expiresIn": [3600]}},
}

_RFC_6749: Final = '{"error": "%s", "error_description": "No."}'
_ALIKE: Final = (
    *("none", "extra refresh token", "answer after a moment", "500 after it acted", "connection dropped"),
    *("connection dropped after it acted", SLOW, "malformed", "HTML", "empty body"),
)

FIGMA_FAULTS: Final[dict[str, FaultOptions]] = {
    **{fault: ISSUER_FAULTS[fault] for fault in _ALIKE},
    "503": {"status": 503},
    "429 with a time": {"status": 429, "headers": {"Retry-After": "60"}},
    "408": {"status": 408},
    "502 HTML": {"status": 502, "body": HTML, "content_type": "text/html"},
    "400": {"status": 400, "message": "Invalid refresh token"},
    "401": {"status": 401, "message": "Token revoked"},
    "403": {"status": 403, "message": "Forbidden"},
    "400 HTML": {"status": 400, "body": HTML},
    "400 invalid_grant": {"status": 400, "body": _RFC_6749 % "invalid_grant"},
    "401 client": {"status": 401, "message": "Invalid client credentials"},
    "401 invalid_client": {"status": 401, "body": _RFC_6749 % "invalid_client"},
    "400 client_id": {"status": 400, "message": "Parameter client_id is required"},
    "10 MB": {"body": "x" * 10_000_000},
    "404": {"status": 404},
    "302": {"status": 302, "body": "", "headers": {"Location": "http://127.0.0.1:1/"}},
    "no token_type": {"omit": ("token_type",)},
    "no access_token": {"omit": ("access_token",)},
    "no expires_in": {"omit": ("expires_in",)},
    "expires_in ten years": {"answer": {"expires_in": 315_360_000}},
    "expires_in zero": {"answer": {"expires_in": 0}},
    "expires_in negative": {"answer": {"expires_in": -1}},
    "expires_in text": {"answer": {"expires_in": "3600"}},
}


@dataclass(frozen=True, kw_only=True)
class Row:
    call: str
    given: str
    then: str
    raises: str
    faults: tuple[str, ...]

    @property
    def operation(self) -> str:
        return self.call.partition(",")[0]

    @property
    def issuer(self) -> str:
        if self.call in ITEM_CALLS:
            return "item"
        if self.call == "AppToken" or self.call.endswith(", app's"):
            return "app"
        return "figma" if self.call in ("FigmaRefresh", "GetSecretValue, app") else "amplify"

    @property
    def endpoint(self) -> str:
        """The stand-in's operation that is the issuer."""
        return "RefreshToken" if self.issuer in ("amplify", "item") else "FigmaRefresh"

    @property
    def callers(self) -> tuple[str, ...]:
        return WHO.get((self.call, self.given), CALLERS)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One fault, one window, one caller, and what comes of it."""

    row: Row
    fault: str
    window: str
    who: str
    outcome: str

    def __str__(self) -> str:
        given = f" ({self.row.given})" if self.row.given else ""
        return f"{self.row.call}{given}: {self.fault} - {self.window} - {self.who}"


def _table(text: str) -> tuple[list[str], list[list[str]]]:
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in text.strip().splitlines())
    return head, rows


def _rows() -> list[Row]:
    head, rows = _table(FAULTS)
    parsed = []
    for row in rows:
        members: dict[str, Any] = dict(zip(head, row, strict=True))
        faults = tuple(fault.strip() for fault in members.pop("faults").split(","))
        parsed.append(Row(**members, faults=faults))
    return parsed


_HEAD, _OUTCOME_ROWS = _table(OUTCOMES)
WINDOWS: Final = tuple(_HEAD[2:])
CALLERS: Final = tuple(dict.fromkeys(who for _, who, *_ in _OUTCOME_ROWS))
_BY_GROUP: Final = {
    (then, who, window): outcome
    for then, who, *outcomes in _OUTCOME_ROWS
    for window, outcome in zip(WINDOWS, outcomes, strict=True)
}
ROWS: Final = _rows()


def _cells_of(row: Row, fault: str) -> list[tuple[str, str]]:
    """Return the callers that meet a fault, each with a window.

    Every caller meets the first fault of each kind of outcome in every window. The first fault of each other row meets
    every window once. All others meet the window that shows the kind of failure.
    """
    everywhere = [(who, window) for who in CALLERS for window in WINDOWS]
    if row.call == "GetItem":
        cells = [("tick", "fresh")]  # nobody else calls it
    elif fault == SLOW:
        cells = [("consumer" if "consumer" in row.callers else "tick", "mandatory")]
    elif fault != row.faults[0]:
        cells = [TELLING]
    elif row in _FIRST_OF_KIND:
        cells = everywhere
    else:
        cells = list(EVERY_WINDOW)
    return [cell for cell in cells if cell[0] in row.callers]


_FIRST_OF_KIND: Final = list({row.then: row for row in reversed(ROWS)}.values())

CELLS: Final = [
    Cell(row=row, fault=fault, window=window, who=who, outcome=_BY_GROUP[row.then, who, window])
    for row in ROWS
    for fault in row.faults
    for who, window in _cells_of(row, fault)
]
