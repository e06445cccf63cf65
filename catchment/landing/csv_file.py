"""CSV files of the landing zone: their layout, and their records as texts in a DuckDB table.

DuckDB parses; its reader is fast but forgives silently (it drops an empty last field too many, blanks around quotes,
and everything behind a quote that is never closed). So every byte is accounted for afterwards: the bytes of all
values, quotes, delimiters and line ends must be the bytes of the file. Where they are not, or DuckDB refuses the file,
the careful reader goes over it record by record, and DuckDB reads what that one wrote, as JSON.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catchment.landing.contract import TableContract
from catchment.landing.csv_bytes import count, first_bytes, mapped, unpacked
from catchment.landing.csv_layout import Neighbours, header_shape, headerless_shape
from catchment.landing.csv_records import CsvGrammar, Data, Values, after_bom, content_end
from catchment.landing.names import LandingFile
from catchment.landing.rejects import Reject
from catchment.landing.shape import FileShape, Roles
from catchment.landing.sql import one_file, text

_HEAD_BYTES = 1 << 20
_HEAD_RECORDS = 300
_OBJECT_LIMIT = 1 << 24  # DuckDB's own default for the bytes of a JSON object
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
        shape = header_shape(file, self._contract, records[0]) if records else None
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
            try:
                with mapped(path) as data:
                    rejects = self._stage(file, path, data, shape, relation, Path(name))
                yield Staged(relation, rejects)
            finally:
                self._con.execute(f"DROP TABLE IF EXISTS {relation}")

    def _stage(
        self, file: LandingFile, path: Path, data: Data, shape: FileShape, relation: str, folder: Path
    ) -> list[Reject]:
        start, width = after_bom(data), len(shape.fields)
        if shape.header:
            start = next(end for _, end in self.grammar.head(data, True, 1))
        one_line = not shape.header or data.find(b"\n", 0, start - 1) < 0
        if width > 1 and one_line and self._read_quickly(path, data, start, shape, relation):
            return []
        copy = folder / "records.json"
        rejects, longest = self._rewrite(file, data, start, shape, copy)
        self._read_rewritten(copy, width, longest, relation)
        return rejects

    def _read_quickly(self, path: Path, data: Data, start: int, shape: FileShape, relation: str) -> bool:
        """Let DuckDB read the file; False, and no table, where it could not or bytes are missing."""
        columns = _columns(len(shape.fields))
        landing = self._contract.landing
        options = {**_options(landing.delimiter, landing.null_value), "skip": "1" if shape.header else "0"}
        try:
            self._con.execute(
                f'CREATE TEMP TABLE {relation} AS SELECT *, row_number() OVER () AS "~row" '
                f"FROM {self._scan(path, columns, options)}"
            )
        except duckdb.InvalidInputException:
            return False
        if self._bytes_read(relation, columns, data, start) == content_end(data) - start:
            return True
        self._con.execute(f"DROP TABLE {relation}")
        return False

    def _bytes_read(self, relation: str, columns: list[str], data: Data, start: int) -> int:
        """How many bytes of the file its records, as they were read, stand for; blank lines at the end apart."""
        quotes = count(data, b'"', start)
        null_bytes = len(self._contract.landing.null_value.encode())
        values = " + ".join(f"coalesce(strlen({c}), {null_bytes})" for c in columns)
        inside = " + ".join(
            f"CASE WHEN contains({c}, '\"') THEN strlen({c}) - strlen(replace({c}, '\"', '')) ELSE 0 END"
            for c in columns
        )
        kept = f"sum({inside})" if quotes else "0"
        rows, written, inner_quotes = self._con.execute(
            f"SELECT count(*), coalesce(sum({values}), 0), coalesce({kept}, 0) FROM {relation}"
        ).fetchall()[0]
        line_end = 2 if data.find(b"\r\n", start) == data.find(b"\n", start) - 1 >= start else 1
        return int(written + quotes - inner_quotes + rows * (len(columns) - 1 + line_end)) - (line_end if rows else 0)

    def _rewrite(
        self, file: LandingFile, data: Data, start: int, shape: FileShape, copy: Path
    ) -> tuple[list[Reject], int]:
        """Write the records that parse as numbered lines of JSON; also says how long the longest line became."""
        rejects, longest = [], 0
        begins = record_start(shape, self._contract.landing.delimiter)
        with copy.open("wb") as sink:
            for record in self.grammar.split(data, start, len(shape.fields), begins):
                if record.values is None:
                    raw = record.raw.decode("utf-8", "backslashreplace")
                    rejects.append(Reject(file, record.number, None, record.problem or "", raw))
                    continue
                values = [None if value is None else value.decode() for value in record.values]
                line = json.dumps({"row": record.number, "texts": values}, ensure_ascii=False).encode() + b"\n"
                longest = max(longest, len(line))
                sink.write(line)
        return rejects, longest

    def _read_rewritten(self, copy: Path, width: int, longest: int, relation: str) -> None:
        texts = ", ".join(f"texts[{i + 1}] AS {c}" for i, c in enumerate(_columns(width)))
        self._con.execute(
            f'CREATE TEMP TABLE {relation} AS SELECT {texts}, "row" AS "~row" FROM read_json({one_file(copy)}, '
            "format = 'newline_delimited', columns = {row: 'BIGINT', texts: 'VARCHAR[]'}, "
            f"hive_partitioning = false, maximum_object_size = {max(2 * longest, _OBJECT_LIMIT)})"
        )

    def _scan(self, path: Path, columns: list[str], options: dict[str, str]) -> str:
        typed = ", ".join(f"'{c}': 'VARCHAR'" for c in columns)
        settings = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"read_csv({one_file(path)}, columns = {{{typed}}}, {settings})"


def record_start(shape: FileShape, delimiter: str) -> re.Pattern[bytes] | None:
    """What the beginning of a record of this file looks like, where it can be told from the inside of a text."""
    physical = [f.physical if f else None for f in (shape.roles.operation, shape.roles.commit)]
    d = re.escape(delimiter.encode())
    moment = rb'"?\d{4,6}-\d\d-\d\d[ T]\d\d:\d\d:\d\d'
    if physical == ["c0", "c1"]:
        return re.compile(rb'"?[^"\n' + d + rb']{0,8}"?' + d + moment)
    if physical[1] == "c0":
        return re.compile(moment)
    return re.compile(rb'(?:"[IUD]"|[IUD])' + d) if physical[0] == "c0" else None


def _columns(width: int) -> list[str]:
    return [f"c{i}" for i in range(width)]


def _options(delimiter: str, null_value: str) -> dict[str, str]:
    return {
        "auto_detect": "false",
        "header": "false",
        "delim": text(delimiter),
        "quote": "'\"'",
        "escape": "'\"'",
        "nullstr": text(null_value),
        "allow_quoted_nulls": "false",
        "null_padding": "false",
        "strict_mode": "true",
        "ignore_errors": "false",
        "hive_partitioning": "false",
        # In parallel the reader guesses where records begin, which a line end inside quotes can mislead.
        "parallel": "false",
    }
