"""Late files: changes that stand before what the table already contains.

They are replayed with every applied file that reaches behind their beginning, restricted to their keys. So a deleted
row does not come back: the files that deleted it are still in the landing zone, which is the tombstone memory.
Lateness is a matter of tokens, not of names: a file delivered again under a newer name is late as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catchment.apply.generation import settle
from catchment.apply.pending import Listing
from catchment.apply.staging import Stage, Staged, lacking
from catchment.changes import effects
from catchment.changes.relations import TOUCHED, comma, keys
from catchment.changes.session import Session, numbers
from catchment.landing.contract import TableContract
from catchment.landing.names import LandingFile
from catchment.landing.types import DeltaType
from catchment.sinks.ledger import Ledger, Place


@dataclass
class Replay:
    """Applied files read again, with the rows that touch the late keys; ``missing`` have left the landing zone."""

    files: list[Staged] = field(default_factory=list)
    missing: int = 0


def late_files(fresh: Sequence[Staged], ledger: Ledger) -> list[Staged]:
    """Those of the new files that do not begin after the end of what the table contains."""
    end = ledger.end
    return [
        staged for staged in fresh if end and (start := staged.applied.starts()) is not None and start.is_before(end)
    ]


def replay(
    session: Session,
    stage: Stage,
    contract: TableContract,
    target: Mapping[str, DeltaType],
    late: Sequence[Staged],
    fresh: Sequence[Staged],
    listing: Listing,
    ledger: Ledger,
) -> Replay:
    """Read again what the late files have to be seen together with."""
    starts = min(start for staged in late if (start := staged.applied.starts()) is not None)
    again, missing = _behind(starts, fresh, listing, ledger)
    _touch(session, contract, late)
    opened = [stage.open(file, target) for file in again]
    partial = _partial(fresh, [set(each.shape.columns) for each in opened if each.shape], target)
    found = Replay(missing=missing)
    if partial:
        # A value carried over a key change may come from before any of this: only the whole history tells it.
        again, missing = _behind(None, fresh, listing, ledger)
        opened, found.missing = [stage.open(file, target) for file in again], missing
        _spread(session, contract, fresh)
    while True:
        before = _touched(session)
        for staged in found.files:
            session.drop(staged.relation)
        found.files = []
        for each in opened:
            staged = stage.read(each, target)
            settle(session, staged, ledger.generation.floor)
            if staged.relation and _keep_touching(session, contract, staged.relation):
                found.files.append(staged)
                if partial:
                    _spread(session, contract, [staged])
            elif staged.relation:
                session.drop(staged.relation)
        if not partial or _touched(session) == before:
            return found


def _behind(
    starts: Place | None, fresh: Sequence[Staged], listing: Listing, ledger: Ledger
) -> tuple[list[LandingFile], int]:
    """The applied files that end behind a place (None: all), in order, and how many of them are gone."""
    new, floor = {staged.applied.path for staged in fresh}, ledger.generation.floor
    older = {file.path for file in ledger.files.values() if file.last is not None and file.last < floor}
    wanted = [
        file
        for file in ledger.files.values()
        if file.path not in new
        and file.path not in older
        and (end := file.ends()) is not None
        and (starts is None or starts.is_before(end))
    ]
    # a load file that was written again no longer says what the table contains
    there = [file.path for file in wanted if file.path in listing.present and file.path not in listing.rewritten]
    found = [listing.present[path] for path in there]
    missing = len(wanted) - len(found)
    expired = ledger.expired if ledger.expired and ledger.expired.token >= floor else None
    if expired is not None and (starts is None or starts.is_before(expired)):
        missing += 1
    return sorted(found, key=lambda file: file.position), missing


def _partial(fresh: Sequence[Staged], again: Sequence[set[str]], target: Mapping[str, DeltaType]) -> bool:
    return bool(lacking(fresh, target)) or any(not set(target) <= said for said in again)


def _touch(session: Session, contract: TableContract, late: Sequence[Staged]) -> None:
    """Make ``"~touched"``: the keys of the late files."""
    selects = [effects.touched(contract.key, staged.relation) for staged in late]
    session.create(TOUCHED, " UNION ".join(selects))


def _spread(session: Session, contract: TableContract, files: Sequence[Staged]) -> None:
    """Add the other keys of rows that touch one of the keys."""
    columns = comma(keys(len(contract.key)))
    for staged in files:
        if staged.relation:
            rows = effects.touching(contract.key, staged.relation)
            kept = f'(SELECT * FROM {staged.relation} WHERE "~row" IN ({rows}))'
            new = effects.touched(contract.key, kept)
            session.append(TOUCHED, f"{new} EXCEPT SELECT {columns} FROM {TOUCHED}")


def _keep_touching(session: Session, contract: TableContract, relation: str) -> bool:
    """Remove the rows that touch none of the keys; whether any is left."""
    rows = effects.touching(contract.key, relation)
    session.create(relation, f'SELECT * FROM {relation} WHERE "~row" IN ({rows})')
    return bool(session.rows(f"SELECT 1 FROM {relation} LIMIT 1"))


def _touched(session: Session) -> int:
    return numbers(session, f"SELECT count(*) FROM {TOUCHED}")[0]
