"""What a task needs of a source, whatever its engine: the seam between DMS's own conduct and a database's ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

from local.dms.address import SourceAddress
from local.dms.changes import ChangeWriter
from local.dms.plan import TaskPlan
from local.dms.rows import DecodedRows, Lookup
from local.dms.segments import Ranges
from local.dms.shapes import SourceTable, TableShape
from local.dms.state import Position

TakeRows = Callable[[list[pa.Array]], None]
"""Takes some rows of a table: for each column its values as ``local.dms.values.convert`` wants them."""


class TableReader(Protocol):
    """A session in which tables are loaded."""

    def rows(self, table: SourceTable, ranges: Ranges | None, part: int | None, take: TakeRows) -> None:
        """Hand over a table's rows, or those of a part of it (counted from 1)."""
        ...


class Changes(Protocol):
    """An open change stream."""

    def read(self, writer: ChangeWriter) -> bool:
        """Feed what has come, a portion at most; whether that was all."""
        ...

    def confirm(self, position: Position) -> None:
        """Everything up to here is in files and the checkpoint."""
        ...

    def keep_alive(self) -> None:
        """Tell the source that we are here, while something else takes long."""
        ...

    def waits_on(self) -> Any:
        """What becomes readable when there is more: a socket, or what has one's file number."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Source(Protocol):
    """A source in one life of a task."""

    def tables(self) -> list[tuple[str, str]]:
        """All tables a task could take, by schema and name."""
        ...

    def read(self, schema: str, table: str) -> SourceTable | None:
        """A table's definition as of now, None if it is not there. Raises TableSuspended for one that DMS refuses."""
        ...

    def begin(self, tables: Sequence[SourceTable]) -> int:
        """Make ready for changes; the log position from which on they are wanted. Raises TaskFailed."""
        ...

    def admit(self, tables: Iterable[SourceTable]) -> None:
        """Let a resumed task have the changes of more tables."""
        ...

    def loading(self, *, first: bool) -> AbstractContextManager[TableReader]:
        """A session to load in; in the ``first`` load as of the position that ``begin`` gave, where that is wanted."""
        ...

    def changes(self, start: Position) -> Changes:
        """Open the change stream. Raises TaskFailed when the log does not reach back so far."""
        ...

    def decode(self, messages: Sequence[Any], shape: TableShape) -> DecodedRows:
        """Messages of one table as the stream handed them to the writer."""
        ...

    @property
    def lookup(self) -> Lookup | None:
        """Reads large values that a change does not carry, where that is wanted."""
        ...

    def spell(self, lsn: int) -> str:
        """A log position as the engine spells it."""
        ...

    def close(self) -> None:
        """End its session."""
        ...


class SourceKind(Protocol):
    """An engine as a source: a module with these names."""

    @property
    def ERRORS(self) -> tuple[type[Exception], ...]:
        """What its driver raises."""
        ...

    @property
    def LOST(self) -> tuple[type[Exception], ...]:
        """Those of them after which a task may be resumed."""
        ...

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse an endpoint that DMS would; ``given`` is the endpoint with its engine's settings. Raises DmsFault."""
        ...

    def try_connection(self, address: SourceAddress) -> None:
        """Connect and hang up. Raises what its driver raises."""
        ...

    def open(self, plan: TaskPlan, address: SourceAddress) -> Source:
        """The source for a task. Raises what its driver raises."""
        ...

    def clean(self, address: SourceAddress, slot: str, named: str | None) -> None:
        """Remove what a deleted task left in the source, but not a slot that its endpoint named.

        Raises what its driver raises.
        """
        ...
