"""One scripted history with everything in it, for faults that are enumerated: at every call, one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catchment.apply import Account, Budget
from tests.conformance.calls import Calls
from tests.conformance.engines import Engine
from tests.conformance.leases import ExpiringLease
from tests.conformance.model import SEQUENCE, File, Key, Record, Row, token
from tests.conformance.readers import READERS, canonical
from tests.conformance.shapes import INTEGER, LONG, STRING, Shape
from tests.conformance.table import Table

SHAPE = Shape("scripted", {"tenant": INTEGER, "code": STRING}, {"v": LONG, "n": LONG}, (), (0, ""))
BUDGET = Budget(commit_files=2, threads=1)
_COLUMNS = ("tenant", "code", "v")


def _record(op: str, number: int, code: str, v: int = 0, *, old: str | None = None, **more: int) -> Record:
    values: Row = {} if op == "D" else {"v": v, **more}
    before: Key | None = None if old is None else (1, old)
    return Record(op, token(number) if number else "", (1, code), values, before)


FIRST = (
    File("s/t/LOAD00000001.parquet", _COLUMNS, tuple(_record("I", 0, code, 1) for code in "abcdef"), ("v",)),
    File("s/t/20240809-100000000.parquet", _COLUMNS, (_record("U", 10, "a", 2), _record("D", 11, "b")), ("v",)),
)
THEN = (
    # late, an insert of a key that is gone among it; then a key change, a row that cannot be used, a wider column
    File("s/t/20240809-093000000.parquet", _COLUMNS, (_record("U", 5, "a", 9), _record("U", 6, "b", 9)), ("v",)),
    File("s/t/20240809-110000000.parquet", _COLUMNS, (_record("U", 20, "x", 3, old="c"), _record("X", 21, "q"))),
    # a new column, and half of a file once more
    File("s/t/20240809-120000000.parquet", (*_COLUMNS, "n"), (_record("D", 30, "d"), _record("I", 31, "b", 4, n=7))),
    File("s/t/20240809-130000000.parquet", _COLUMNS, (_record("U", 20, "x", 3, old="c"),)),
)


def begin(root: Path, engine: Engine, run: Callable[[Callable[[], object]], object] = lambda work: work()) -> Table:
    """A table with the first files applied, by ``run``, and the others landed."""
    table = Table(root, engine, SHAPE)
    for file in FIRST:
        table.land(file)
    run(lambda: table.apply(budget=BUDGET))
    for file in THEN:
        table.land(file)
    return table


def copy(table: Table, root: Path) -> Table:
    """The same table elsewhere."""
    shutil.copytree(table.root, root)
    return replace(table, root=root, delivered=dict(table.delivered))


def apply(table: Table, calls: Calls, lease: ExpiringLease | None = None) -> Account:
    """One call of the engine, watched."""
    stores = {name: calls.store(name, table.store(name)) for name in ("landing", "lake", "quarantine")}
    return table.apply(budget=BUDGET, lease=calls.lease(lease or ExpiringLease()), **stores)


def check_interrupted(table: Table) -> None:
    """Whatever happened: the table is what the files say that its own commits name."""
    named = [file["path"] for record in table.records() for file in record["files"]]
    assert len(named) == len(set(named)), "a file was applied twice"
    part = replace(table, delivered={path: table.delivered[path] for path in named})
    columns = (*_COLUMNS, SEQUENCE)
    assert canonical(READERS["deltalake"](table.path), columns) == part.expected_of(columns)


def check_recovered(table: Table) -> None:
    """One more call, with nothing in its way, makes everything right, and it stays so."""
    account = table.apply(budget=BUDGET)
    table.check_rows()
    table.check_log()
    table.check_repetition(account.version)
