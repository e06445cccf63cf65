"""Columns that take another name: every file written again with it, since a Delta file names its columns itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from catchment.changes.relations import comma, quote
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part
from catchment.sinks.delta_write import PartFiles
from catchment.sinks.partitions import without


def rename_columns(
    con: duckdb.DuckDBPyConnection,
    files: PartFiles,
    parts: Sequence[Part],
    columns: Mapping[str, DeltaType],
    names: Mapping[str, str],
) -> list[Add]:
    """Write each of the parts anew, one by one; ``columns`` are the table's, ``names`` lead from old to new names."""
    written = []
    for part in parts:
        partition = {names.get(name, name): value for name, value in part.add.partition_values.items()}
        stored = without(columns, part.add.partition_values)
        named = comma(f"{quote(name)} AS {quote(names.get(name, name))}" for name in stored)
        kinds = {names.get(name, name): kind for name, kind in stored.items()}
        reader = files.reader(con, [part])
        rows = f"SELECT {named} FROM (SELECT {reader.columns(stored)} FROM {reader.scan})"
        written.append(files.write(con, rows, kinds, partition))
    return [add for add in written if add is not None]
