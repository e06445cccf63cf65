"""One batch: what its files mean for the table, as relations in the session, and what becomes of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from catchment.apply.account import Counts
from catchment.apply.staging import Staged, lacking
from catchment.changes import account, effects, fill, guard, keyless, net
from catchment.changes.relations import HITS, UNCHANGED, UPSERTS, VERDICTS
from catchment.changes.upserts import upserts
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind
from catchment.landing.rejects import Reject
from catchment.landing.types import DeltaType
from catchment.sinks.base import Sink


@dataclass(frozen=True)
class Members:
    """The files of a batch: ``fresh`` are new, ``again`` are read again for the late ones among them."""

    fresh: Sequence[Staged]
    again: Sequence[Staged]

    @property
    def all(self) -> list[Staged]:
        """New ones first, as their numbers say."""
        return [*self.fresh, *self.again]


def work_out(
    con: duckdb.DuckDBPyConnection,
    sink: Sink,
    contract: TableContract,
    target: Mapping[str, DeltaType],
    members: Members,
) -> Counts:
    """Make ``"~verdicts"``, ``"~upserts"`` and ``"~unchanged"`` of ``"~rows"`` for a table with a key."""
    key, width = contract.key, len(contract.key)
    loads_only = all(staged.opened.file.kind is Kind.LOAD for staged in members.all)
    con.execute(effects.order(key, len(members.fresh), loads_only=loads_only))
    if members.again:
        con.execute(effects.keep_touched(width))
    con.execute(net.winners(width))
    sink.find(con, {name: target[name] for name in key})
    con.execute(guard.verdicts())
    gaps = lacking(members.all, target)
    same = f"SELECT ord FROM {VERDICTS} WHERE verdict = 'same' AND kind <> 'D'"
    sink.existing(con, f"SELECT ord FROM {HITS}" if gaps else same, target)
    filled = {name: _fill(con, name, i, width, files) for i, (name, files) in enumerate(gaps.items())}
    con.execute(upserts(list(target), filled))
    con.execute(guard.unchanged({name: kind.name for name, kind in target.items()}))
    return _count(con, contract, members)


def work_out_keyless(
    con: duckdb.DuckDBPyConnection,
    sink: Sink,
    target: Mapping[str, DeltaType],
    members: Members,
    late: Sequence[Staged],
) -> Counts:
    """The same for a table without a key: only ``"~upserts"`` has rows."""
    con.execute(keyless.tokens())
    sink.find_tokens(con, keyless.NEW_TOKENS if late else f"{keyless.NEW_TOKENS} WHERE FALSE")
    con.execute(keyless.appends(list(target)))
    empty = {HITS: "ord BIGINT, part INTEGER, pos BIGINT", VERDICTS: _VERDICT, UNCHANGED: "ord BIGINT"}
    for name, columns in empty.items():
        con.execute(f"CREATE TEMP TABLE {name} ({columns})")
    read, quarantined = _read(members.fresh)
    (inserted,) = _one(con, f"SELECT count(*) FROM {UPSERTS}")
    stale = read - quarantined - inserted
    return Counts(read=read, applied=inserted, stale=stale, quarantined=quarantined, inserted=inserted)


def refuse_keyless(con: duckdb.DuckDBPyConnection, fresh: Sequence[Staged]) -> None:
    """Take updates and deletes of a table without a key out of the files' rows and reject them."""
    for staged in fresh:
        if not staged.relation:
            continue
        found = con.execute(keyless.refused(staged.relation)).fetchall()
        if found:
            con.execute(f"DELETE FROM {staged.relation} WHERE \"~op\" <> 'I'")
            file = staged.opened.file
            staged.rejects += [Reject(file, row, None, keyless.REFUSED[op], raw) for row, op, raw in found]


_VERDICT = "ord BIGINT, kind VARCHAR, verdict VARCHAR"


def _fill(con: duckdb.DuckDBPyConnection, column: str, index: int, width: int, files: Sequence[int]) -> str:
    """Make the relation of the values that ``column`` keeps; returns its name."""
    table = f'"~fill_{index}"'
    con.execute(fill.steps(width, files))
    con.execute(fill.trail(files))
    while _one(con, fill.hops(files))[0]:
        con.execute(fill.hop(files))
    con.execute(fill.values(table, column, width))
    return table


def _count(con: duckdb.DuckDBPyConnection, contract: TableContract, members: Members) -> Counts:
    read, quarantined = _read(members.fresh)
    survived, applied = _one(con, account.surviving())
    inserted, updated, deleted = _one(con, account.moved())
    (changed,) = _one(con, account.key_changes(contract.key, len(members.fresh)))
    return Counts(
        read=read,
        applied=applied,
        superseded=read - quarantined - survived,
        stale=survived - applied,
        quarantined=quarantined,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        key_changes=changed,
    )


def _read(fresh: Sequence[Staged]) -> tuple[int, int]:
    return sum(staged.rows for staged in fresh), sum(len(staged.rejects) for staged in fresh)


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = con.execute(sql).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)
