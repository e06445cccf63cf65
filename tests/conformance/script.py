"""Scripted work, of changes, of a reload and of maintenance, for faults enumerated: at every call, one by one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from catchment.apply import Account, Budget
from catchment.leases import Lease
from catchment.maintenance import Report
from catchment.reload.request import ReloadRequest, write_request
from tests.conformance.calls import Calls
from tests.conformance.engines import Engine
from tests.conformance.leases import ExpiringLease
from tests.conformance.model import SEQUENCE, File, Key, Record, Row, token
from tests.conformance.others import maintain, scatter
from tests.conformance.readers import canonical
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
LAST = File("s/t/20240809-140000000.parquet", _COLUMNS, (_record("U", 40, "a", 5),))

# what a reload finds: a row as it was, a changed one, a new one, and all others gone
RELOADED = File(FIRST[0].path, _COLUMNS, (_record("I", 0, "a", 2), _record("I", 0, "e", 6), _record("I", 0, "g", 7)))
FLOOR = token(25)


def copy(table: Table, root: Path) -> Table:
    """The same table elsewhere."""
    shutil.copytree(table.root, root)
    table.view.copy_to(root)
    return replace(table, root=root, delivered=dict(table.delivered))


def apply(table: Table, calls: Calls, lease: Lease | None = None) -> Account:
    """One call of the engine, watched."""
    stores = {name: calls.store(name, table.store(name)) for name in ("landing", "lake", "quarantine")}
    return table.apply(budget=BUDGET, lease=calls.lease(lease or ExpiringLease()), **stores)


@dataclass(frozen=True)
class Script:
    """``land`` brings what is to be done by ``work``, whose calls are watched.

    The checks are of a table after an interruption, and of one more call that nothing interrupts.
    """

    name: str
    land: Callable[[Table], None]
    check_interrupted: Callable[[Table], None]
    check_recovered: Callable[[Table], None]
    work: Callable[[Table, Calls], object]

    def begin(
        self, root: Path, engine: Engine, run: Callable[[Callable[[], object]], object] = lambda work: work()
    ) -> Table:
        """A table with the first files applied, by ``run``, and everything else landed."""
        table = Table(root, engine, SHAPE)
        for file in FIRST:
            table.land(file)
        run(lambda: table.apply(budget=BUDGET))
        self.land(table)
        return table


def _land_changes(table: Table) -> None:
    for file in THEN:
        table.land(file)


def _check_part(table: Table) -> None:
    """The table is what the files say that its own commits name."""
    named = [file["path"] for record in table.view.records() for file in record["files"]]
    assert len(named) == len(set(named)), "a file was applied twice"
    table.check_quarantine()
    part = replace(table, delivered={path: table.delivered[path] for path in named})
    columns = (*_COLUMNS, SEQUENCE)
    assert canonical(next(table.view.read())[1], columns) == part.expected_of(columns)


def _check_changes(table: Table) -> None:
    """One more call, with nothing in its way, makes everything right, and it stays so."""
    account = table.apply(budget=BUDGET)
    table.check_rows()
    table.check_log()
    table.check_repetition(account.version)


def _land_reload(table: Table) -> None:
    """A reload is asked for, and its load has come; so have changes from before its floor and from behind it."""
    write_request(table.store("lake"), table.contract.name, ReloadRequest(datetime.now(UTC).isoformat(), FLOOR))
    for file in (RELOADED, *THEN[1:3]):
        table.land(file)


def _check_either(table: Table) -> None:
    """The table is the old generation whole, or the new one."""
    swapped = any(record.get("generation", {}).get("number") for record in table.view.records())
    meant = [(RELOADED,), (RELOADED, THEN[2])] if swapped else [FIRST]
    table.check_quarantine()
    found = canonical(next(table.view.read())[1], _COLUMNS)
    assert found in [_meaning_of(table, files) for files in meant]


def _check_reload(table: Table) -> None:
    """One more call makes it the new generation and what changed since, and it stays so."""
    account = table.apply(budget=BUDGET)
    assert account.generation == 1
    for name, rows in table.view.read():
        assert canonical(rows, _COLUMNS) == _meaning_of(table, (RELOADED, THEN[2])), name
    table.check_quarantine()
    table.check_repetition(account.version)


def _meaning_of(table: Table, files: Sequence[File]) -> list[tuple[object, ...]]:
    return replace(table, delivered={file.path: file for file in files}).expected_of(_COLUMNS)


def maintain_late(table: Table, calls: Calls | None = None, lease: Lease | None = None) -> Report:
    """Maintenance when all that it replaces, and the log up to its checkpoint, is old enough to go."""
    return maintain(table, calls, lease, days=31)


def _land_and_apply(table: Table) -> None:
    """Rows in several files that overlap, and some of them changed since."""
    rows = tuple(Record("I", token(50 + i), (i, str(i)), {"v": i}) for i in range(30))
    table.land(File("s/t/20240809-150000000.parquet", _COLUMNS, rows))
    table.apply()
    scatter(table)
    changed = tuple(Record("U", token(90 + i), (i, str(i)), {"v": -i}) for i in range(3))
    table.land(File("s/t/20240809-151000000.parquet", _COLUMNS, changed))
    table.apply()


def _check_whole(table: Table) -> None:
    table.check_rows(1)


def _check_maintained(table: Table) -> None:
    """Another call comes to an end, and files that land afterwards apply as ever."""
    maintain_late(table)
    assert not maintain_late(table).steps, "maintenance comes to no end"
    table.check_rows()
    table.land(LAST)
    account = table.apply()
    table.check_rows()
    table.check_ledger()
    table.check_repetition(account.version)


CHANGES = Script("changes", _land_changes, _check_part, _check_changes, apply)
RELOAD = Script("reload", _land_reload, _check_either, _check_reload, apply)
MAINTENANCE = Script("maintenance", _land_and_apply, _check_whole, _check_maintained, maintain_late)
SCRIPTS = {script.name: script for script in (CHANGES, RELOAD, MAINTENANCE)}
