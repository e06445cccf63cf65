"""The source of a written history: what its tables hold, and what its log tells of each change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from catchment.engines.base import Capture, SourceTypes
from local.dms.scripted.script import Added, Delete, Insert, Move, Statement, TableScript, Update
from local.dms.shapes import Column, TableShape

Values = dict[str, str | None]
"""A row's values as text, by column."""


@dataclass(frozen=True)
class Record:
    """One row of a change file: ``operation`` is I, U or D, ``before`` the before-images of the key's columns."""

    operation: str
    values: Values
    before: Values = field(default_factory=dict)


class ScriptError(ValueError):
    """A statement that the source would refuse."""


class Table:
    """One table. ``name`` is ``schema.table``; types are the engine's."""

    def __init__(self, name: str, said: TableScript, types: SourceTypes, capture: Capture) -> None:
        self._name, self._key, self._types, self._capture = name, said.key, types, capture
        self._columns = dict(said.columns)
        self.rows: list[Values] = []
        for row in said.rows:
            self._put(dict(zip(self._columns, row, strict=True)))

    @property
    def shape(self) -> TableShape:
        """As it is now."""
        schema, _, table = self._name.partition(".")
        columns = (
            Column(name, self._types.dms_type(declared), in_key=name in self._key)
            for name, declared in self._columns.items()
        )
        return TableShape(schema, table, tuple(columns), self._key)

    def add(self, added: Added) -> None:
        """A column more. Raises ScriptError where there is one of that name."""
        if added.column in self._columns:
            raise ScriptError(f"{self._name} has a column {added.column} already")
        self._columns[added.column] = added.type
        for row in self.rows:
            row[added.column] = self._stored(added.default)

    def run(self, statement: Statement) -> Iterator[Record]:
        """Run a statement; what the log tells of it. Raises ScriptError."""
        match statement:
            case Insert(row=row):
                if len(row) != len(self._columns):
                    raise ScriptError(f"{self._name} has {len(self._columns)} columns, the row {len(row)} values")
                yield Record("I", dict(self._put(dict(zip(self._columns, row, strict=True)))))
            case Update(where=where, set=changed):
                for found in self._found(where):
                    yield self._changed(found, changed)
            case Move(keys=pairs):
                yield from self._moved(pairs)
            case Delete(where=where):
                for found in self._found(where):
                    self.rows.remove(found)
                    yield self._deleted(found)

    def _found(self, where: Mapping[str, str | None]) -> list[Values]:
        found = [row for row in self.rows if all(row.get(name) == value for name, value in where.items())]
        if not found:
            raise ScriptError(f"{self._name} has no row with {dict(where)}")
        return found

    def _stored(self, value: str | None) -> str | None:
        return None if value == "" and self._capture.empty_text_is_null else value

    def _put(self, row: Values) -> Values:
        stored = {name: self._stored(value) for name, value in row.items()}
        self._refuse_second(stored, self.rows)
        self.rows.append(stored)
        return stored

    def _refuse_second(self, row: Values, others: list[Values]) -> None:
        key = self._key_of(row)
        if self._key and any(self._key_of(other) == key for other in others if other is not row):
            raise ScriptError(f"{self._name} has a row with the key {key} already")

    def _key_of(self, row: Values) -> tuple[str | None, ...]:
        return tuple(row[name] for name in self._key)

    def _changed(self, row: Values, changed: Mapping[str, str | None]) -> Record:
        old = dict(row)
        if strange := changed.keys() - self._columns.keys():
            raise ScriptError(f"{self._name} has no column {', '.join(sorted(strange))}")
        row.update({name: self._stored(value) for name, value in changed.items()})
        self._refuse_second(row, self.rows)
        return Record("U", dict(row), self._before(old, row))

    def _before(self, old: Values, new: Values) -> Values:
        moved = {name for name in self._key if old[name] != new[name]}
        told = moved if self._capture.partial_before_images else set(self._key)
        return {name: old[name] for name in told} if moved else {}

    def _moved(self, pairs: list[tuple[list[str | None], list[str | None]]]) -> Iterator[Record]:
        """All keys at once: no row is in another's way."""
        rows = [self._found(dict(zip(self._key, old, strict=True)))[0] for old, _ in pairs]
        olds = [dict(row) for row in rows]
        for row, (_, new) in zip(rows, pairs, strict=True):
            row.update(zip(self._key, new, strict=True))
        for row in rows:
            self._refuse_second(row, self.rows)
        if self._capture.splits_key_updates and len(pairs) > 1:
            yield from map(self._deleted, olds)
            for row in rows:
                yield Record("I", dict(row))
        else:
            for row, old in zip(rows, olds, strict=True):
                yield Record("U", dict(row), self._before(old, row))

    def _deleted(self, row: Values) -> Record:
        whole = self._capture.whole_deletes or not self._key
        return Record("D", {name: value if whole or name in self._key else None for name, value in row.items()})
