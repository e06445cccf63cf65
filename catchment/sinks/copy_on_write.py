"""Copy-on-write: the files that a batch changes are read and written again, and no others.

The session's relations say what changes (``"~hits"``, ``"~verdicts"``, ``"~upserts"``, ``"~unchanged"``); ``layout``
says which files are written together. They are written side by side, one query each: what is left of the old rows and
the new ones, both sorted already, so that putting them in order costs little more than copying them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

from catchment.changes.guard import effective
from catchment.changes.relations import HITS, ORD, UNCHANGED, UPSERTS, VERDICTS, comma, quote, text
from catchment.changes.session import DuckSession, numbers
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part
from catchment.sinks.delta_write import PartFiles
from catchment.sinks.key_ranges import as_tuple
from catchment.sinks.layout import Layout
from catchment.sinks.merge_on_read import Marked, MaskingPolicy, mark
from catchment.sinks.partitions import Values, as_texts, without
from catchment.sinks.routing import Group

TARGET_BYTES = 20_000_000
"""How large files are made; docs/decisions/0093 has the measurements."""
_TO_WRITE, _PLACED, _SLOTS = '"~to_write"', '"~placed"', '"~slots"'
# Not temporary: the queries that write files run side by side, each on a cursor of its own.
_GONE, _NEW = '"~gone"', '"~new"'
_SAMPLE = 20_000
_ROW_BYTES = 60
_SIDES = "build_side_probe_side"


@dataclass(frozen=True)
class Rewritten:
    """What copy-on-write did: files to add, the parts they stand for, and those that are marked instead."""

    adds: Sequence[Add]
    parts: Sequence[Part]
    marked: Marked


class CopyOnWrite:
    """One commit's files: made of the session's relations and the files of ``layout``, with ``columns``."""

    def __init__(
        self,
        session: DuckSession,
        files: PartFiles,
        layout: Layout,
        columns: Mapping[str, DeltaType],
    ) -> None:
        self._session, self._files, self._layout, self._columns = session, files, layout, columns
        self._stored = without(columns, layout.partition_by)
        self._key = list(without(layout.key, layout.partition_by))  # within a partition it is the order

    def run(self, masking: MaskingPolicy | None = None, *, everything: bool = False) -> Rewritten:
        """Write the files that the batch changes, none without rows.

        ``masking`` says which are better marked, None: none is; ``everything`` writes all of the files.
        """
        if not self._layout.parts and not self._layout.partition_by:
            return Rewritten(self._first(), [], Marked())
        self._session.con.execute(
            f"CREATE OR REPLACE TABLE {_GONE} AS SELECT h.part, h.pos FROM {HITS} h "
            f"JOIN {VERDICTS} v ON v.ord = h.ord WHERE {effective()} ORDER BY h.part, h.pos"
        )
        marked = Marked()
        if masking is not None and not everything:
            marked = mark(self._session, _GONE, self._layout.parts, self._files.masks, masking)
        touched = {number for (number,) in self._session.rows(f"SELECT DISTINCT part FROM {_GONE}")}
        if everything:
            touched = {part.number for part in self._layout.parts}
        self._place(marked.numbers)
        fresh = dict(self._session.rows(f"SELECT slot, count(*) FROM {_PLACED} WHERE pos IS NULL GROUP BY slot"))
        target_rows = self._target_rows(sum(fresh.values()))
        groups = self._layout.plan(touched - marked.numbers, fresh, target_rows, marked.numbers)
        if not groups:
            return Rewritten([], [], marked)
        for relation in (_TO_WRITE, HITS, UNCHANGED):  # gathering needs the memory
            self._session.drop(relation)
        self._gather(groups)
        self._session.forget({_GONE, _NEW, self._files.masks.relation})
        queries = [
            (query, group.partition)
            for number, group in enumerate(groups)
            for query in self._queries(number, group, added=any(slot in fresh for slot in group.slots))
        ]
        return Rewritten(self._write(queries), [part for group in groups for part in group.parts], marked)

    def _first(self) -> list[Add]:
        """The files of a table that has none, nor partitions: every row is new, and there is nothing to look for."""
        (rows,) = numbers(self._session, f"SELECT count(*) FROM {UPSERTS}")
        if not rows:
            return []
        group = Group.of([], [], rows, self._target_rows(rows))
        if self._comes_in_order():
            return self._write([(query, group.partition) for query in self._as_they_come(group)], beside=False)
        self._sort('0 AS "~group"', f"{UPSERTS} u", [])
        self._session.forget({_NEW, self._files.masks.relation})
        return self._write([(query, group.partition) for query in self._queries(0, group, added=True)])

    def _comes_in_order(self) -> bool:
        """Whether the upserts are in order of a key as they were read; most sources are loaded that way."""
        if not self._key:
            return False
        key = as_tuple([quote(name) for name in self._key])
        self._session.con.execute("SET preserve_insertion_order = true")
        [(ordered,)] = self._session.rows(
            f"SELECT bool_and(later) FROM (SELECT {key} > lag({key}) OVER () AS later FROM {UPSERTS})"
        )
        self._session.con.execute("SET preserve_insertion_order = false")
        return ordered is not False

    def _as_they_come(self, group: Group) -> list[str]:
        """The rows of each piece of upserts that come in order."""
        rows = f"SELECT {self._chosen()} FROM {UPSERTS} u"
        if group.pieces == 1:
            return [rows]
        self._session.con.execute("SET preserve_insertion_order = true")
        return [f"{rows} WHERE {piece}" for piece in self._cuts(f"FROM {UPSERTS}", group, "")]

    def _place(self, marked: Set[int]) -> None:
        """Make (ord, slot, pos) of the rows to write: where each goes, and the row there that it replaces, if any.

        A row of a ``marked`` part stays behind masked, so the one in its place is as good as new.
        """
        layout = self._layout
        key = comma(f"u.{quote(name)} AS k{i}" for i, name in enumerate(layout.key)) or "NULL AS nothing"
        left_behind = comma(str(number) for number in sorted(marked)) or "NULL"
        self._session.create(
            _TO_WRITE,
            f"SELECT u.{ORD} AS ord, CASE WHEN h.part IN ({left_behind}) THEN NULL ELSE h.part END AS part, h.pos, "
            f"{key}{as_texts(layout.partition_by, 'u')} FROM {UPSERTS} u "
            f"LEFT JOIN (SELECT ord, min(part) AS part, arg_min(pos, part) AS pos FROM {HITS} GROUP BY ord) h "
            f"ON h.ord = u.{ORD} "
            f"WHERE u.{ORD} NOT IN (SELECT ord FROM {UNCHANGED})",
        )
        if layout.partition_by:
            self._session.create(_TO_WRITE, self._in_partitions())
        slots = comma(str(slot) for slot in self._layout.slots) or "NULL"
        new = self._layout.place(f"SELECT * EXCLUDE (part, pos) FROM {_TO_WRITE} WHERE part IS NULL")
        self._session.create(
            _PLACED,
            f"SELECT ord, ([{slots}])[part + 1] AS slot, pos FROM {_TO_WRITE} WHERE part IS NOT NULL "
            f"UNION ALL SELECT ord, slot, NULL AS pos FROM ({new})",
        )

    def _in_partitions(self) -> str:
        """SELECT the rows to write with their partition; one that comes from another is as good as new."""
        numbers = comma(str(number) for number in self._layout.partitions) or "NULL"
        stays = f"([{numbers}])[part + 1] = prt"
        rows = self._layout.number(_TO_WRITE)
        return f"SELECT * REPLACE (CASE WHEN {stays} THEN part END AS part) FROM ({rows})"

    def _gather(self, groups: Sequence[Group]) -> None:
        """Make the rows to write, group by group and sorted by key."""
        pairs = comma(f"({slot}, {number})" for number, group in enumerate(groups) for slot in group.slots)
        self._session.create(_SLOTS, f"SELECT * FROM (VALUES {pairs}) s(slot, grp)")
        joined = f"{UPSERTS} u JOIN {_PLACED} p ON p.ord = u.{ORD} JOIN {_SLOTS} s ON s.slot = p.slot"
        self._sort('s.grp AS "~group", p.pos AS "~pos"', joined, ["s.grp"])

    def _sort(self, places: str, rows: str, order: Sequence[str]) -> None:
        """Make the rows to write: ``places`` and columns of upserts ``u`` in ``rows``, by ``order`` and key."""
        by = comma([*order, *(f"u.{quote(name)}" for name in self._key)])
        query = f"SELECT {places}, {self._chosen()} FROM {rows}{f' ORDER BY {by}' if by else ''}"
        self._session.con.execute(f"CREATE OR REPLACE TABLE {_NEW} AS {query}")

    def _chosen(self) -> str:
        return comma(f"CAST(u.{quote(name)} AS {kind.duckdb}) AS {quote(name)}" for name, kind in self._columns.items())

    def _write(self, queries: Sequence[tuple[str, Values]], *, beside: bool = True) -> list[Add]:
        """Write a file of each query's rows, ``beside`` each other where the queries read what all cursors see."""
        con = self._session.con
        con.execute("SET preserve_insertion_order = true")
        # The new rows are what a join holds in memory, and the file is what goes by, in its order.
        con.execute(f"SET disabled_optimizers = '{_SIDES}'")
        try:
            return self._write_in_order(queries, beside=beside)
        finally:
            con.execute("SET disabled_optimizers = ''")
            con.execute("SET preserve_insertion_order = false")

    def _write_in_order(self, queries: Sequence[tuple[str, Values]], *, beside: bool) -> list[Add]:
        (threads,) = numbers(self._session, "SELECT current_setting('threads')")
        if threads == 1 or len(queries) == 1 or not beside:
            written = [self._files.write(self._session.con, rows, self._stored, where) for rows, where in queries]
        else:
            # One thread a query: what runs beside it is the next file, and each holds as little as it can.
            self._session.con.execute("SET threads = 1")
            try:
                with ThreadPoolExecutor(threads) as pool:
                    written = list(pool.map(self._write_beside, *zip(*queries, strict=True)))
            finally:
                self._session.con.execute(f"SET threads = {threads}")
        return [add for add in written if add is not None]

    def _write_beside(self, rows: str, partition: Values) -> Add | None:
        with self._session.con.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            return self._files.write(cursor, rows, self._stored, partition)

    def _queries(self, number: int, group: Group, *, added: bool) -> list[str]:
        """The rows of each piece of a group; ``added``: not each of the new ones replaces another."""
        if not group.parts:
            return self._stretches(number, group.pieces)
        if len(group.parts) == group.pieces == 1 and not added:
            return [self._in_place(number, group.parts[0])]
        order = f" ORDER BY {comma(quote(name) for name in self._key)}" if self._key else ""
        rows = self._rows(number, group)
        if group.pieces == 1 or not self._key:
            return [rows + order]
        return [f"SELECT * FROM ({rows}) WHERE {piece}{order}" for piece in self._cuts(rows, group, order)]

    def _rows(self, number: int, group: Group) -> str:
        """What is left of the group's files, and its new rows."""
        return " UNION ALL ".join([*(self._left(part) for part in group.parts), self._new(number)])

    def _new(self, number: int) -> str:
        named = comma(quote(name) for name in self._stored)
        return f'SELECT {named} FROM {_NEW} WHERE "~group" = {number}'

    def _in_place(self, number: int, part: Part) -> str:
        """The rows of a file in its order, new versions in the places of old ones: nothing has to be sorted."""
        reader = self._files.reader(self._session.con, [part])
        chosen = comma(
            f'CASE WHEN n."~pos" IS NULL THEN {reader.column(name, kind)} ELSE n.{quote(name)} END AS {quote(name)}'
            for name, kind in self._stored.items()
        )
        return (
            f'SELECT {chosen} FROM {reader.scan} LEFT JOIN (FROM {_NEW} WHERE "~group" = {number}) n '
            f'ON n."~pos" = t.file_row_number WHERE n."~pos" IS NOT NULL OR t.file_row_number NOT IN '
            f"(SELECT pos FROM {_GONE} WHERE part = {part.number})"
        )

    def _left(self, part: Part) -> str:
        reader = self._files.reader(self._session.con, [part])
        return (
            f"SELECT {reader.columns(self._stored)} FROM {reader.scan} WHERE NOT EXISTS "
            f"(SELECT 1 FROM {_GONE} g WHERE g.part = {part.number} AND g.pos = t.file_row_number)"
        )

    def _stretches(self, number: int, pieces: int) -> list[str]:
        """The pieces of a group of new rows alone: they lie in order already."""
        if pieces == 1:
            return [self._new(number)]
        [(first, last, count)] = self._session.rows(
            f'SELECT min(rowid), max(rowid), count(*) FROM {_NEW} WHERE "~group" = {number}'
        )
        if last - first + 1 != count:
            raise AssertionError(f"{count} rows of one group lie in {last - first + 1} places")
        edges = [first + count * i // pieces for i in range(pieces + 1)]
        return [f"{self._new(number)} AND rowid >= {low} AND rowid < {high}" for low, high in pairwise(edges)]

    def _cuts(self, rows: str, group: Group, order: str) -> list[str]:
        """Conditions that cut a group by key into pieces of about one length; no ``order``: it comes in order."""
        key = comma(quote(name) for name in self._key)
        every = -(-group.rows // group.pieces)
        shown = comma(f"CAST({quote(name)} AS VARCHAR)" for name in self._key)
        cuts = self._session.rows(
            f'SELECT {shown} FROM (SELECT {key}, row_number() OVER ({order}) - 1 AS "~at" FROM ({rows})) '
            f'WHERE "~at" > 0 AND "~at" % {every} = 0 ORDER BY "~at"'
        )
        kinds = [self._columns[name].duckdb for name in self._key]
        edges = [[f"CAST({text(value)} AS {kind})" for kind, value in zip(kinds, cut, strict=True)] for cut in cuts]
        return [self._between(low, high) for low, high in zip([None, *edges], [*edges, None], strict=True)]

    def _between(self, low: Sequence[str] | None, high: Sequence[str] | None) -> str:
        """A condition on keys. The first column's own bounds are what row groups are skipped by."""
        named = [quote(name) for name in self._key]
        found = ["TRUE"]
        if low is not None:
            found += [f"{as_tuple(named)} >= {as_tuple(low)}", f"{named[0]} >= {low[0]}"]
        if high is not None:
            found += [f"{as_tuple(named)} < {as_tuple(high)}", f"{named[0]} <= {high[0]}"]
        return " AND ".join(found)

    def _target_rows(self, new: int) -> int:
        """How many rows a file of the wanted size has."""
        known = [part for part in self._layout.parts if part.add.records]
        rows = sum(part.length for part in known)
        if new > max(rows, _SAMPLE):
            width = self._files.bytes_a_row(self._session.con, f"FROM {UPSERTS} LIMIT {_SAMPLE}")
        else:
            width = sum(part.add.size for part in known) / rows if rows > _SAMPLE else _ROW_BYTES
        return max(1, int(TARGET_BYTES / width))
