"""``catchment apply``: the same core as in AWS, on a folder."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from catchment.apply import Account, Budget, apply_table
from catchment.apply.engine import OpenEngine, open_duck_engine
from catchment.apply.replica import open_replica_engine
from catchment.cli.show import new_console
from catchment.cli.spark import SparkScript
from catchment.errors import CatchmentError, SettingsError
from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName, parse
from catchment.leases import Lease, MemoryLease
from catchment.leases.file import FileLease
from catchment.sinks.replica import is_replica, open_replica
from catchment.storage import LocalStore, ObjectStore, open_store

_LOG = logging.getLogger(__name__)
_COUNTS = ("read", "applied", "superseded", "stale", "quarantined", "inserted", "updated", "deleted", "key_changes")


@dataclass(frozen=True)
class Result:
    """A table's account, or why it has none: the kind of the error and its text."""

    table: str
    account: Account | None
    error: tuple[str, str] | None

    def to_json(self) -> dict[str, Any]:
        """The account, or the error."""
        if self.error is None:
            return {**(self.account.to_json() if self.account else {}), "error": None}
        kind, message = self.error
        return {"table": self.table, "error": {"kind": kind, "message": message}}


def apply(
    landing: str,
    lake: str,
    tables: Path,
    *,
    quarantine: str | None,
    only: Sequence[str],
    json_to: str | None,
    on_spark: bool = False,
) -> int:
    """Apply every table of the tables file; returns the exit code. Raises SettingsError before anything is touched."""
    contracts = chosen(load_contracts(tables), only, str(tables))
    replica = lake if is_replica(lake) else None
    if replica is not None and (quarantine is None or on_spark):
        raise SettingsError("apply", "LAKE", shown(lake), "a database needs --quarantine, and the engine is lambda")
    bad = quarantine or f"{lake.rstrip('/')}/_quarantine"
    # what a lake keeps beside its tables (leases, requests to reload) a database has beside its quarantine
    stores = open_store(landing), open_store(bad if replica else lake), open_store(bad)
    if isinstance(stores[0], LocalStore) and not stores[0].root.is_dir():
        raise SettingsError("apply", "LANDING", landing, "allowed is a folder that exists, or s3://bucket/prefix")
    if stores[0].url == stores[1].url:
        raise SettingsError("apply", "LAKE", lake, "allowed is another folder than LANDING")
    if on_spark:
        script = SparkScript(landing=landing, lake=lake, quarantine=bad, tables=tables)
        results = [_by_script(contract, script) for contract in contracts]
    else:
        lease = lease_of(stores[1])
        with _engine(replica) as open_engine:
            results = [_here(contract, *stores, lease, open_engine) for contract in contracts]
    unlisted = {} if only else _unlisted(stores[0], {contract.name for contract in contracts})
    if json_to is not None:
        _write_json(json_to, landing, shown(lake), results, unlisted)
    if json_to != "-":
        _show(results, unlisted)
    for result in results:
        if result.error is not None:
            print(f"catchment: {result.error[1]}", file=sys.stderr)
    return 1 if any(result.error is not None for result in results) else 0


@contextmanager
def _engine(replica: str | None) -> Iterator[OpenEngine]:
    """What opens the engine: for a database one whose connection serves all tables."""
    if replica is None:
        yield open_duck_engine
        return
    database = open_replica(replica)
    try:
        yield partial(open_replica_engine, replica=database)
    finally:
        database.close()


def shown(place: str) -> str:
    """A place as it may be printed: without the password that a connection string may have."""
    return re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1:…@", place)


def chosen(contracts: dict[TableName, TableContract], only: Sequence[str], file: str) -> list[TableContract]:
    """The contracts of the tables that ``--table`` names, all without it. Raises SettingsError for an unknown one."""
    by_name = {str(name): contract for name, contract in contracts.items()}
    for name in only:
        if name not in by_name:
            raise SettingsError(file, "--table", name, f"allowed are {', '.join(by_name)}")
    return [contract for name, contract in by_name.items() if not only or name in only]


