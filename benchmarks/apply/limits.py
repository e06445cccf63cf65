"""What no copy-on-write can go below: reading and writing the files that hold a changed row, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.apply.cell import Spec

_THREADS = 2
_CHUNK = 8 << 20


def _with_duckdb(spec: Spec) -> Callable[[], dict[str, Any]]:
    """Decode and encode by DuckDB, two files at a time; the change files are decoded."""
    import duckdb

    def work() -> dict[str, Any]:
        con = duckdb.connect(config={"threads": _THREADS})
        con.execute(f"CREATE TABLE changes AS FROM read_parquet({spec.changes})")

        def one(pair: tuple[str, str]) -> int:
            query = f"COPY (FROM read_parquet('{pair[0]}')) TO '{pair[1]}' (FORMAT parquet, COMPRESSION snappy)"
            row = con.cursor().execute(query).fetchone()
            assert row is not None
            return int(row[0])

        with ThreadPoolExecutor(_THREADS) as pool:
            return {"rows": sum(pool.map(one, _pairs(spec)))}

    return work


def _with_arrow(spec: Spec) -> Callable[[], dict[str, Any]]:
    """The same by Arrow."""
    import pyarrow.parquet as pq

    def one(pair: tuple[str, str]) -> int:
        rows = pq.read_table(pair[0], use_threads=False)
        pq.write_table(rows, pair[1], compression="snappy", row_group_size=122_880)
        return int(rows.num_rows)

    def work() -> dict[str, Any]:
        for path in spec.changes:
            pq.read_table(path)
        with ThreadPoolExecutor(_THREADS) as pool:
            return {"rows": sum(pool.map(one, _pairs(spec)))}

    return work


def _by_copying(spec: Spec) -> Callable[[], dict[str, Any]]:
    """A plain copy of the bytes, the change files' too."""

    def work() -> dict[str, Any]:
        moved = 0
        for source, target in [
            *_pairs(spec),
            *((path, f"{spec.root}/{Path(path).name}.copy") for path in spec.changes),
        ]:
            with open(source, "rb") as reader, open(target, "wb") as writer:
                while chunk := reader.read(_CHUNK):
                    moved += writer.write(chunk)
        return {"bytes": moved}

    return work


def _pairs(spec: Spec) -> Iterable[tuple[str, str]]:
    return ((path, f"{path}.again") for path in spec.touched)


LIMITS = {"limit-duckdb": _with_duckdb, "limit-arrow": _with_arrow, "copy": _by_copying}
