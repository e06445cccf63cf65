"""The source side of a comparison: a table's rows, each value in the form in which DMS delivers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from catchment.engines import engine
from catchment.engines.connection import opened
from catchment.engines.dms_types import Form
from catchment.engines.postgresql.types import interval_words
from catchment.engines.reconciliation import Moment, Reconciliation, SourceColumn
from catchment.engines.trust import Login, Trust
from catchment.reconcile.compare import identifier
from catchment.reconcile.verdict import Narrowing

SHORT_LINE = 2 * 1024 * 1024


class TableGone(LookupError):
    """The source has no such table."""

    def __init__(self, schema: str, table: str) -> None:
        super().__init__(schema, table)
        self.schema, self.table = schema, table

    def __str__(self) -> str:
        return f"the source has no table {self.schema}.{self.table}"


class SourceSide(Protocol):
    """Where the source's rows come from: a database, or what is known to be in one."""

    def columns(self, schema: str, table: str) -> list[SourceColumn]:
        """The table's columns in their order, those that are not replicated left out. Raises TableGone."""
        ...

    def read(
        self,
        con: duckdb.DuckDBPyConnection,
        schema: str,
        table: str,
        columns: Sequence[SourceColumn],
        relation: str,
        scratch: Path,
    ) -> None:
        """Make the temporary table ``relation`` of the rows; every value is text, bytes are binary."""
        ...

    def narrowings(self, schema: str, table: str, columns: Sequence[SourceColumn]) -> tuple[Narrowing, ...]:
        """Which columns hold values that DMS cannot deliver as they are, and in how many rows."""
        ...


@dataclass(frozen=True)
class Fingerprint:
    """What a table holds, as its own database sums it up. Two of one engine's can be compared, and no others.

    ``keys`` and ``values`` are sums of hashes, of each row's key and of each whole row, whatever the rows' order.
    """

    rows: int
    keys: int
    values: int


class DatabaseSide:
    """The tables of a database at one moment."""

    def __init__(self, engine_name: str, moment: Moment) -> None:
        self._engine: Reconciliation = engine(engine_name).reconciliation
        self._moment = moment

    def columns(self, schema: str, table: str) -> list[SourceColumn]:
        """The table's columns in their order, those that are not replicated left out. Raises TableGone, TypeRefused."""
        found = self._engine.columns(self._moment.query, schema, table)
        if not found:
            raise TableGone(schema, table)
        return found

    def read(
        self,
        con: duckdb.DuckDBPyConnection,
        schema: str,
        table: str,
        columns: Sequence[SourceColumn],
        relation: str,
        scratch: Path,
    ) -> None:
        """Make the temporary table ``relation`` of the rows; they pass through a file in ``scratch``."""
        file = scratch / "source.copy"
        try:
            with file.open("wb", buffering=1 << 20) as sink:
                longest = _Longest(sink.write)
                self._moment.write_lines(self._engine.lines(schema, table, columns), longest)
            _read_lines(con, file, columns, relation, longest=longest.bytes)
        finally:
            file.unlink(missing_ok=True)

    def narrowings(self, schema: str, table: str, columns: Sequence[SourceColumn]) -> tuple[Narrowing, ...]:
        """Which columns hold values that DMS cannot deliver as they are, and in how many rows."""
        asked = [(column, condition) for column in columns if (condition := self._engine.narrowed(column))]
        if not asked:
            return ()
        counts = ", ".join(f"count(CASE WHEN {condition} THEN 1 END)" for _, condition in asked)
        [row] = self._moment.query(f"SELECT {counts} FROM {self._name(schema, table)}")
        return tuple(
            Narrowing(column.name, column.type.narrows or "", rows)
            for (column, _), rows in zip(asked, row, strict=True)
            if rows
        )

    def fingerprint(self, schema: str, table: str, key: Sequence[str]) -> Fingerprint:
        """What the table holds, summed up in the database. Raises TableGone."""
        columns = self.columns(schema, table)
        keys = [column for column in columns if column.name in key] or columns
        [(rows, of_keys)], [(_, of_values)] = (
            self._moment.query(self._engine.fingerprint(schema, table, chosen)) for chosen in (keys, columns)
        )
        return Fingerprint(int(rows), int(of_keys), int(of_values))

    def _name(self, schema: str, table: str) -> str:
        return f"{self._engine.quote(schema)}.{self._engine.quote(table)}"


class _Longest:
    """Passes lines on and knows the longest, in bytes."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self.bytes = write, 0

    def __call__(self, line: bytes) -> None:
        self._write(line)
        self.bytes = max(self.bytes, len(line))


@contextmanager
def one_moment(engine_name: str, login: Login, database: str, trust: Trust) -> Iterator[DatabaseSide]:
    """The database as it is now: all tables of a comparison at one moment.

    Raises SourceUnreachable, and the driver's errors after that.
    """
    with (
        opened(engine_name, login, database, trust) as connection,
        engine(engine_name).reconciliation.one_moment(connection) as moment,
    ):
        yield DatabaseSide(engine_name, moment)


def _read_lines(
    con: duckdb.DuckDBPyConnection, file: Path, columns: Sequence[SourceColumn], relation: str, *, longest: int
) -> None:
    _declare_words(con)
    values = ", ".join(_unescaped(position, column) for position, column in enumerate(columns, start=1))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {values}
        FROM read_csv(?, header=false, delim='\t', quote='', escape='', comment='', nullstr='\\N', new_line='\\n',
             auto_detect=false, strict_mode=true, max_line_size={max(longest + 1, SHORT_LINE)}, columns=?)""",
        [str(file), {f"c{position}": "VARCHAR" for position in range(len(columns) + 1)}],
    )


# PostgreSQL's text format escapes these; a backslash itself is doubled, which U+0000, no text's character, stands for
_ESCAPES = {r"\b": 8, r"\f": 12, r"\n": 10, r"\r": 13, r"\t": 9, r"\v": 11}


def _unescaped(position: int, column: SourceColumn) -> str:
    raw = f"c{position}"
    text = rf"replace({raw}, '\\', chr(0))"
    for escape, code in _ESCAPES.items():
        text = f"replace({text}, '{escape}', chr({code}))"
    text = rf"CASE WHEN contains({raw}, '\') THEN replace({text}, chr(0), '\') ELSE {raw} END"
    if column.type.form is Form.HEX:
        text = f"unhex(substr({text}, 3))"
    elif column.type.form is Form.INTERVAL_WORDS:
        text = f"dms_interval_words({text})"
    return f"{text} AS {identifier(column.name)}"


def _declare_words(con: duckdb.DuckDBPyConnection) -> None:
    known = con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = 'dms_interval_words'").fetchone()
    if known is None:
        con.create_function("dms_interval_words", interval_words, ["VARCHAR"], "VARCHAR")
