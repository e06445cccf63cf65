"""Catchment's own engines, called as the apply function calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import call
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.apply.profiled import profiled
from benchmarks.apply.shapes import TABLE
from catchment.apply import Budget, apply_table
from catchment.apply.engine import OpenEngine, open_duck_engine
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import MemoryLease
from catchment.storage import open_store

if TYPE_CHECKING:
    from benchmarks.apply.cell import Spec

_LANDING = "landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}"
# What the settings of cdk.json give the function: half of its 2,048 MB for DuckDB, 256 MB of landing files a commit.
BUDGET = Budget(commit_bytes=256 * 1024 * 1024, memory_mb=1024, threads=2)


def contract(options: str = "") -> TableContract:
    """The contract of the measured table; ``options`` are more of its lines."""
    text = f"{_LANDING}\ntables: {{shop.orders: {{key: [id]{options}}}}}"
    return next(iter(load_contracts(text).values()))


def apply_folder(
    root: Path,
    agreed: TableContract,
    announced: Sequence[str] | None = None,
    open_engine: OpenEngine = open_duck_engine,
) -> dict[str, Any]:
    """Bring ROOT/lake up to date with ROOT/landing, of which events ``announced`` these files; what was done."""
    account = apply_table(
        contract=agreed,
        landing=open_store(root / "landing"),
        lake=open_store(root / "lake"),
        quarantine=open_store(root / "quarantine"),
        lease=MemoryLease(),
        budget=BUDGET,
        now=lambda: datetime.now(UTC),
        named=announced,
        open_engine=open_engine,
    )
    if not account.done or account.counts.quarantined or account.late:
        raise ValueError(f"not what was to be measured: {account}")
    return {"commits": account.commits, "read": account.counts.read}


def _with(options: str, *, within: Callable[[Callable[[], Any]], Any] = call) -> Callable[[Spec], Callable[[], Any]]:
    """An engine: the contract's ``options``, and what the work is done ``within``."""

    def prepare(spec: Spec) -> Callable[[], dict[str, Any]]:
        announced = [f"{TABLE}/{Path(path).name}" for path in spec.changes]
        return lambda: within(lambda: apply_folder(Path(spec.root), contract(options), announced or None))

    return prepare


_MASKING = ", deletion_vectors: true"
ENGINES = {
    "cow": _with(""),
    "dv": _with(_MASKING),
    "load": _with(""),
    "cow-profile": _with("", within=profiled),
    "dv-profile": _with(_MASKING, within=profiled),
}
