"""Stands in for what no emulator offers: Amplify UI Builder's token operations, Figma, and an OAuth 2 provider."""

from local.standin.calls import Call, digest
from local.standin.control import StandinControl
from local.standin.counts import Counts
from local.standin.faults import HTML, MALFORMED, Fault
from local.standin.grants import CLIENT_ID, CLIENT_SECRET, CODE_LIFETIME, NINETY_DAYS, USER, Grant
from local.standin.server import Standin

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CODE_LIFETIME",
    "HTML",
    "MALFORMED",
    "NINETY_DAYS",
    "USER",
    "Call",
    "Counts",
    "Fault",
    "Grant",
    "Standin",
    "StandinControl",
    "digest",
]
