"""Landing files into DuckDB tables: every record is either delivered exactly or rejected with its number and reason."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb

from catchment.errors import UnreadableFile
from catchment.landing import parquet
from catchment.landing.casts import MACROS
from catchment.landing.contract import TableContract
from catchment.landing.csv_file import CsvFiles
from catchment.landing.delivery import Check, delivery, empty
from catchment.landing.names import Kind, LandingFile
from catchment.landing.rejects import Reject, csv_records, parquet_records
from catchment.landing.shape import FileShape, by_name
from catchment.landing.types import DeltaType


@dataclass(frozen=True)
class FileRead:
    """What became of a file's records.

    ``relation`` is a DuckDB temp table of the good rows: ``~op`` (I, U, D; load rows I), ``~seq`` (35 characters,
    empty for load rows), ``~row`` (record number in the file, from 1), ``~commit`` (TIMESTAMP in UTC or NULL), the
    columns of the target in its order, and ``~old_0``… the before-images of the key in key order.
    ``said`` are the target's columns this file speaks of. ``rows`` counts all records, rejected ones included.
    """

    file: LandingFile
    relation: str
    said: frozenset[str]
    rows: int
    rejects: list[Reject]
    first_commit: datetime | None
    last_commit: datetime | None


class LandingReader:
    """Reads the landing files of one table in one DuckDB session.

    Example: ``reader = LandingReader(con, contract); shape = reader.inspect(file, local);
    read = reader.read(file, local, shape, shape.columns); con.sql(f'FROM {read.relation}')``
    """

    _numbers = itertools.count(1)

    def __init__(self, con: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
        self._con, self._contract = con, contract
        self._csv = CsvFiles(con, contract)
        con.execute(MACROS)

    def inspect(self, file: LandingFile, local: Path) -> FileShape:
        """See which columns a file has, from as little of it as possible.

        Raises UnreadableFile where nothing in the file can be used: it is then to be quarantined as one record.
        """
        if file.suffix != "parquet":
            return self._csv.inspect(file, local)
        return by_name(file, self._contract, parquet.fields(self._con, file, local))

    def read(self, file: LandingFile, local: Path, shape: FileShape, target: dict[str, DeltaType]) -> FileRead:
        """Deliver the file's records as rows of ``target`` (all its columns; those the file lacks are NULL).

        A file that turns out to be unreadable is one rejected record without a number. Raises duckdb.Error only for
        what is not the file's fault (memory, disk).
        """
        delivered = _Delivery(self._con, self._contract, file, shape, target, f"landing_{next(self._numbers)}")
        try:
            if file.suffix == "parquet":
                return self._read_parquet(delivered, file, local, shape)
            return self._read_csv(delivered, file, local, shape)
        except UnreadableFile as error:
            return delivered.nothing(1, [Reject(file, None, None, error.why, "")])

    def _read_parquet(self, delivered: _Delivery, file: LandingFile, local: Path, shape: FileShape) -> FileRead:
        source = parquet.relation(local, shape.fields)
        try:
            return delivered.of(source, partial(parquet_records, self._con, source, shape.fields))
        except duckdb.Error:
            parquet.refuse_broken(self._con, file, local)
            raise

    def _read_csv(self, delivered: _Delivery, file: LandingFile, local: Path, shape: FileShape) -> FileRead:
        if not shape.fields:
            return delivered.nothing(0, [])
        with self._csv.staged(file, local, shape, f"{delivered.relation}_texts") as staged:
            shown = partial(csv_records, self._con, staged.relation, shape.fields, self._csv.grammar)
            read = delivered.of(staged.relation, shown)
        rejects = sorted([*read.rejects, *staged.rejects], key=lambda reject: reject.row or 0)
        return replace(read, rows=read.rows + len(staged.rejects), rejects=rejects)


@dataclass(frozen=True)
class _Delivery:
    """One file on its way into one relation."""

    con: duckdb.DuckDBPyConnection
    contract: TableContract
    file: LandingFile
    shape: FileShape
    target: dict[str, DeltaType]
    relation: str

    def of(self, source: str, shown: Callable[[list[int]], dict[int, str]]) -> FileRead:
        """Deliver all records of ``source``; ``shown`` gives the raw records of some row numbers."""
        sql, checks = delivery(source, self.file, self.contract, self.shape, self.target)
        self.con.execute(f"CREATE TEMP TABLE {self.relation} AS {sql}")
        rejects = self._take_out_bad_rows(checks, shown)
        rows, first, last = self.con.execute(
            f'SELECT count(*), epoch_us(min("~commit")), epoch_us(max("~commit")) FROM {self.relation}'
        ).fetchall()[0]
        if self.file.kind is Kind.LOAD:
            first = last = None
        spoken_of = {name.casefold() for name in self.shape.columns}
        said = frozenset(name for name in self.target if name.casefold() in spoken_of)
        return FileRead(self.file, self.relation, said, rows + len(rejects), rejects, _moment(first), _moment(last))

    def nothing(self, rows: int, rejects: list[Reject]) -> FileRead:
        """An empty relation of the right columns."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {self.relation} AS {empty(self.contract.key, self.target)}")
        return FileRead(self.file, self.relation, frozenset(), rows, rejects, None, None)

    def _take_out_bad_rows(self, checks: list[Check], shown: Callable[[list[int]], dict[int, str]]) -> list[Reject]:
        bad = self.con.execute(
            f'SELECT "~row", "~bad" FROM {self.relation} WHERE "~bad" IS NOT NULL ORDER BY 1'
        ).fetchall()
        rejects = []
        if bad:
            self.con.execute(f'DELETE FROM {self.relation} WHERE "~bad" IS NOT NULL')
            raws = shown([row for row, _ in bad])
            rejects = [Reject(self.file, row, checks[i].field, checks[i].reason, raws[row]) for row, i in bad]
        self.con.execute(f'ALTER TABLE {self.relation} DROP COLUMN "~bad"')
        return rejects


def _moment(micros: int | None) -> datetime | None:
    """Microseconds since 1970 as a time in UTC; None where Python has no such year."""
    if micros is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        return None
