"""What a table must hold after a set of changes, worked out by DuckDB alone, and what it does hold."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from benchmarks.apply.data import session
from benchmarks.apply.shapes import COLUMNS, TABLE, Shape

_NAMES = ", ".join(COLUMNS)
_SUM = f"SELECT count(*), COALESCE(sum(CAST(hash({_NAMES}) AS HUGEINT)), 0) FROM"


def expected(shape: Shape) -> list[object]:
    """Number of rows and sum of their hashes over all columns, from the landing files; kept beside the changes."""
    kept = shape.folder.with_suffix(".expected.json")
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        rows, hashes = _loaded(shape)
        if shape.changes:
            with session() as con:
                con.execute(
                    f"CREATE TABLE net AS FROM read_parquet('{shape.folder}/*.parquet') "
                    "QUALIFY row_number() OVER (PARTITION BY id ORDER BY dms_seq DESC) = 1"
                )
                gone = _row(con.execute(f"{_SUM} {_load(shape)} WHERE id IN (SELECT id FROM net)"))
                new = _row(con.execute(f"{_SUM} net WHERE Op <> 'D'"))
            rows, hashes = rows - gone[0] + new[0], hashes - gone[1] + new[1]
        kept.write_text(json.dumps([rows, str(hashes)]))
    answer: list[object] = json.loads(kept.read_text())
    return answer


def _loaded(shape: Shape) -> tuple[int, int]:
    """The same of the load alone; kept beside the table."""
    kept = shape.table / "loaded.json"
    if not kept.exists():
        with session() as con:
            kept.write_text(json.dumps(_row(con.execute(f"{_SUM} {_load(shape)}"))))
    rows, hashes = json.loads(kept.read_text())
    return rows, hashes


def _load(shape: Shape) -> str:
    return f"read_parquet('{shape.table}/landing/{TABLE}/LOAD*.parquet')"


def found(table: Path) -> list[object]:
    """The same of a Delta table, with its deletion vectors."""
    delta = DeltaTable(table)
    with session() as con:
        if "deletionVectors" in (delta.protocol().reader_features or []):
            con.register("live", delta.scan())
            rows, hashes = _row(con.execute(f"{_SUM} live"))
        else:
            rows, hashes = _row(con.execute(f"{_SUM} read_parquet({delta.file_uris()})"))
    return [rows, str(hashes)]


def touched(shape: Shape) -> list[str]:
    """Names of the table's data files that hold a changed row; kept beside the table."""
    if not shape.changes:
        return []
    kept = shape.table / f"touched-{shape.name}.json"
    if not kept.exists():
        uris = DeltaTable(shape.table / "lake" / TABLE).file_uris()
        with session() as con:
            rows = con.execute(
                f"SELECT DISTINCT parse_filename(filename) FROM read_parquet({uris}, filename = true) "
                f"WHERE id IN (SELECT id FROM read_parquet('{shape.folder}/*.parquet')) ORDER BY 1"
            ).fetchall()
        kept.write_text(json.dumps([name for (name,) in rows]))
    names: list[str] = json.loads(kept.read_text())
    return names


def overlaps(table: Path) -> int:
    """How many of the table's files, in the order of their least keys, begin before the one before them ends."""
    actions = DeltaTable(table).get_add_actions(flatten=True)
    ranges = sorted(zip(actions.column("min.id").to_pylist(), actions.column("max.id").to_pylist(), strict=True))
    return sum(before[1] >= after[0] for before, after in pairwise(ranges))


def _row(result: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = result.fetchone()
    assert row is not None
    rows, hashes = row
    return rows, hashes
