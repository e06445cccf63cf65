"""Landing files of one batch in the DuckDB session, as the relations that catchment.changes works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import duckdb

from catchment.apply.schema import spelt_alike
from catchment.apply.unheld import FindUnheld, all_held, take_unheld
from catchment.changes.relations import ROWS, comma, quote
from catchment.changes.session import DuckSession, nothing
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

    def read_all(self, opened: Sequence[Opened], target: Mapping[str, DeltaType]) -> list[Staged]:
        """Read files, at the same time where the engine can."""
        ...

    def relate(self, files: Sequence[Staged], target: Mapping[str, DeltaType]) -> None:
        """Make ``"~rows"`` and ``"~files"`` (file, place) of the files, numbered as they stand in the sequence."""
        ...


class DuckStage:
    """Reads landing files of one table into one DuckDB session, which it empties first."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        contract: TableContract,
        landing: ObjectStore,
        scratch: Path,
        unheld: FindUnheld = all_held,
    ) -> None:
        self._con, self._contract, self._landing, self._scratch = con, contract, landing, scratch
        DuckSession(con).forget()
        self._reader, self._unheld = LandingReader(con, contract), unheld

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
        return respell([self.open(file, {}) for file in files], table)

    def read(self, opened: Opened, target: Mapping[str, DeltaType]) -> Staged:
        """Read a file's rows as the table's columns. An unreadable file is one rejected record."""
        if opened.shape is None:
            return self._unreadable(opened, [Reject(opened.file, None, None, opened.why, "")])
        read = self._reader.read(opened.file, opened.local, opened.shape, dict(target))
        if any(reject.row is None for reject in read.rejects):
            return self._unreadable(opened, read.rejects)
        rejects = [
            *read.rejects,
            *take_unheld(self._con, read, self._unheld(target, self._contract.key), self._contract.key),
        ]
        first, last = self._tokens(read.relation)
        return Staged(opened, read.relation, read.said, read.rows, rejects, _applied(opened, read, first, last))

    def read_all(self, opened: Sequence[Opened], target: Mapping[str, DeltaType]) -> list[Staged]:
        """Read files, one after the other."""
        return [self.read(each, target) for each in opened]

    def relate(self, files: Sequence[Staged], target: Mapping[str, DeltaType]) -> None:
        """Make ``"~rows"`` and ``"~files"`` (file, place) of the files, numbered as they stand in the sequence."""
        self._con.execute(f'CREATE TEMP TABLE "~files" AS {place_files(files)}')
        selects = [self._select(staged, target) for staged in files if staged.relation]
        if not selects:
            selects = [rows_of_none(self._contract, target)]
        if len(selects) <= _VIEWED_AT_MOST:  # a copy less where there are few
            self._con.execute(f"CREATE TEMP VIEW {ROWS} AS {' UNION ALL '.join(selects)}")
            return
        self._con.execute(f"CREATE TEMP TABLE {ROWS} AS {selects[0]}")
        for select in selects[1:]:
            self._con.execute(f"INSERT INTO {ROWS} {select}")

    def _select(self, staged: Staged, target: Mapping[str, DeltaType]) -> str:
        return f'SELECT {staged.number} AS "~file", {columns_of_rows(self._contract, target)} FROM {staged.relation}'

    def _tokens(self, relation: str) -> tuple[str | None, str | None]:
        row = self._con.execute(f'SELECT min("~seq"), max("~seq") FROM {relation}').fetchone()
        assert row is not None
        return row[0], row[1]

    def _unreadable(self, opened: Opened, rejects: list[Reject]) -> Staged:
        found = opened.file.object
        applied = AppliedFile(found.path, opened.etag, found.size, found.modified_ns, rows=1, unreadable=True)
        return Staged(opened, "", frozenset(), 1, rejects, applied)


def respell(opened: Sequence[Opened], table: Mapping[str, DeltaType]) -> list[Opened]:
    """New files with their columns spelt as the table or the first of them that has such a column spells them."""
    found, spelling = [], dict(table)
    for each in opened:
        if each.shape is not None:
            found.append(replace(each, shape=spelt_alike(each.shape, spelling)))
        else:
            found.append(each)
        known = {name.casefold() for name in spelling}
        columns = each.shape.columns if each.shape else {}
        spelling |= {name: kind for name, kind in columns.items() if name.casefold() not in known}
    return found


def place_files(files: Sequence[Staged]) -> str:
    """SELECT (file, place) of the files, which are numbered here as they stand in the sequence."""
    for number, staged in enumerate(files):
        staged.number = number
    ordered = sorted(files, key=lambda staged: staged.opened.file.position)
    if not ordered:
        return nothing({"file": "INTEGER", "place": "INTEGER"})
    places = comma(f"({staged.number}, {place})" for place, staged in enumerate(ordered))
    return f"SELECT file, place FROM (VALUES {places}) AS f(file, place)"


def columns_of_rows(contract: TableContract, target: Mapping[str, DeltaType]) -> str:
    """The columns of ``"~rows"`` that a file's relation has."""
    olds = [f"~old_{i}" for i in range(len(contract.key))]
    return comma(quote(name) for name in ("~op", "~seq", "~row", *target, *olds))


def rows_of_none(contract: TableContract, target: Mapping[str, DeltaType]) -> str:
    """SELECT no row of ``"~rows"``."""
    kinds = {"~file": "INTEGER", "~op": "VARCHAR", "~seq": "VARCHAR", "~row": "BIGINT"}
    kinds |= {name: kind.duckdb for name, kind in target.items()}
    kinds |= {f"~old_{i}": target[name].duckdb for i, name in enumerate(contract.key) if name in target}
    return nothing(kinds)


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
