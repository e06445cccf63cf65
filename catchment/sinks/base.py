"""The sink protocol: what the applier asks of a table, whatever engine keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from catchment.landing.types import DeltaType
from catchment.sinks.ledger import FORMAT, AppliedFile, Generation, Ledger


class LostRace(Exception):
    """Another commit came first: the state this one was computed from is no longer the table's."""


@dataclass(frozen=True)
class TableState:
    """A table as it stands: ``version`` None and no columns where it does not exist yet.

    ``columns`` are the source's, in order, without the lake's own.
    """

    version: int | None
    columns: Mapping[str, DeltaType]
    ledger: Ledger
    rows: int
    size: int = 0
    """Bytes of its data files."""
    files: int = 0
    partition_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """What one commit does. The rows are in the session's relations (catchment.changes.relations):

    ``"~upserts"`` less ``"~unchanged"`` are written, the table's rows of effective ``"~verdicts"`` removed first.
    ``account`` is what the commit's metadata says besides the files. ``overwrite``: the upserts are the whole table.
    """

    columns: Mapping[str, DeltaType]
    files: Sequence[AppliedFile]
    watermark: int
    account: Mapping[str, Any]
    generation: Generation = field(default_factory=Generation)
    overwrite: bool = False

    def record(self) -> dict[str, Any]:
        """What the commit says besides the rows, in plain values: the ledger is made of it."""
        return {
            "format": FORMAT,
            "watermark": self.watermark,
            "generation": self.generation.to_json(),
            "account": dict(self.account),
            "files": [vars(file) for file in self.files],
        }


@dataclass(frozen=True)
class Committed:
    """The commit's version and the number of rows the table now has."""

    version: int
    rows: int


class Sink(Protocol):
    """A table that applies net changes and advances its watermark in one atomic step.

    It reads and makes relations of the session it was made for.
    """

    def open(self) -> TableState:
        """Read the table anew. Raises ForeignWriter, LedgerLost."""
        ...

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``: where the table has the keys of ``"~winners"``."""
        ...

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"`` (token): those of the relation ``tokens`` that some row of the table carries."""
        ...

    def existing(self, wanted: str, columns: Mapping[str, DeltaType]) -> None:
        """Make ``"~existing"``: ord, columns and token of the hits whose ``ord`` the query ``wanted`` selects."""
        ...

    def keys(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~keys"`` (k0 …): the keys of all rows of the table."""
        ...

    def rename(self, names: Mapping[str, str], before_commit: Callable[[], None]) -> None:
        """Give columns new names (``names`` leads from old to new), in one step. Raises LostRace, nothing changed."""
        ...

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Apply the batch and record its files, in one step. Raises LostRace, with nothing changed."""
        ...

    def save_ledger(self) -> None:
        """Keep a digest of the ledger beside the table where one is due, so that opening it stays cheap."""
        ...
