"""The records of a CSV file as texts in a DuckDB table, quickly where that is safe and carefully where it is not.

DuckDB parses; its reader is fast but forgives silently (it drops an empty last field too many, blanks around quotes,
and everything behind a quote that is never closed). So every byte is accounted for afterwards: the bytes of all
values, quotes, delimiters and line ends must be the bytes of the file. Where they are not, or DuckDB refuses the file,
it is tried again part by part; the careful reader goes over the parts with trouble, record by record, and DuckDB
reads what that one wrote, as JSON.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from catchment.landing.contract import LandingFormat
from catchment.landing.csv_bytes import count
from catchment.landing.csv_records import CsvGrammar, Data, content_end
from catchment.landing.names import LandingFile
from catchment.landing.rejects import Reject
from catchment.landing.shape import FileShape
from catchment.landing.sql import one_file, text

PART_BYTES = 16 << 20
_OBJECT_LIMIT = 1 << 24  # DuckDB's own default for the bytes of a JSON object


class CsvStage:
    """Stages one file into table ``relation``: ``c0``… and ``~row``. ``rejects`` are the records that do not parse."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        landing: LandingFormat,
        file: LandingFile,
        shape: FileShape,
        relation: str,
        folder: Path,
    ) -> None:
        self._con, self._landing, self._file, self._shape = con, landing, file, shape
        self._relation, self._folder = relation, folder
        self._columns = [f"c{i}" for i in range(len(shape.fields))]
        self._grammar = CsvGrammar(landing.delimiter, landing.null_value)
        self._begins = record_start(shape, landing.delimiter)
        self.rejects: list[Reject] = []

    def read(self, path: Path, data: Data, start: int) -> None:
        """Stage the records of ``data``, the bytes of ``path``, from ``start`` on: behind a header, if there is one."""
        one_line = not self._shape.header or data.find(b"\n", 0, start - 1) < 0
        # A blank line is a record where a record is one field; DuckDB sees none at the end of a file.
        if len(self._columns) == 1:
            self._make_table()
            self._read_carefully(data, start, len(data), 0)
        elif not (one_line and self._read_quickly(self._relation, path, data, start, self._shape.header)):
            self._make_table()
            self._read_in_parts(data, start)

    def _make_table(self) -> None:
        typed = ", ".join(f"{c} VARCHAR" for c in self._columns)
        self._con.execute(f'CREATE TEMP TABLE {self._relation} ({typed}, "~row" BIGINT)')

    def _read_in_parts(self, data: Data, at: int) -> None:
        """A part begins where the one before it ended without doubt; where it ends is tried at a line's end."""
        path, part, number = self._folder / "part.csv", f"{self._relation}_part", 0
        while at < len(data):
            line = data.find(b"\n", at + PART_BYTES) + 1
            end = line or len(data)
            path.write_bytes(data[at:end])
            if self._read_quickly(part, path, data[at:end], 0, False):
                self._con.execute(
                    f'INSERT INTO {self._relation} SELECT * REPLACE ("~row" + {number} AS "~row") FROM {part}'
                )
                number += self._con.execute(f"SELECT count(*) FROM {part}").fetchall()[0][0]
                self._con.execute(f"DROP TABLE {part}")
                at = end
            else:
                at, number = self._read_carefully(data, at, end, number)

    def _read_quickly(self, table: str, path: Path, data: Data, start: int, header: bool) -> bool:
        """Let DuckDB read a file; False, and no table, where it could not or bytes are missing."""
        typed = ", ".join(f"'{c}': 'VARCHAR'" for c in self._columns)
        scan = f"read_csv({one_file(path)}, columns = {{{typed}}}, {self._options(header)})"
        try:
            self._con.execute(f'CREATE TEMP TABLE {table} AS SELECT *, row_number() OVER () AS "~row" FROM {scan}')
        except duckdb.InvalidInputException:
            return False
        if self._bytes_read(table, data, start) == content_end(data) - start:
            return True
        self._con.execute(f"DROP TABLE {table}")
        return False

    def _bytes_read(self, table: str, data: Data, start: int) -> int:
        """How many bytes of the file its records, as they were read, stand for; blank lines at the end apart."""
        quotes = count(data, b'"', start)
        null_bytes = len(self._landing.null_value.encode())
        values = " + ".join(f"coalesce(strlen({c}), {null_bytes})" for c in self._columns)
        inside = " + ".join(
            f"CASE WHEN contains({c}, '\"') THEN strlen({c}) - strlen(replace({c}, '\"', '')) ELSE 0 END"
            for c in self._columns
        )
        kept = f"sum({inside})" if quotes else "0"
        rows, written, inner_quotes = self._con.execute(
            f"SELECT count(*), coalesce(sum({values}), 0), coalesce({kept}, 0) FROM {table}"
        ).fetchall()[0]
        line_end = 2 if data.find(b"\r\n", start) == data.find(b"\n", start) - 1 >= start else 1
        separators = rows * (len(self._columns) - 1 + line_end) - (line_end if rows else 0)
        return int(written + quotes - inner_quotes + separators)

    def _read_carefully(self, data: Data, at: int, end: int, number: int) -> tuple[int, int]:
        """Stage the records from ``at`` on until one reaches ``end``; says where it ends and how many there are now."""
        copy, longest = self._folder / "records.json", 0
        with copy.open("wb") as sink:
            for record in self._grammar.split(data, at, len(self._columns), self._begins):
                number, at = number + 1, record.end
                if record.values is None:
                    raw = record.raw.decode("utf-8", "backslashreplace")
                    self.rejects.append(Reject(self._file, number, None, record.problem or "", raw))
                else:
                    values = [None if value is None else value.decode() for value in record.values]
                    line = json.dumps({"row": number, "texts": values}, ensure_ascii=False).encode() + b"\n"
                    longest = max(longest, len(line))
                    sink.write(line)
                if at >= end:
                    break
            else:
                at = len(data)
        texts = ", ".join(f"texts[{i + 1}]" for i in range(len(self._columns)))
        self._con.execute(
            f'INSERT INTO {self._relation} SELECT {texts}, "row" FROM read_json({one_file(copy)}, '
            "format = 'newline_delimited', columns = {row: 'BIGINT', texts: 'VARCHAR[]'}, "
            f"hive_partitioning = false, maximum_object_size = {max(2 * longest, _OBJECT_LIMIT)})"
        )
        return at, number

    def _options(self, header: bool) -> str:
        landing = self._landing
        # In parallel the reader guesses where records begin, which a line end inside quotes can mislead.
        return (
            f"skip = {int(header)}, delim = {text(landing.delimiter)}, nullstr = {text(landing.null_value)}, "
            "auto_detect = false, header = false, quote = '\"', escape = '\"', allow_quoted_nulls = false, "
            "null_padding = false, strict_mode = true, ignore_errors = false, parallel = false, "
            "hive_partitioning = false"
        )


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
