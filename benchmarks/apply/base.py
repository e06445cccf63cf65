"""The tables that cells start from, kept under build/bench: as Catchment's full load leaves them, or cut finer."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from deltalake import CommitProperties, DeltaTable
from deltalake._internal import RemoveAction
from deltalake.transaction import AddAction

from benchmarks.apply.data import land_load, session
from benchmarks.apply.engine import apply_folder, contract
from benchmarks.apply.shapes import TABLE, Shape
from catchment.landing.types import DeltaType
from catchment.sinks.delta_files import statistics

_SORTED_AT_A_TIME = 5_000_000


def prepare(shape: Shape) -> None:
    """Make the table of ``shape`` unless it is there: its landing files, and the table that contains them."""
    if shape.table.exists():
        return
    staged = shape.table.with_name(f"{shape.table.name}.making")
    shutil.rmtree(staged, ignore_errors=True)
    land_load(shape.rows, staged / "landing")
    apply_folder(staged, contract())
    if shape.rows_a_file:
        lay_out(shape.rows, staged / "lake" / TABLE, shape.rows_a_file)
    staged.rename(shape.table)


def lay_out(rows: int, folder: Path, rows_a_file: int) -> None:
    """Compact the table of keys 1 to ``rows`` into sorted files, which changes no row."""
    table = DeltaTable(folder)
    now = int(time.time() * 1000)
    old = table.get_add_actions(flatten=True)
    removes = [
        RemoveAction(path, False, now, size, {})
        for path, size in zip(old.column("path").to_pylist(), old.column("size_bytes").to_pylist(), strict=True)
    ]
    adds = list(_files(rows, table, folder, rows_a_file))
    properties = CommitProperties(max_commit_retries=0)
    table.create_write_transaction([*adds, *removes], "append", table.schema(), commit_properties=properties)
    for remove in removes:
        os.remove(folder / remove.path)


def _files(rows: int, table: DeltaTable, folder: Path, rows_a_file: int) -> Iterator[AddAction]:
    kinds = {field.name: DeltaType.parse(field.type.type) for field in table.schema().fields}  # type: ignore[union-attr]
    uris = table.file_uris()
    with session() as con:
        for first in range(1, rows + 1, _SORTED_AT_A_TIME):
            between = f"id BETWEEN {first} AND {first + _SORTED_AT_A_TIME - 1}"
            con.execute(f"CREATE OR REPLACE TABLE part AS FROM read_parquet({uris}) WHERE {between} ORDER BY id")
            for start in range(first, min(first + _SORTED_AT_A_TIME, rows + 1), rows_a_file):
                name = f"part-{start:012d}.snappy.parquet"
                result = con.execute(
                    f"COPY (FROM part WHERE id BETWEEN {start} AND {start + rows_a_file - 1} ORDER BY id) "
                    f"TO '{folder / name}' (FORMAT parquet, COMPRESSION snappy, RETURN_STATS)"
                )
                row = dict(
                    zip([column[0] for column in result.description or []], result.fetchone() or (), strict=True)
                )
                stats = statistics(row["count"], row["column_statistics"], kinds)
                yield AddAction(name, row["file_size_bytes"], {}, int(time.time() * 1000), False, stats)
