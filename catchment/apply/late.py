"""Late files: changes that stand before what the table already contains.

They are replayed with every applied file that reaches behind their beginning, restricted to their keys. So a deleted
row does not come back: the files that deleted it are still in the landing zone, which is the tombstone memory.
Lateness is a matter of tokens, not of names: a file delivered again under a newer name is late as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from catchment.apply.pending import Listing
from catchment.apply.staging import Stage, Staged, drop_relation, lacking
from catchment.changes import effects
from catchment.changes.relations import TOUCHED, comma, keys
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
    end = ledger.end()
    return [
        staged for staged in fresh if end and (start := staged.applied.starts()) is not None and start.is_before(end)
    ]


def replay(
    con: duckdb.DuckDBPyConnection,
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
    _touch(con, contract, late)
    opened = [stage.open(file, target) for file in again]
    partial = _partial(fresh, [set(each.shape.columns) for each in opened if each.shape], target)
    found = Replay(missing=missing)
    if partial:
        # A value carried over a key change may come from before any of this: only the whole history tells it.
        again, missing = _behind(None, fresh, listing, ledger)
        opened, found.missing = [stage.open(file, target) for file in again], missing
        _spread(con, contract, fresh)
    while True:
        before = _touched(con)
        for staged in found.files:
            drop_relation(con, staged.relation)
        found.files = []
        for each in opened:
            staged = stage.read(each, target)
            if staged.relation and _keep_touching(con, contract, staged.relation):
                found.files.append(staged)
                if partial:
                    _spread(con, contract, [staged])
            else:
                drop_relation(con, staged.relation)
        if not partial or _touched(con) == before:
            return found


def _behind(
    starts: Place | None, fresh: Sequence[Staged], listing: Listing, ledger: Ledger
) -> tuple[list[LandingFile], int]:
    """The applied files that end behind a place (None: all), in order, and how many of them are gone."""
    new = {staged.applied.path for staged in fresh}
    wanted = [
        file
        for file in ledger.files.values()
        if file.path not in new and (end := file.ends()) is not None and (starts is None or starts.is_before(end))
    ]
    found = [listing.present[file.path] for file in wanted if file.path in listing.present]
    missing = len(wanted) - len(found)
    if ledger.expired is not None and (starts is None or starts.is_before(ledger.expired)):
        missing += 1
    return sorted(found, key=lambda file: file.position), missing


def _partial(fresh: Sequence[Staged], again: Sequence[set[str]], target: Mapping[str, DeltaType]) -> bool:
    return bool(lacking(fresh, target)) or any(not set(target) <= said for said in again)


def _touch(con: duckdb.DuckDBPyConnection, contract: TableContract, late: Sequence[Staged]) -> None:
    """Make ``"~touched"``: the keys of the late files."""
    selects = [effects.touched(contract.key, staged.relation) for staged in late]
    con.execute(f"CREATE TEMP TABLE {TOUCHED} AS {' UNION '.join(selects)}")


def _spread(con: duckdb.DuckDBPyConnection, contract: TableContract, files: Sequence[Staged]) -> None:
    """Add the other keys of rows that touch one of the keys."""
    columns = comma(keys(len(contract.key)))
    for staged in files:
        if staged.relation:
            rows = effects.touching(contract.key, staged.relation)
            kept = f'(SELECT * FROM {staged.relation} WHERE "~row" IN ({rows}))'
            new = effects.touched(contract.key, kept)
            con.execute(f"INSERT INTO {TOUCHED} {new} EXCEPT SELECT {columns} FROM {TOUCHED}")


def _keep_touching(con: duckdb.DuckDBPyConnection, contract: TableContract, relation: str) -> bool:
    """Remove the rows that touch none of the keys; whether any is left."""
    con.execute(f'DELETE FROM {relation} WHERE "~row" NOT IN ({effects.touching(contract.key, relation)})')
    return con.execute(f"SELECT 1 FROM {relation} LIMIT 1").fetchone() is not None


def _touched(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute(f"SELECT count(*) FROM {TOUCHED}").fetchone()
    assert row is not None
    return int(row[0])
