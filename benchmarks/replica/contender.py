"""What a database's own ways of loading and changing a table are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Contender(Protocol):
    """A server on this machine, with a database that is made anew; its table ``orders`` is loaded and changed."""

    name: str
    bulk_load: str
    """How its bulk load is called."""
    bulk_change: str
    upsert: str

    def url(self) -> str:
        """Of its database, for Catchment."""
        ...

    def empty(self) -> None:
        """Make the database anew."""
        ...

    def create(self, *, key: bool) -> None:
        """Make the table, with its primary key or without."""
        ...

    def load(self, rows: Path) -> None:
        """The server's bulk load of a CSV file, and then the primary key."""
        ...

    def change(self, written: Path, gone: Sequence[int]) -> None:
        """What the server needs at least: net changes in bulk, one DELETE and one upsert."""
        ...

    def write(self, rows: Sequence[tuple[Any, ...]], rows_a_statement: int) -> None:
        """Upserts of so many rows a statement; of one row each is a transaction."""
        ...

    def delete(self, keys: Sequence[int], keys_a_statement: int) -> None:
        """Deletes likewise."""
        ...

    def stop(self) -> None:
        """End the server."""
        ...
