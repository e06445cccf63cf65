"""Landing files of one batch in the DuckDB session, as the relations that catchment.changes works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from catchment.apply.schema import spelt_alike
from catchment.changes.relations import ROWS, comma, quote
from catchment.changes.session import DuckSession
from catchment.errors import UnreadableFile
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.landing.reader import FileRead, LandingReader
from catchment.landing.rejects import Reject
from catchment.landing.shape import FileShape
from catchment.landing.types import DeltaType
from catchment.sinks.ledger import AppliedFile
from catchment.storage import ObjectStore

_VIEWED_AT_MOST = 8


@dataclass(frozen=True)
class Opened:
    """A landing file fetched and looked at. ``shape`` is None where it cannot be read; ``why`` says so."""

    file: LandingFile
    etag: str
    local: Path
    shape: FileShape | None
    why: str = ""


@dataclass
class Staged:
    """A landing file read into ``relation``; ``number`` is its place among the files of the batch.

    ``outdated`` counts rows older than the table's load, which are not in the relation.
    """

    opened: Opened
    relation: str
    said: frozenset[str]
    rows: int
    rejects: list[Reject]
    applied: AppliedFile
    number: int = 0
    outdated: int = 0


class Stage(Protocol):
    """Landing files of one table on their way into the session, for one batch.

    An engine's stage is made anew for each batch; the session is empty then.
    """

    def open(self, file: LandingFile, spelling: Mapping[str, DeltaType]) -> Opened:
        """Fetch a file and see which columns it has, spelt as in ``spelling`` where case alone differs."""
        ...

    def open_all(self, files: Sequence[LandingFile], table: Mapping[str, DeltaType]) -> list[Opened]:
        """Open new files; what one of them calls a new column is how those after it have to spell it."""
        ...

    def read(self, opened: Opened, target: Mapping[str, DeltaType]) -> Staged:
        """Read a file's rows as the table's columns. An unreadable file is one rejected record."""
        ...

    def relate(self, files: Sequence[Staged], target: Mapping[str, DeltaType]) -> None:
        """Make ``"~rows"`` and ``"~files"`` (file, place) of the files, numbered as they stand in the sequence."""
        ...


class DuckStage:
    """Reads landing files of one table into one DuckDB session, which it empties first."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, contract: TableContract, landing: ObjectStore, scratch: Path
    ) -> None:
        self._con, self._contract, self._landing, self._scratch = con, contract, landing, scratch
        DuckSession(con).forget()
        self._reader = LandingReader(con, contract)

    def open(self, file: LandingFile, spelling: Mapping[str, DeltaType]) -> Opened:
        """Fetch a file and see which columns it has, spelt as in ``spelling`` where case alone differs."""
        local = self._landing.fetch(file.path, self._scratch)
        etag = self._landing.etag(file.object)
        try:
            return Opened(file, etag, local, spelt_alike(self._reader.inspect(file, local), spelling))
        except UnreadableFile as error:
            return Opened(file, etag, local, None, error.why)

    def open_all(self, files: Sequence[LandingFile], table: Mapping[str, DeltaType]) -> list[Opened]:
        """Open new files; what one of them calls a new column is how those after it have to spell it."""
        opened, spelling = [], dict(table)
        for file in files:
            opened.append(self.open(file, spelling))
            known = {name.casefold() for name in spelling}
            found = opened[-1].shape.columns if opened[-1].shape else {}
            spelling |= {name: kind for name, kind in found.items() if name.casefold() not in known}
        return opened

    def read(self, opened: Opened, target: Mapping[str, DeltaType]) -> Staged:
        """Read a file's rows as the table's columns. An unreadable file is one rejected record."""
        if opened.shape is None:
            return self._unreadable(opened, [Reject(opened.file, None, None, opened.why, "")])
        read = self._reader.read(opened.file, opened.local, opened.shape, dict(target))
        if any(reject.row is None for reject in read.rejects):
            return self._unreadable(opened, read.rejects)
        first, last = self._tokens(read.relation)
        return Staged(opened, read.relation, read.said, read.rows, read.rejects, _applied(opened, read, first, last))

    def relate(self, files: Sequence[Staged], target: Mapping[str, DeltaType]) -> None:
        """Make ``"~rows"`` and ``"~files"`` (file, place) of the files, numbered as they stand in the sequence."""
        for number, staged in enumerate(files):
            staged.number = number
        self._con.execute('CREATE TEMP TABLE "~files" (file INTEGER, place INTEGER)')
        ordered = sorted(files, key=lambda staged: staged.opened.file.position)
        if ordered:
            places = comma(f"({staged.number}, {place})" for place, staged in enumerate(ordered))
            self._con.execute(f'INSERT INTO "~files" VALUES {places}')
        selects = [self._select(staged, target) for staged in files if staged.relation]
        if not selects:
            selects = [self._nothing(target)]
        if len(selects) <= _VIEWED_AT_MOST:  # a copy less where there are few
            self._con.execute(f"CREATE TEMP VIEW {ROWS} AS {' UNION ALL '.join(selects)}")
            return
        self._con.execute(f"CREATE TEMP TABLE {ROWS} AS {selects[0]}")
        for select in selects[1:]:
            self._con.execute(f"INSERT INTO {ROWS} {select}")

    def _select(self, staged: Staged, target: Mapping[str, DeltaType]) -> str:
        return f'SELECT {staged.number} AS "~file", {self._columns(target)} FROM {staged.relation}'

    def _columns(self, target: Mapping[str, DeltaType]) -> str:
        olds = [f"~old_{i}" for i in range(len(self._contract.key))]
        return comma(quote(name) for name in ("~op", "~seq", "~row", *target, *olds))

    def _nothing(self, target: Mapping[str, DeltaType]) -> str:
        key = self._contract.key
        kinds = {"~file": "INTEGER", "~op": "VARCHAR", "~seq": "VARCHAR", "~row": "BIGINT"}
        kinds |= {name: kind.duckdb for name, kind in target.items()}
        kinds |= {f"~old_{i}": target[name].duckdb for i, name in enumerate(key) if name in target}
        return f"SELECT {comma(f'CAST(NULL AS {kind}) AS {quote(name)}' for name, kind in kinds.items())} WHERE FALSE"

    def _tokens(self, relation: str) -> tuple[str | None, str | None]:
        row = self._con.execute(f'SELECT min("~seq"), max("~seq") FROM {relation}').fetchone()
        assert row is not None
        return row[0], row[1]

    def _unreadable(self, opened: Opened, rejects: list[Reject]) -> Staged:
        found = opened.file.object
        applied = AppliedFile(found.path, opened.etag, found.size, found.modified_ns, rows=1, unreadable=True)
        return Staged(opened, "", frozenset(), 1, rejects, applied)


def lacking(files: Sequence[Staged], target: Mapping[str, DeltaType]) -> dict[str, list[int]]:
    """Per column of the table the change files that do not speak of it, where there are any."""
    changes = [staged for staged in files if staged.opened.file.kind is Kind.CHANGES and staged.relation]
    found = {name: [staged.number for staged in changes if name not in staged.said] for name in target}
    return {name: numbers for name, numbers in found.items() if numbers}


def _applied(opened: Opened, read: FileRead, first: str | None, last: str | None) -> AppliedFile:
    found = opened.file.object
    return AppliedFile(
        found.path,
        opened.etag,
        found.size,
        found.modified_ns,
        read.rows,
        first,
        last,
        read.first_commit.isoformat() if read.first_commit else None,
        read.last_commit.isoformat() if read.last_commit else None,
    )
