"""Load generations: which files make up the table's present load, and when a new load takes its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from catchment.apply.loads import LoadState, LoadStates
from catchment.apply.pending import Listing
from catchment.apply.staging import Staged
from catchment.changes.relations import text
from catchment.changes.session import Session
from catchment.errors import ReloadSeen, SchemaConflict
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.reload.request import ReloadRequest, floor_before
from catchment.sinks.base import TableState

CLOCKS_APART = timedelta(seconds=1)
"""How far the clocks of DMS, the source and the storage may differ."""


@dataclass(frozen=True)
class Load:
    """A complete load: its files, the floor its rows stand at, and how many rows it has (None: nobody says).

    ``state`` is what was said of it; a load that says something else right before the commit has begun again.
    """

    files: Sequence[LandingFile]
    floor: str = ""
    rows: int | None = None
    state: LoadState | None = None


@dataclass(frozen=True)
class Plan:
    """What to do next: swap in ``load``, else take ``files`` in order. ``waiting`` says what is waited for besides.

    ``first`` is the load among ``files`` where the table has none yet: it goes into one commit whole.
    """

    files: Sequence[LandingFile] = ()
    swap: Load | None = None
    first: Load | None = None
    waiting: str = ""
    left_over: int = 0


def plan(
    contract: TableContract,
    state: TableState,
    listing: Listing,
    request: ReloadRequest | None,
    loads: LoadStates,
) -> Plan:
    """Decide about the load files. Raises ReloadSeen where one was written again and nobody says what for.

    Changes are always applied to the table that is there: a reload holds back its own files, nothing else.
    """
    generation = state.ledger.generation
    asked = request if request is not None and request.floor > generation.floor else None
    if asked is not None:
        made = _asked(contract, state, listing, asked, loads)
    elif any(file.kind is Kind.LOAD for file in listing.new) or listing.rewritten:
        made = _unasked(contract, state, listing, loads)
    else:
        made = Plan(listing.new)
    return made if made.swap else _built_alike(contract, state, made)


def _asked(
    contract: TableContract, state: TableState, listing: Listing, request: ReloadRequest, loads: LoadStates
) -> Plan:
    changes = [file for file in listing.new if file.kind is Kind.CHANGES]
    seen = loads.state(contract.name)
    if request.complete or seen is None:
        files = _present(listing, None if request.complete else _when(request.requested_at), listing.rewritten)
        if request.complete or any(file.path in listing.rewritten or file in listing.new for file in files):
            return Plan(swap=Load(files, request.floor))
        return Plan(changes, waiting="a reload was requested: its load files are not there yet")
    if seen.started is None or seen.started < request.moment:
        return Plan(changes, waiting="a reload was requested: the load has not begun")
    if not seen.complete:
        return Plan(changes, waiting=f"a reload was requested: {seen}")
    return Plan(swap=Load(_present(listing, seen.started), request.floor, seen.rows, seen))


def _unasked(contract: TableContract, state: TableState, listing: Listing, loads: LoadStates) -> Plan:
    """Load files that nobody announced: the first load, or a reload started elsewhere."""
    first = not state.ledger.files and state.ledger.expired is None
    changes = [file for file in listing.new if file.kind is Kind.CHANGES]
    seen = loads.state(contract.name)
    if seen is None:
        if listing.rewritten:
            raise ReloadSeen(str(contract.name), next(iter(listing.rewritten)))
        return Plan(listing.new, first=Load([file for file in listing.new if file.kind is Kind.LOAD]))
    if not seen.complete or seen.started is None:
        return Plan([] if first else changes, waiting=str(seen))
    files = _present(listing, seen.started)
    fresh = [file for file in files if file in listing.new or file.path in listing.rewritten]
    unplaced = sum(file.kind is Kind.LOAD for file in listing.new) + len(listing.rewritten) - len(fresh)
    if not fresh:
        return Plan(changes, left_over=unplaced)
    if first:
        return Plan([*files, *changes], first=Load(files, "", seen.rows, seen), left_over=unplaced)
    floor = floor_before(seen.started, CLOCKS_APART)
    if floor <= state.ledger.generation.floor:
        raise ReloadSeen(str(contract.name), fresh[0].path)
    return Plan(swap=Load(files, floor, seen.rows, seen), left_over=unplaced)


def _present(
    listing: Listing, since: datetime | None, besides: dict[str, LandingFile] | None = None
) -> list[LandingFile]:
    """The load files written since a moment (None: all), those in ``besides``, and those that are new, in order.

    Stale ones of an older load, with higher numbers, are older.
    """
    earliest = 0 if since is None else int((since - CLOCKS_APART).replace(microsecond=0).timestamp()) * 10**9
    new = {file.path for file in listing.new} if besides is not None else set()
    found = [
        file
        for file in listing.present.values()
        if file.kind is Kind.LOAD
        and (file.object.modified_ns >= earliest or file.path in new or file.path in (besides or {}))
    ]
    return sorted(found, key=lambda file: file.position)


def newest_load(listing: Listing) -> str:
    """The path of the load file written last; empty where there is none."""
    loads = [(file.object.modified_ns, path) for path, file in listing.present.items() if file.kind is Kind.LOAD]
    return max(loads, default=(0, ""))[1]


def _when(iso: str) -> datetime:
    return datetime.fromisoformat(iso) + CLOCKS_APART


def _built_alike(contract: TableContract, state: TableState, made: Plan) -> Plan:
    """The plan, unless the contract's key or partitions are not the table's. Raises SchemaConflict where files wait."""
    if state.version is None or not made.files:
        return made
    key = state.ledger.generation.key
    pairs = {
        "key": (contract.key, contract.key if key is None else key),
        "partitioning": (contract.partition_by, state.partition_by),
    }
    other = {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}
    if other and made.waiting:
        return replace(made, files=())
    for what, (wanted, known) in other.items():
        raise SchemaConflict(
            str(contract.name),
            ", ".join(wanted) or "none",
            f"the {what} that is asked for",
            f"the table was built with the {what} {', '.join(known) or 'none'}; "
            "`catchment reload` builds it anew with the other",
        )
    return made


def settle(session: Session, staged: Staged, floor: str) -> None:
    """Place a file's rows in the generation with that floor: load rows stand at it, changes below it do not count."""
    applied = staged.applied
    if not floor or applied.first is None:
        return
    if staged.opened.file.kind is Kind.LOAD:
        staged.applied = replace(applied, first=floor, last=floor)
    elif applied.first < floor:
        session.create(staged.relation, f'SELECT * FROM {staged.relation} WHERE "~seq" >= {text(floor)}')
        [(kept, first, last)] = session.rows(f'SELECT count(*), min("~seq"), max("~seq") FROM {staged.relation}')
        staged.outdated = staged.rows - len(staged.rejects) - kept
        staged.applied = replace(applied, first=first, last=last)
