"""What AWS allows, and what one refresh takes of it. Defaults of an account that has asked for nothing."""

from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Limits of one account in one region, as of November 2026."""

    lambda_concurrency: int = 1_000
    """Concurrent executions in a region (Lambda quotas)."""
    mapping_start: int = 5
    """Batches that an SQS event source mapping begins with (Lambda Developer Guide, "Configuring scaling behavior")."""
    mapping_growth: float = 300 / MINUTE
    """Batches that it adds in a second while messages wait (as above)."""
    table_start: int = 4_000
    """Write units a second of a new on-demand table (DynamoDB Developer Guide, "On-demand capacity mode")."""
    table_growth: float = 2.0
    """An on-demand table takes at once this many times its peak of more than 30 minutes ago (as above)."""
    table_limit: int = 40_000
    """Write units a second of a table (DynamoDB quotas)."""
    partition_writes: int = 1_000
    """Write units a second of one key of an index (DynamoDB Developer Guide, "Partitions and data distribution")."""
    partition_reads: int = 3_000
    """Read units a second of one key of an index (as above)."""
    kms_requests: int = 10_000
    """Cryptographic operations a second with symmetric keys, where a region allows least (KMS quotas)."""
    in_flight: int = 120_000
    """Messages of a queue that are being worked on (SQS quotas)."""


@dataclass(frozen=True, kw_only=True)
class Demands:
    """What one refresh takes: assumptions, in units of the quotas and in seconds."""

    item_kilobytes: int = 2
    """An item with two tokens of 700 bytes, one of them sealed. Each write of it takes as many units."""
    table_writes: int = 3
    """Lease, claim and new pair."""
    index_writes: int = 4
    """Lease and new pair each move the entry of the index `due`: one deleted, one written."""
    kms_requests: int = 3
    """`Decrypt`, and `Encrypt` twice if the provider replaces the refresh token."""
    own_seconds: float = 0.15
    """Of a worker: three calls of DynamoDB, three of KMS, and the work between them with half a processor."""

    @property
    def write_units(self) -> int:
        """Write units of a refresh in table and index."""
        return self.table_writes * self.item_kilobytes + self.index_writes
