"""Other ways to bring a Delta table up to date without a cluster, each as its users would do it well."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.apply.shapes import COLUMNS, TABLE

if TYPE_CHECKING:
    from benchmarks.apply.cell import Spec

ROWS_BY_ROW = 10
_STORED = (*COLUMNS, "_catchment_seq")
_CHANGES = "SELECT * RENAME (dms_seq AS _catchment_seq) FROM read_parquet({files})"
_NET = f"{_CHANGES} QUALIFY row_number() OVER (PARTITION BY id ORDER BY dms_seq DESC) = 1"


def _merge(*, streamed: bool) -> Callable[[Spec], Callable[[], dict[str, Any]]]:
    """delta-rs' MERGE of the net changes, which DuckDB works out."""

    def prepare(spec: Spec) -> Callable[[], dict[str, Any]]:
        import duckdb
        import pyarrow  # noqa: F401  imported by DuckDB, outside of what is timed
        from deltalake import DeltaTable, WriterProperties

        def work() -> dict[str, Any]:
            net = _connect(duckdb).execute(_NET.format(files=spec.changes)).to_arrow_table()
            values = {name: f"s.{name}" for name in _STORED}
            found = (
                DeltaTable(f"{spec.root}/lake/{TABLE}")
                .merge(
                    net,
                    "t.id = s.id",
                    source_alias="s",
                    target_alias="t",
                    streamed_exec=streamed,
                    writer_properties=WriterProperties(compression="SNAPPY"),
                )
                .when_matched_delete("s.Op = 'D'")
                .when_matched_update(values, "s.Op <> 'D'")
                .when_not_matched_insert(values, "s.Op <> 'D'")
                .execute()
            )
            return {"files": found["num_target_files_removed"]}

        return work

    return prepare


def _overwrite(spec: Spec) -> Callable[[], dict[str, Any]]:
    """The whole table and the changes together, the newest row of each key, written over the table."""
    import duckdb
    import pyarrow  # noqa: F401  see above
    from deltalake import DeltaTable, WriterProperties, write_deltalake

    def work() -> dict[str, Any]:
        con = _connect(duckdb)
        table = DeltaTable(f"{spec.root}/lake/{TABLE}")
        con.execute(f"CREATE TABLE net AS {_NET.format(files=spec.changes)}")
        columns = ", ".join(_STORED)
        rows = con.execute(
            f"SELECT {columns} FROM read_parquet({table.file_uris()}) WHERE id NOT IN (SELECT id FROM net) "
            f"UNION ALL SELECT {columns} FROM net WHERE Op <> 'D'"
        ).to_arrow_reader(100_000)
        properties = WriterProperties(compression="SNAPPY")
        write_deltalake(table, rows, mode="overwrite", writer_properties=properties)
        return {}

    return work


def _row_by_row(spec: Spec) -> Callable[[], dict[str, Any]]:
    """Each change a commit: DELETE the key, append the row. Only the first few are done, so no table comes of it."""
    import duckdb
    import pyarrow  # noqa: F401  see above
    from deltalake import DeltaTable, write_deltalake

    def work() -> dict[str, Any]:
        first = f"{_CHANGES.format(files=spec.changes)} ORDER BY dms_seq LIMIT {ROWS_BY_ROW}"
        changes = _connect(duckdb).execute(first).to_arrow_table()
        began = time.perf_counter()
        for number in range(changes.num_rows):
            row = changes.slice(number, 1)
            [key], [operation] = row["id"].to_pylist(), row["Op"].to_pylist()
            table = DeltaTable(f"{spec.root}/lake/{TABLE}")
            table.delete(f"id = {key}")
            if operation != "D":
                write_deltalake(table, row.select(list(_STORED)), mode="append")
        return {"rows": changes.num_rows, "seconds_a_row": (time.perf_counter() - began) / changes.num_rows}

    return work


def _connect(duckdb: Any) -> Any:
    con = duckdb.connect(config={"threads": 2})
    con.execute("SET TimeZone = 'UTC'")
    return con


COMPETITORS = {
    "delta-rs": _merge(streamed=False),
    "delta-rs-streamed": _merge(streamed=True),
    "overwrite": _overwrite,
    "row-by-row": _row_by_row,
}
