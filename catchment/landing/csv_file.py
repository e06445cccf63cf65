"""CSV files of the landing zone: their layout, and their records as texts in a DuckDB table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catchment.landing.contract import TableContract
from catchment.landing.csv_bytes import first_bytes, mapped, unpacked
from catchment.landing.csv_header import header_shape
from catchment.landing.csv_layout import Neighbours, headerless_shape
from catchment.landing.csv_records import CsvGrammar, Values, after_bom
from catchment.landing.csv_stage import CsvStage
from catchment.landing.names import LandingFile
from catchment.landing.rejects import Reject
from catchment.landing.shape import FileShape, Roles

_HEAD_BYTES = 1 << 20
_HEAD_RECORDS = 300
_NOTHING = FileShape({}, Roles(None, None, None, {}), ())


@dataclass(frozen=True)
class Staged:
    """A file's records as texts: table ``relation`` has ``c0``…, ``~row``; ``rejects`` are those that do not parse."""

    relation: str
    rejects: list[Reject]


class CsvFiles:
    """Looks at and stages the CSV files of one table."""

    def __init__(self, con: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
        self._con, self._contract = con, contract
        self.grammar = CsvGrammar(contract.landing.delimiter, contract.landing.null_value)
        self._neighbours = Neighbours()

    def inspect(self, file: LandingFile, local: Path) -> FileShape:
        """The shape of a file, from its first records; raises UnreadableFile where it has none."""
        data, records = self._head(file, local)
        if not data[after_bom(data) :].strip(b"\r\n"):
            return _NOTHING
        shape = header_shape(file, self._contract, records[0]) if records and records[0] else None
        return shape or headerless_shape(file, self._contract, records, self._neighbours)

    def _head(self, file: LandingFile, local: Path) -> tuple[bytes, list[Values]]:
        size = _HEAD_BYTES
        while True:
            data, complete = first_bytes(file, local, size)
            records = [values for values, _ in self.grammar.head(data, complete, _HEAD_RECORDS)]
            if records or complete:
                return data, records
            size *= 8

    @contextmanager
    def staged(self, file: LandingFile, local: Path, shape: FileShape, relation: str) -> Iterator[Staged]:
        """The file's records in a temp table that is gone afterwards. Raises UnreadableFile for broken gzip."""
        spill = self._con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
        with tempfile.TemporaryDirectory(dir=spill) as name:
            path = unpacked(file, local, Path(name))
            stage = CsvStage(self._con, self._contract.landing, file, shape, relation, Path(name))
            try:
                with mapped(path) as data:
                    first = next((end for _, end in self.grammar.head(data, True, 1)), 0) if shape.header else 0
                    stage.read(path, data, max(first, after_bom(data)))
                yield Staged(relation, stage.rejects)
            finally:
                self._con.execute(f"DROP TABLE IF EXISTS {relation}")
