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
_SUM = f"SELECT count(*), CAST(sum(CAST(hash({_NAMES}) AS HUGEINT)) AS VARCHAR) FROM "


def expected(shape: Shape) -> list[object]:
    """Number of rows and sum of their hashes over all columns, from the landing files; kept beside the changes."""
    kept = shape.folder.with_suffix(".expected.json")
    if not kept.exists():
        loaded = f"read_parquet('{shape.table}/landing/{TABLE}/LOAD*.parquet')"
        changed = f"read_parquet('{shape.folder}/*.parquet')" if shape.changes else f"{loaded} WHERE FALSE"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with session() as con:
            con.execute(
                f"CREATE TABLE net AS FROM {changed} "
                "QUALIFY row_number() OVER (PARTITION BY id ORDER BY dms_seq DESC) = 1"
            )
            query = (
                f"{_SUM} (SELECT {_NAMES} FROM {loaded} WHERE id NOT IN (SELECT id FROM net) "
                f"UNION ALL SELECT {_NAMES} FROM net WHERE Op <> 'D')"
            )
            kept.write_text(json.dumps(_row(con.execute(query))))
    answer: list[object] = json.loads(kept.read_text())
    return answer


def found(table: Path) -> list[object]:
    """The same of a Delta table, with its deletion vectors."""
    delta = DeltaTable(table)
    with session() as con:
        if "deletionVectors" in (delta.protocol().reader_features or []):
            con.register("live", delta.scan())
            return _row(con.execute(f"{_SUM} live"))
        return _row(con.execute(f"{_SUM} read_parquet({delta.file_uris()})"))


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


def _row(result: duckdb.DuckDBPyConnection) -> list[object]:
    row = result.fetchone()
    assert row is not None
    return list(row)
