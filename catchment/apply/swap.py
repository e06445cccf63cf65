"""A new load takes the place of the old one: what the files of the new generation mean, against the present table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catchment.apply.account import Counts
from catchment.apply.batch import Members, fill_gaps, make_nothing, tally
from catchment.apply.staging import Staged
from catchment.changes import account, effects, keyless, net, swap
from catchment.changes.relations import EFFECTS, HITS, UNCHANGED, UPSERTS, VERDICTS, WINNERS
from catchment.changes.session import Session, nothing, numbers
from catchment.changes.upserts import upserts
from catchment.errors import SchemaConflict, UnreadableFile
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind
from catchment.landing.types import DeltaType
from catchment.sinks.base import Sink

_NONE = f"SELECT ord FROM {HITS} WHERE FALSE"


def work_out_swap(
    session: Session,
    sink: Sink,
    contract: TableContract,
    target: Mapping[str, DeltaType],
    members: Members,
    floor: str,
) -> Counts:
    """Make ``"~verdicts"``, ``"~upserts"`` and ``"~unchanged"`` that turn the table into what ``"~rows"`` say."""
    key, width = contract.key, len(contract.key)
    _net(session, contract, members, floor)
    kinds = {name: target[name] for name in key}
    sink.keys(kinds)
    session.create(WINNERS, swap.with_deletions(width, floor))
    sink.find(kinds)
    session.create(VERDICTS, swap.verdicts())
    sink.existing(_NONE, target)  # before the floor there is nothing a value could be carried over from
    session.define(UPSERTS, upserts(list(target), fill_gaps(session, members, target, width), floor))
    sink.existing(f"SELECT ord FROM {VERDICTS} WHERE verdict = 'older' AND kind <> 'D'", target)
    session.create(UNCHANGED, swap.unchanged({name: kind.name for name, kind in target.items()}, floor))
    inserted, updated, deleted = numbers(session, account.moved())
    (unchanged,) = numbers(session, f"SELECT count(*) FROM {UNCHANGED}")
    return _counts(session, members, inserted, updated, deleted, unchanged)


def work_out_rebuild(
    session: Session,
    sink: Sink,
    contract: TableContract,
    target: Mapping[str, DeltaType],
    members: Members,
    floor: str,
    rows: int,
) -> Counts:
    """The same where no row of the table can be told from another by the key: all ``rows`` of it go."""
    make_nothing(session)
    if contract.key:
        _net(session, contract, members, floor)
        session.create(VERDICTS, swap.verdicts())
        sink.existing(_NONE, target)
        session.define(UPSERTS, upserts(list(target), fill_gaps(session, members, target, len(contract.key)), floor))
    else:
        session.create(keyless.PRESENT, nothing({"token": "VARCHAR"}))
        session.create(UPSERTS, keyless.appends(list(target), floor))
    (inserted,) = numbers(session, f"SELECT count(*) FROM {UPSERTS}")
    if contract.key:
        return _counts(session, members, inserted, 0, rows, 0)
    read, quarantined, _ = tally(members.fresh)
    return Counts(read=read, applied=read - quarantined, quarantined=quarantined, inserted=inserted, deleted=rows)


def check_swap(contract: TableContract, target: Mapping[str, DeltaType], load: Sequence[Staged]) -> None:
    """Raise UnreadableFile where a part of the load is lost, SchemaConflict where it lacks a part of the key."""
    for staged in load:
        if staged.applied.unreadable:
            raise UnreadableFile(staged.applied.path, f"{staged.rejects[0].reason}; the table stays as it is")
    for part in contract.key:
        if part not in target:
            raise SchemaConflict(str(contract.name), part, "no column of the load", "but part of its key")


def _net(session: Session, contract: TableContract, members: Members, floor: str) -> None:
    loads_only = all(staged.opened.file.kind is Kind.LOAD for staged in members.all)
    session.create(EFFECTS, effects.order(contract.key, len(members.fresh), loads_only=loads_only, floor=floor))
    session.create(WINNERS, net.winners(len(contract.key)))


def _counts(session: Session, members: Members, inserted: int, updated: int, deleted: int, unchanged: int) -> Counts:
    """Every row of the load that nothing behind it overwrote is what the table now says."""
    read, quarantined, _ = tally(members.fresh)
    (survived,) = numbers(session, f"SELECT count(*) FROM {VERDICTS} WHERE fresh")
    return Counts(
        read=read,
        applied=survived,
        superseded=read - quarantined - survived,
        quarantined=quarantined,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        unchanged=unchanged,
    )
