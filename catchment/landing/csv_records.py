"""CSV records as DMS writes them, read exactly, one at a time.

A field is quoted (``"a ""b"", c"``, line ends and all) or plain up to the next delimiter or line end; a record ends
with ``\\n`` or ``\\r\\n``. Only a plain field can be NULL. A blank line is no record, unless a record is one field.

This is the slow and careful reader: it looks at the beginning of every file, and at all of a file that the quick
one (DuckDB) could not read without doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap

Data = bytes | mmap
Values = list[bytes | None]

_BLANK = re.compile(rb"(?:\r?\n)+")


@dataclass(frozen=True)
class CsvRecord:
    """One record: its values (None for NULL) and where the next one begins.

    Where the record is not one of this file ``values`` is None, ``problem`` says why and ``raw`` is what stands there.
    """

    values: Values | None
    end: int
    problem: str | None = None
    raw: bytes = b""


class CsvGrammar:
    """How a landing format writes fields."""

    def __init__(self, delimiter: str, null_value: str) -> None:
        d = re.escape(delimiter.encode())
        self._delimiter, self._null = delimiter.encode(), null_value.encode()
        self._field = re.compile(
            rb'(?:"((?>[^"]*(?:""[^"]*)*))"(?=' + d + rb"|\r?\n|\r?\Z)\r?|((?!\")[^" + d + rb"\n]*))(" + d + rb"|\n|\Z)"
        )

    def record(self, data: Data, at: int) -> tuple[Values | None, int]:
        """The values of the record that begins at ``at`` and where the next one begins; None: its quotes are broken."""
        values: Values = []
        while True:
            match = self._field.match(data, at)
            if match is None:
                return None, at
            quoted, plain, end = match.groups()
            at = match.end()
            if quoted is not None:
                values.append(quoted.replace(b'""', b'"'))
            else:
                if end != self._delimiter:
                    plain = plain.removesuffix(b"\r")
                values.append(None if plain == self._null else plain)
            if end != self._delimiter:
                return values, at

    def head(self, data: Data, complete: bool, limit: int) -> Iterator[tuple[Values, int]]:
        """The first records of a file and where each ends; ``complete`` if ``data`` is the whole file.

        A record with broken quotes is a line without values.
        """
        at = after_bom(data)
        for _ in range(limit):
            blank = _BLANK.match(data, at)
            at = blank.end() if blank else at
            values, end = self.record(data, at)
            if at >= len(data) or (end >= len(data) and not complete):
                return
            if values is None:
                values, end = [], data.find(b"\n", at) + 1 or len(data)
            yield values, end
            at = end

    def split(self, data: Data, start: int, width: int, begins: re.Pattern[bytes] | None) -> Iterator[CsvRecord]:
        """All records from ``start`` on; those that do not have ``width`` fields come with a problem.

        After a record with broken quotes the next one is looked for at the beginning of a line: where ``begins``
        matches or, without it, where a record of the right width stands. So one cut record costs no other.
        """
        at, stop = start, content_end(data)
        looks_right = self._starts(data, width, begins)
        while at < stop:
            if width > 1 and (blank := _BLANK.match(data, at)):
                at = blank.end()
                continue
            values, end = self.record(data, at)
            problem = _problem(values, width, data[at:end])
            if problem is not None and (values is None or data.find(b"\n", at, end - 1) >= 0):
                limit = stop if values is None else end
                end = _next_line(data, at, limit, looks_right) or limit
            raw = bytes(data[at:end]).rstrip(b"\r\n") if problem else b""
            yield CsvRecord(values if problem is None else None, end, problem, raw)
            at = end

    def _starts(self, data: Data, width: int, begins: re.Pattern[bytes] | None) -> Callable[[int], bool]:
        if begins is not None:
            return lambda at: begins.match(data, at) is not None
        return lambda at: len(self.record(data, at)[0] or ()) == width

    def shown(self, values: list[str | None]) -> str:
        """A record as DMS would have written it: quotes only where they are needed."""
        return self._delimiter.decode().join(self._shown(v) for v in values)

    def _shown(self, value: str | None) -> str:
        if value is None:
            return self._null.decode()
        special = {self._delimiter.decode(), '"', "\n", "\r"}
        if value == self._null.decode() or special & set(value):
            return '"' + value.replace('"', '""') + '"'
        return value


def after_bom(data: Data) -> int:
    """Where a file's text begins."""
    return 3 if data[:3] == b"\xef\xbb\xbf" else 0


def _problem(values: Values | None, width: int, raw: bytes) -> str | None:
    if values is None:
        return "the quotes are broken"
    if len(values) != width:
        return f"the record has {len(values)} fields, the records of this file have {width}"
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            return "the record is not UTF-8"
    return None


def _next_line(data: Data, at: int, limit: int, looks_right: Callable[[int], bool]) -> int | None:
    line = data.find(b"\n", at, limit) + 1
    while 0 < line < limit:
        if looks_right(line):
            return line
        line = data.find(b"\n", line, limit) + 1
    return None


def content_end(data: Data) -> int:
    """Where a file's last record ends: line ends at the end, also blank lines, do not count."""
    end = len(data)
    while end and data[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    return end
