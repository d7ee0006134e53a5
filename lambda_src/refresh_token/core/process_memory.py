"""What one process knows about refreshes that it could not store. It outlives the invocation, not the process."""

from refresh_token.core.ports import StoredPair


class ProcessMemory:
    """Remembers dead versions, and successors that are still to be written.

    A version is dead if its access token was replaced by one that this process could not make current: it looks alive
    but is not. A successor is kept if it holds a new refresh token, which may be the only one that still works.
    """

    def __init__(self) -> None:
        self._dead: set[str] = set()
        self._successors: dict[str, StoredPair] = {}

    def is_dead(self, version_id: str) -> bool:
        """Tell whether the access token of a version is known to be dead."""
        return version_id in self._dead

    def mark_dead(self, version_id: str) -> None:
        """Remember that the access token of a version is dead."""
        self._dead.add(version_id)

    def successor_of(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that is still to be written, None if there is none."""
        return self._successors.get(version_id)

    def keep_successor(self, version_id: str, successor: StoredPair) -> None:
        """Remember the successor of a version that could not be written."""
        self._successors[version_id] = successor

    def forget_successor(self, version_id: str) -> None:
        """Forget the successor of a version: it was written, or another version is current."""
        self._successors.pop(version_id, None)