def _unlisted(landing: ObjectStore, listed: set[TableName]) -> dict[str, int]:
    """Landing files of tables that the tables file does not name, counted by table: nobody applies them."""
    files = Counter(str(file.table) for found in landing.list() if (file := parse(found)) and file.table not in listed)
    return dict(sorted(files.items()))


def lease_of(lake: ObjectStore) -> Lease:
    """Locks in the lake's folder; in S3 the conditional put of each commit is what protects the table."""
    if isinstance(lake, LocalStore):
        return FileLease(lake.root / "_catchment", wait=True)
    return MemoryLease()


def _by_script(contract: TableContract, script: SparkScript) -> Result:
    answer = script.apply(contract.name)
    if error := answer.get("error"):
        return Result(str(contract.name), None, (error["kind"], error["message"]))
    return Result(str(contract.name), Account.from_json(answer), None)


def _here(
    contract: TableContract,
    landing: ObjectStore,
    lake: ObjectStore,
    quarantine: ObjectStore,
    lease: Lease,
    open_engine: OpenEngine,
) -> Result:
    try:
        account = apply_table(
            contract=contract,
            landing=landing,
            lake=lake,
            quarantine=quarantine,
            lease=lease,
            budget=Budget(),
            now=lambda: datetime.now(UTC),
            open_engine=open_engine,
        )
        return Result(str(contract.name), account, None)
    except CatchmentError as error:
        return Result(str(contract.name), None, (type(error).__name__, str(error)))
    except Exception as error:  # whatever it is, the other tables are still to be done
        _LOG.exception("%s failed in an unforeseen way", contract.name)
        return Result(str(contract.name), None, (type(error).__name__, str(error)))


def _write_json(target: str, landing: str, lake: str, results: Sequence[Result], unlisted: Mapping[str, int]) -> None:
    total = {name: sum(getattr(r.account.counts, name) for r in results if r.account) for name in _COUNTS}
    document = {
        "landing": landing,
        "lake": lake,
        "ok": all(result.error is None for result in results),
        "total": total,
        "tables": [result.to_json() for result in results],
        "unlisted": unlisted,
    }
    body = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if target == "-":
        sys.stdout.write(body)
    else:
        Path(target).write_text(body, encoding="utf-8")


def _show(results: Sequence[Result], unlisted: Mapping[str, int]) -> None:
    console = new_console()
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    shown.add_column("table", overflow="fold")
    for column in (*_COUNTS[:5], "+ins ~upd -del", "rows"):
        shown.add_column(column, justify="right", no_wrap=True)
    for result in results:
        shown.add_row(result.table, *_cells(result))
    console.print(shown)
    for result in results:
        for note in _notes(result):
            console.print(note, style="yellow", highlight=False, markup=False)
    if unlisted:
        names = ", ".join(f"{table} ({files:,} files)" for table, files in unlisted.items())
        console.print(f"Not in the tables file: {names}", style="yellow", highlight=False, markup=False)


def _cells(result: Result) -> list[str]:
    account = result.account
    if account is None:
        return ["[bold red]failed[/]"]
    counts = account.counts
    cells = [f"{getattr(counts, name):,}" for name in _COUNTS[:4]]
    cells.append(f"[bold red]{counts.quarantined:,}[/]" if counts.quarantined else "0")
    cells.append(f"+{counts.inserted:,} ~{counts.updated:,} -{counts.deleted:,}")
    return [*cells, "no table" if account.rows is None else f"{account.rows:,}"]


def _notes(result: Result) -> list[str]:
    account = result.account
    if account is None:
        return []
    notes = list(account.notes)
    if account.waiting:
        notes.append(account.waiting)
    if account.counts.quarantined:
        notes.append(f"{account.counts.quarantined:,} rows quarantined: {', '.join(account.quarantine)}")
    if account.late:
        notes.append(f"{account.late} late files, seen again with {account.replayed} files applied before")
    if account.unrecognised:
        notes.append(f"{len(account.unrecognised)} files are no landing files: {', '.join(account.unrecognised[:3])}")
    return [f"{account.table}: {note}" for note in notes]
