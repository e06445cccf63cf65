"""Writing files of a table again: the same rows, in key order, in files of one size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from catchment.changes.relations import comma, quote
from catchment.errors import LogBroken
from catchment.landing.types import DeltaType
from catchment.maintenance.survey import Unit, live_rows
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_write import PartReader, write_part
from catchment.sinks.partitions import without
from catchment.storage import ObjectStore

_UNIT = '"~unit"'


def rewrite(
    con: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    path: str,
    scratch: Path,
    unit: Unit,
    columns: Mapping[str, DeltaType],
    key: Sequence[str],
    target_bytes: int,
) -> list[Add]:
    """Write the rows of the unit's files, all of one partition, into new ones; nothing is committed.

    Raises LogBroken where the files hold another number of rows than the log says: then nothing may be removed.
    """
    partition = unit.parts[0].add.partition_values
    stored = without(columns, partition)
    reader = PartReader(con, store, path, scratch, unit.parts)
    base = comma(str(part.number) for part in unit.base)
    order = f"ORDER BY {comma(quote(name) for name in key if name in stored)}" if set(key) & set(stored) else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_UNIT} AS SELECT {reader.columns(stored)}, "
        f'{reader.part} IN ({base}) AS "~base", row_number() OVER ({order}) AS "~row" '
        f"FROM {reader.scan}"
    )
    counted = 'count(*), min("~row") FILTER (WHERE "~base"), max("~row") FILTER (WHERE "~base")'
    [(rows, first, last)] = con.execute(f"SELECT {counted} FROM {_UNIT}").fetchall()
    expected = live_rows(unit.parts)
    if rows != expected and all(part.records is not None for part in unit.parts):
        raise LogBroken(f"{path}/_delta_log", f"{len(unit.parts)} files hold {rows} rows, and the log says {expected}")
    pieces = math.ceil(sum(part.size for part in unit.base) / target_bytes)
    cuts = [(1, first - 1), *_cut(first, last, pieces), (last + 1, rows)] if first else [(1, rows)]
    names = comma(map(quote, stored))
    written = [
        write_part(
            con,
            store,
            path,
            scratch,
            f'SELECT {names} FROM {_UNIT} WHERE "~row" BETWEEN {start} AND {end} ORDER BY "~row"',
            stored,
            partition,
        )
        for start, end in cuts
        if start <= end
    ]
    con.execute(f"DROP TABLE {_UNIT}")
    return [add for add in written if add is not None]


def _cut(first: int, last: int, pieces: int) -> list[tuple[int, int]]:
    """The rows from ``first`` to ``last`` in pieces of nearly one length."""
    length = math.ceil((last - first + 1) / max(pieces, 1))
    return [(start, min(start + length - 1, last)) for start in range(first, last + 1, length)]
