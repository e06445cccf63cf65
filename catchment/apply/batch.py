"""One batch: what its files mean for the table, as relations in the session, and what becomes of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catchment.apply.account import Counts
from catchment.apply.staging import Staged, lacking
from catchment.changes import account, effects, fill, guard, keyless, net
from catchment.changes.relations import EFFECTS, HITS, UNCHANGED, UPSERTS, VERDICTS, WINNERS
from catchment.changes.session import Session, nothing, numbers
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
    session: Session,
    sink: Sink,
    contract: TableContract,
    target: Mapping[str, DeltaType],
    members: Members,
    floor: str,
) -> Counts:
    """Make ``"~verdicts"``, ``"~upserts"`` and ``"~unchanged"`` of ``"~rows"`` for a table with a key.

    ``floor`` is the token of load rows.
    """
    key, width = contract.key, len(contract.key)
    loads_only = all(staged.opened.file.kind is Kind.LOAD for staged in members.all)
    session.create(EFFECTS, effects.order(key, len(members.fresh), loads_only=loads_only, floor=floor))
    if members.again:
        session.create(EFFECTS, effects.keep_touched(width))
    session.create(WINNERS, net.winners(width))
    sink.find({name: target[name] for name in key})
    session.create(VERDICTS, guard.verdicts())
    gaps = lacking(members.all, target)
    same = f"SELECT ord FROM {VERDICTS} WHERE verdict = 'same' AND kind <> 'D'"
    sink.existing(f"SELECT ord FROM {HITS}" if gaps else same, target)
    session.define(UPSERTS, upserts(list(target), fill_gaps(session, members, target, width), floor))
    session.create(UNCHANGED, guard.unchanged({name: kind.name for name, kind in target.items()}))
    for relation in (EFFECTS, WINNERS):  # what they hold is needed for the rows to write
        session.drop(relation)
    return _count(session, contract, members)


def work_out_first(
    session: Session, contract: TableContract, target: Mapping[str, DeltaType], members: Members, floor: str
) -> Counts | None:
    """The same for a load into a table without files, whose keys are all different: every row is to be written.

    None where that is not so.
    """
    if members.again or not all(staged.opened.file.kind is Kind.LOAD for staged in members.fresh):
        return None
    (repeated,) = numbers(session, effects.repeated(contract.key))
    if repeated:
        return None
    session.define(UPSERTS, effects.inserts(list(target), floor))
    make_nothing(session)
    read, quarantined, outdated = tally(members.fresh)
    inserted = read - quarantined - outdated
    return Counts(read=read, applied=inserted, stale=outdated, quarantined=quarantined, inserted=inserted)


def work_out_keyless(
    session: Session,
    sink: Sink,
    target: Mapping[str, DeltaType],
    members: Members,
    late: Sequence[Staged],
    floor: str,
) -> Counts:
    """The same for a table without a key: only ``"~upserts"`` has rows."""
    session.create(keyless.NEW_TOKENS, keyless.tokens())
    sink.find_tokens(keyless.NEW_TOKENS if late else f"{keyless.NEW_TOKENS} WHERE FALSE")
    session.create(UPSERTS, keyless.appends(list(target), floor))
    make_nothing(session)
    read, quarantined, _ = tally(members.fresh)
    (inserted,) = numbers(session, f"SELECT count(*) FROM {UPSERTS}")
    stale = read - quarantined - inserted
    return Counts(read=read, applied=inserted, stale=stale, quarantined=quarantined, inserted=inserted)


def refuse_keyless(session: Session, fresh: Sequence[Staged]) -> None:
    """Take updates and deletes of a table without a key out of the files' rows and reject them."""
    for staged in fresh:
        if not staged.relation:
            continue
        found = session.rows(keyless.refused(staged.relation))
        if found:
            session.create(staged.relation, f"SELECT * FROM {staged.relation} WHERE \"~op\" = 'I'")
            file = staged.opened.file
            staged.rejects += [Reject(file, row, None, keyless.REFUSED[op], raw) for row, op, raw in found]


_EMPTY = {
    HITS: {"ord": "BIGINT", "part": "INTEGER", "pos": "BIGINT"},
    VERDICTS: {"ord": "BIGINT", "kind": "VARCHAR", "verdict": "VARCHAR"},
    UNCHANGED: {"ord": "BIGINT"},
}


def make_nothing(session: Session) -> None:
    """Make the relations of what a batch does to rows of the table, for one that does nothing to any."""
    for name, columns in _EMPTY.items():
        session.create(name, nothing(columns))


def fill_gaps(session: Session, members: Members, target: Mapping[str, DeltaType], width: int) -> dict[str, str]:
    """Make the relations of values that columns keep where files do not speak of them; their names by column."""
    gaps = lacking(members.all, target)
    return {name: _fill(session, name, i, width, files) for i, (name, files) in enumerate(gaps.items())}


def _fill(session: Session, column: str, index: int, width: int, files: Sequence[int]) -> str:
    """Make the relation of the values that ``column`` keeps; returns its name."""
    table = f'"~fill_{index}"'
    session.create(fill.STEPS, fill.steps(width, files))
    session.create(fill.TRAIL, fill.trail(files))
    while numbers(session, fill.hops(files))[0]:
        session.create(fill.TRAIL, fill.hop(files))
    session.create(table, fill.values(column, width))
    return table


def _count(session: Session, contract: TableContract, members: Members) -> Counts:
    read, quarantined, outdated = tally(members.fresh)
    survived, applied = numbers(session, account.surviving())
    inserted, updated, deleted = numbers(session, account.moved())
    (changed,) = numbers(session, account.key_changes(contract.key, len(members.fresh)))
    return Counts(
        read=read,
        applied=applied,
        superseded=read - quarantined - outdated - survived,
        stale=outdated + survived - applied,
        quarantined=quarantined,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        key_changes=changed,
    )


def tally(fresh: Sequence[Staged]) -> tuple[int, int, int]:
    """Rows read, quarantined, and older than the table's load."""
    return (
        sum(staged.rows for staged in fresh),
        sum(len(staged.rejects) for staged in fresh),
        sum(staged.outdated for staged in fresh),
    )
