"""Landing files into DuckDB tables: every record is either delivered exactly or rejected with its number and reason."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from catchment.landing import parquet
from catchment.landing.casts import MACROS
from catchment.landing.contract import TableContract
from catchment.landing.delivery import Check, delivery, empty
from catchment.landing.names import Kind, LandingFile
from catchment.landing.rejects import Reject, parquet_records
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
        con.execute(MACROS)

    def inspect(self, file: LandingFile, local: Path) -> FileShape:
        """See which columns a file has, from as little of it as possible.

        Raises UnreadableFile where nothing in the file can be used: it is then to be quarantined as one record.
        """
        return by_name(file, self._contract, parquet.fields(self._con, file, local))

    def read(self, file: LandingFile, local: Path, shape: FileShape, target: dict[str, DeltaType]) -> FileRead:
        """Deliver the file's records as rows of ``target`` (all its columns; those the file lacks are NULL).

        A file that turns out to be unreadable is one rejected record without a number.
        """
        relation = f"landing_{next(self._numbers)}"
        try:
            return self._deliver(file, parquet.relation(local, shape.fields), shape, target, relation)
        except duckdb.Error as error:
            return self._unreadable(file, str(error).splitlines()[0], target, relation)

    def _deliver(
        self, file: LandingFile, source: str, shape: FileShape, target: dict[str, DeltaType], relation: str
    ) -> FileRead:
        sql, checks = delivery(source, file, self._contract, shape, target)
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS {sql}")
        rejects = self._split(file, source, shape, checks, relation)
        rows, first, last = self._con.execute(
            f'SELECT count(*), epoch_us(min("~commit")), epoch_us(max("~commit")) FROM {relation}'
        ).fetchall()[0]
        if file.kind is Kind.LOAD:
            first = last = None
        said = frozenset(shape.columns) & frozenset(target)
        return FileRead(file, relation, said, rows + len(rejects), rejects, _moment(first), _moment(last))

    def _split(
        self, file: LandingFile, source: str, shape: FileShape, checks: list[Check], relation: str
    ) -> list[Reject]:
        """Take the rows that failed a check out of the relation."""
        bad = dict(self._con.execute(f'SELECT "~row", "~bad" FROM {relation} WHERE "~bad" IS NOT NULL').fetchall())
        rejects = []
        if bad:
            self._con.execute(f'DELETE FROM {relation} WHERE "~bad" IS NOT NULL')
            raws = parquet_records(self._con, source, shape.fields, sorted(bad))
            rejects = [
                Reject(file, row, checks[bad[row]].field, checks[bad[row]].reason, raws[row]) for row in sorted(bad)
            ]
        self._con.execute(f'ALTER TABLE {relation} DROP COLUMN "~bad"')
        return rejects

    def _unreadable(self, file: LandingFile, why: str, target: dict[str, DeltaType], relation: str) -> FileRead:
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS {empty(self._contract.key, target)}")
        return FileRead(file, relation, frozenset(), 1, [Reject(file, None, None, why, "")], None, None)


def _moment(micros: int | None) -> datetime | None:
    """Microseconds since 1970 as a time in UTC; None where Python has no such year."""
    if micros is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        return None
