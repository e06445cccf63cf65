"""The tables that cells start from, kept under build/bench: sorted by key, in files of a quarter of a million rows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deltalake.transaction import AddAction

from benchmarks.apply.data import land_load, session
from benchmarks.apply.shapes import TABLE, Shape
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch
from catchment.sinks.delta_commit import create
from catchment.sinks.delta_write import write_part
from catchment.sinks.ledger import AppliedFile
from catchment.storage import ObjectStore, open_store

ROWS_A_FILE = 250_000
_SORTED_AT_A_TIME = 20 * ROWS_A_FILE
_KINDS = {
    **dict.fromkeys(("id",), "long"),
    **dict.fromkeys(("customer_id", "product_id", "qty"), "integer"),
    "price": "decimal(12,2)",
    "discount": "decimal(10,4)",
    **dict.fromkeys(("created_at", "updated_at"), "timestamp"),
    **dict.fromkeys(("status", "region", "note"), "string"),
}


def prepare(shape: Shape) -> None:
    """Make the table of ``shape`` unless it is there: its landing files, and the table that contains them."""
    if shape.table.exists():
        return
    staged = shape.table.with_name(f"{shape.table.name}.making")
    shutil.rmtree(staged, ignore_errors=True)
    land_load(shape.rows, staged / "landing")
    columns = {name: DeltaType.parse(kind) for name, kind in _KINDS.items()}
    lake, landing = open_store(staged / "lake"), open_store(staged / "landing")
    adds = list(_files(shape.rows, staged, lake, {**columns, "_catchment_seq": STRING}))
    applied = [
        AppliedFile(file.path, landing.etag(file), file.size, file.modified_ns, 0) for file in landing.list(TABLE)
    ]
    batch = Batch(columns, applied, 0, {})
    create(f"{lake.url}/{TABLE}", {}, {**columns, "_catchment_seq": STRING}, adds, batch)
    staged.rename(shape.table)


def _files(rows: int, root: Path, lake: ObjectStore, columns: dict[str, DeltaType]) -> Iterator[AddAction]:
    loaded = f"(SELECT *, '' AS _catchment_seq FROM read_parquet('{root}/landing/{TABLE}/*.parquet'))"
    with session() as con, tempfile.TemporaryDirectory(dir=root) as scratch:
        for first in range(1, rows + 1, _SORTED_AT_A_TIME):
            between = f"id BETWEEN {first} AND {first + _SORTED_AT_A_TIME - 1}"
            con.execute(
                f"CREATE OR REPLACE TABLE part AS SELECT {', '.join(columns)} FROM {loaded} WHERE {between} ORDER BY id"
            )
            for start in range(first, min(first + _SORTED_AT_A_TIME, rows + 1), ROWS_A_FILE):
                query = f"FROM part WHERE id BETWEEN {start} AND {start + ROWS_A_FILE - 1} ORDER BY id"
                add = write_part(con, lake, TABLE, Path(scratch), query, columns)
                assert add is not None
                yield add
