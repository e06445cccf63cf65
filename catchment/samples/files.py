"""Sample files: the tables of the sample systems as CSV and as JSON lines, to try file ingestion on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from catchment.samples.columns import Column
from catchment.samples.commerce import commerce
from catchment.samples.people import people
from catchment.samples.tables import SampleTable

DEFAULT_ROWS = 1000
MOST_ROWS = 100_000
"""Each file is made in memory."""


def sample_files(rows: int = DEFAULT_ROWS, seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, for about ``rows`` rows of each system; the same for the same seed.

    CSV is UTF-8 with a header and quoted texts, so that an empty text (``""``) is no NULL (nothing). JSON has an object
    a line, with decimals as numbers and times in ISO 8601.
    """
    for system in (commerce, people):
        counts = system.row_counts(rows)
        for table in system.tables:
            records = _records(table, seed, counts[table.name])
            yield f"csv/{table.name}.csv", _lines([_header(table.columns), *(_csv(each) for each in records)])
            yield f"json/{table.name}.jsonl", _lines([_json(table, each) for each in records])


def _records(table: SampleTable, seed: int, rows: int) -> list[tuple[object, ...]]:
    return [row for _, values in table.batches(seed, 1, rows) for row in zip(*values, strict=True)]


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _header(columns: Sequence[Column]) -> str:
    return ",".join(column.name for column in columns)


def _csv(row: Sequence[object]) -> str:
    return ",".join(map(_cell, row))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return value.isoformat() if isinstance(value, date) else str(value)


def _json(table: SampleTable, row: Sequence[object]) -> str:
    values = {column.name: _plain(column, value) for column, value in zip(table.columns, row, strict=True)}
    return json.dumps(values, ensure_ascii=False)


def _plain(column: Column, value: object) -> object:
    if isinstance(value, str) and column.type == "jsonb":
        return json.loads(value)
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
