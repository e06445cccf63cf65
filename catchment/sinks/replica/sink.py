"""A table of a replica: net changes and the record of their files in one step.

Nobody else writes to the table: the replica is the sink's own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from catchment.changes.guard import effective
from catchment.changes.keyless import PRESENT as PRESENT_TOKENS
from catchment.changes.relations import (
    EXISTING,
    HITS,
    KEYS,
    ORD,
    SEQUENCE,
    UNCHANGED,
    UPSERTS,
    VERDICTS,
    WINNERS,
    both,
    comma,
    keys,
    quote,
)
from catchment.changes.session import DuckSession, nothing, numbers
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch, Committed, TableState
from catchment.sinks.ledger import Ledger
from catchment.sinks.replica.target import PRESENT, Build, Change, Columns, Known, Record, Target, stored

_ORD = {"ord": DeltaType("long")}
_HIT = {"ord": DeltaType("long"), "part": DeltaType("integer"), "pos": DeltaType("long"), "token": STRING}
_CHANGED = f"{ORD} NOT IN (SELECT ord FROM {UNCHANGED})"
_IS_PRESENT = f"{ORD} IN (SELECT ord FROM {HITS})"


@dataclass(frozen=True)
class _Staged:
    """The staged rows: how many to write, how many of them take the place of one that is there, how many go."""

    new: str
    written: int
    present: int
    gone: str | None
    deleted: int


class ReplicaSink:
    """One table of a replica's database."""

    def __init__(self, session: DuckSession, target: Target) -> None:
        self._session, self._target = session, target
        self._known: Known | None = None
        self._recorded: set[str] = set()
        self._wanted = ""

    def open(self) -> TableState:
        """Look at the table; what is known of it is read anew only where its version is another."""
        known = self._target.look(self._known)
        if known is None:
            self._known, self._recorded = None, set()
            return TableState(None, {}, Ledger(), 0)
        if known is not self._known:
            self._keep(known)
        return TableState(known.version, known.columns, known.ledger, known.rows, files=int(known.rows > 0))

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``: the winners' keys are sent to the server, which looks them up by the primary key."""
        self._create(HITS, _HIT)
        if self._known is None:
            return
        parts = keys(len(key))
        named = {"ord": _ORD["ord"], **dict(zip(parts, key.values(), strict=True))}
        self._wanted, _ = self._target.stage("wanted", f"SELECT {comma(named)} FROM {WINNERS}", named, parts)
        same = both(keys(len(key), "w"), [f"t.{quote(column)}" for column in key])
        self._target.fetch(
            f"SELECT w.ord, 0, 0, t.{quote(SEQUENCE)} FROM {self._wanted} w {self._target.joined()} ON {same}",
            _HIT,
            HITS,
        )

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"``: the tokens of the relation ``tokens`` that the table carries."""
        self._create(PRESENT_TOKENS, {"token": STRING})
        if self._known is None:
            return
        chosen, _ = self._target.stage("chosen", f"SELECT token FROM {tokens}", {"token": STRING}, ["token"])
        same = f"t.{quote(SEQUENCE)} = c.token"
        query = f"SELECT DISTINCT c.token FROM {chosen} c {self._target.joined(by_token=True)} ON {same}"
        self._target.fetch(query, {"token": STRING}, PRESENT_TOKENS)

    def existing(self, wanted: str, columns: Mapping[str, DeltaType]) -> None:
        """Make ``"~existing"``: the table's rows, whole, of the hits that ``wanted`` (a query of ``ord``) selects."""
        relation = {"~ord": _ORD["ord"], **stored(columns)}
        self._create(EXISTING, relation)
        chosen = f"SELECT ord FROM {HITS} WHERE ord IN ({wanted})"
        if self._known is None or not numbers(self._session, f"SELECT count(*) FROM ({chosen})")[0]:
            return
        key = self._known.ledger.generation.key or ()
        same = both(keys(len(key), "w"), [f"t.{quote(column)}" for column in key])
        # a column that comes with this batch is in no row yet
        shown = comma(
            self._target.shown(f"t.{quote(name)}", kind) if name in stored(self._known.columns) else "NULL"
            for name, kind in stored(columns).items()
        )
        staged, _ = self._target.stage("chosen", chosen, _ORD)
        joined = self._target.joined()
        query = f"SELECT w.ord, {shown} FROM {staged} c JOIN {self._wanted} w ON w.ord = c.ord {joined} ON {same}"
        self._target.fetch(query, relation, EXISTING)

    def keys(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~keys"``: the keys of all rows."""
        named = dict(zip(keys(len(key)), key.values(), strict=True))
        self._create(KEYS, named)
        if self._known is not None:
            shown = comma(self._target.shown(quote(column), kind) for column, kind in key.items())
            self._target.fetch(f"SELECT {shown} FROM {self._target.name}", named, KEYS)

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Write what changes and record the batch, in one step. Raises LostRace, ReplicaRefused.

        Rows are sent to the server before that, so that it is short.
        """
        key = batch.generation.key or ()
        columns = {**(self._known.columns if self._known else {}), **batch.columns}
        self._target.check(columns, key)
        if batch.overwrite or self._known is None:
            written = stored(batch.columns)
            named = comma(quote(name) for name in written)
            build = Build(columns, key, f"SELECT {named} FROM {UPSERTS} WHERE {_CHANGED}", written)
            version = self._known.version if self._known else None
            after = self._target.replace(version, build, partial(self._record, batch, columns), before_commit)
        else:
            after = self._change(self._known, batch, columns, before_commit)
        self._keep(after)
        return Committed(after.version, after.rows)

    def rename(self, names: Mapping[str, str], before_commit: Callable[[], None]) -> None:
        """Give columns new names, in a commit that adds nothing to the ledger. Raises LostRace."""
        before = self._known
        assert before is not None
        columns = {names.get(name, name): kind for name, kind in before.columns.items()}
        generation = before.ledger.generation
        if generation.key is not None:
            generation = replace(generation, key=tuple(names.get(part, part) for part in generation.key))
        self._target.check(columns, generation.key or ())
        batch = Batch(columns, [], before.ledger.watermark, {}, generation)
        record = self._record(batch, columns, before.rows)
        self._target.rename(names, record, before_commit)
        self._keep(record.known)

    def save_ledger(self) -> None:
        """Nothing: what is known is read from tables, not from a log that grows."""

    def _change(self, known: Known, batch: Batch, columns: Columns, before_commit: Callable[[], None]) -> Known:
        staged = self._stage(known, batch, columns)
        change = Change(
            before=known.columns,
            after=columns,
            key=batch.generation.key or (),
            written=stored(batch.columns),
            new=staged.new if staged.written else None,
            gone=staged.gone if staged.deleted else None,
        )
        record = self._record(batch, columns, known.rows - staged.deleted + staged.written - staged.present)
        self._target.change(change, record, before_commit)
        return record.known

    def _stage(self, known: Known, batch: Batch, columns: Columns) -> _Staged:
        """Rows to write, and the keys of those to delete, in temporary tables."""
        key, written = batch.generation.key or (), stored(batch.columns)
        named = {name: columns[column] for name, column in zip(keys(len(key)), key, strict=True)}
        shown = comma(quote(name) for name in written)
        rows = f"SELECT {shown}, {_IS_PRESENT} AS {quote(PRESENT)} FROM {UPSERTS} WHERE {_CHANGED}"
        new, count = self._target.stage("new", rows, {**written, PRESENT: DeltaType("boolean")}, [*key, SEQUENCE])
        (present,) = numbers(self._session, f"SELECT count(*) FROM {UPSERTS} WHERE {_CHANGED} AND {_IS_PRESENT}")
        if not key or not known.rows:
            return _Staged(new, count, present, None, 0)
        deleted = (
            f"SELECT {comma(named)} FROM {VERDICTS} v "
            f"WHERE v.kind = 'D' AND {effective('v')} AND v.ord IN (SELECT ord FROM {HITS})"
        )
        gone, fewer = self._target.stage("gone", deleted, named, list(named))
        return _Staged(new, count, present, gone, fewer)

    def _record(self, batch: Batch, columns: Columns, rows: int) -> Record:
        before = self._known
        ledger = copy.copy(before.ledger) if before else Ledger()
        ledger.files = dict(ledger.files)
        ledger.add(batch.files, batch.watermark, batch.generation)
        known = Known(before.version + 1 if before else 0, rows, columns, ledger)
        return Record(known, batch, [path for path in self._recorded if path not in ledger.files])

    def _keep(self, known: Known) -> None:
        self._known, self._recorded = known, set(known.ledger.files)

    def _create(self, relation: str, columns: Columns) -> None:
        self._session.create(relation, nothing({name: kind.duckdb for name, kind in columns.items()}))
