"""What the applier's tests share: a small table, its files, and one call of the applier."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from catchment.apply import Account, Budget, apply_table
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import Lease, MemoryLease
from catchment.sinks.delta_table import DeltaLog
from catchment.storage import ObjectStore, open_store
from catchment.storage.local import LocalStore
from tests.conformance.files import write_parquet
from tests.conformance.model import File, Record, token

KEY = ("id",)
TYPES: dict[str, Any] = {"id": pa.int32(), "v": pa.string(), "n": pa.int32(), "w": pa.string()}
LANDING = "{timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}"


def contract(key: str = "[id]", landing: str = LANDING, columns: str = "null") -> TableContract:
    """The contract of s.t."""
    text = f"landing: {landing}\ntables:\n  s.t: {{key: {key}, columns: {columns}}}\n"
    return next(iter(load_contracts(text).values()))


def run(
    root: Path,
    agreed: TableContract | None = None,
    *,
    budget: Budget | None = None,
    lease: Lease | None = None,
    named: Collection[str] | None = None,
    landing: ObjectStore | None = None,
    lake: ObjectStore | None = None,
    apply: Callable[..., Account] = apply_table,
) -> Account:
    """Apply ROOT/landing to ROOT/lake."""
    return apply(
        contract=agreed or contract(),
        landing=landing or open_store(root / "landing"),
        lake=lake or open_store(root / "lake"),
        quarantine=open_store(root / "quarantine"),
        lease=lease or MemoryLease(),
        budget=budget or Budget(),
        now=lambda: datetime.now(UTC),
        named=named,
    )


def table(root: Path) -> DeltaTable:
    return DeltaTable(root / "lake/s/t")


def log(root: Path) -> DeltaLog:
    """The table's log, read."""
    found = DeltaLog(open_store(root / "lake"), "s/t", "s.t")
    found.refresh()
    return found


def rows(root: Path, *columns: str) -> list[tuple[Any, ...]]:
    """The table's rows, sorted."""
    found = table(root).to_pyarrow_table().to_pylist()
    return sorted((tuple(row[name] for name in columns or ("id", "v")) for row in found), key=repr)


def land(root: Path, path: str, *records: Record, columns: tuple[str, ...] = ("id", "v")) -> File:
    """Write ROOT/landing/s/t/PATH."""
    file = File(f"s/t/{path}", columns, tuple(records))
    write_parquet(root / "landing", file, KEY, TYPES)
    return file


def load(key: int, **values: Any) -> Record:
    return Record("I", "", (key,), values)


def insert(number: int, key: int, **values: Any) -> Record:
    return Record("I", token(number), (key,), values)


def update(number: int, key: int, old: int | None = None, **values: Any) -> Record:
    return Record("U", token(number), (key,), values, None if old is None else (old,))


def delete(number: int, key: int) -> Record:
    return Record("D", token(number), (key,), {})


def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on, the paths of the files that are opened to be read."""
    found: list[str] = []
    fetch = LocalStore.fetch

    def remembered(self: LocalStore, path: str, scratch: Path) -> Path:
        found.append(path)
        return fetch(self, path, scratch)

    monkeypatch.setattr(LocalStore, "fetch", remembered)
    return found
