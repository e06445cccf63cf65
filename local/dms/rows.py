"""From decoded messages of one table to the rows of a landing file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from local.dms.layout import Commit, Layout, fitted, sequence_texts
from local.dms.mappings import CHANGE_SEQ, AddedColumn
from local.dms.shapes import Column, TableShape
from local.dms.values import Problem, convert

Flags = npt.NDArray[np.bool_]

Lookup = Callable[[TableShape, Column, list[dict[str, str]]], list[str | None]]
"""Reads a column's present text at the source for rows given by their key texts."""

_WORDS = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}


@dataclass(frozen=True)
class DecodedRows:
    """Many row messages of one table.

    ``operations`` holds the bytes I, U and D; ``values[j]`` what ``convert`` takes of column j (NULL also where it was
    not sent); ``unchanged[j]`` marks large values that the update left alone and did not send; ``old[j]`` is column j
    of the old row, where the message had one.
    """

    operations: npt.NDArray[np.uint8]
    values: list[pa.Array]
    unchanged: list[Flags]
    old: list[pa.Array]


Decode = Callable[[Sequence[Any], TableShape], DecodedRows]
"""Understands messages of one table."""


@dataclass(frozen=True)
class RowMaker:
    """How the rows of one table are made. ``lob_limit`` is LobMaxSize in bytes, ``keep_lobs`` is false where large
    objects of changes are NULL, ``decode`` understands the messages, ``lookup`` fetches what was not sent.
    """

    shape: TableShape
    layout: Layout
    lob_limit: int
    decode: Decode
    keep_lobs: bool = True
    lookup: Lookup | None = None

    def changes(
        self, messages: Sequence[Any], commits: list[Commit], counters: list[int]
    ) -> tuple[pa.Table, list[Problem]]:
        """The rows of I, U and D messages, with what did not survive in them."""
        decoded = self.decode(messages, self.shape)
        operations = pa.array(decoded.operations.view("S1").astype("U1"))
        schema = self.layout.schema(self.shape, load=False)
        columns: list[pa.Array] = [operations]
        if self.layout.timestamp:
            columns.append(pa.array([commit.text for commit in commits], pa.string()))
        problems: list[Problem] = []
        for index, column in enumerate(self.shape.columns):
            converted = convert(self._text(decoded, index, column), column, self.lob_limit)
            problems += converted.problems
            columns.append(converted.values)
        sequences = sequence_texts(commits, counters)
        columns += [self._added(added, operations, sequences) for added in self.layout.added]
        columns += self._before_images(decoded)
        arrays = [fitted(values, field) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema), problems

    def _text(self, decoded: DecodedRows, index: int, column: Column) -> pa.Array:
        text = decoded.values[index]
        if column.is_lob and not self.keep_lobs:
            return pa.nulls(len(text), text.type)
        missing = np.flatnonzero(decoded.unchanged[index])
        if self.lookup is None or not len(missing):
            return text
        names = [c.name for c in self.shape.columns]
        places = {name: names.index(name) for name in self.shape.key}
        keys = [{name: decoded.values[at][int(row)].as_py() for name, at in places.items()} for row in missing]
        return pc.replace_with_mask(
            text, pa.array(decoded.unchanged[index]), pa.array(self.lookup(self.shape, column, keys), pa.string())
        )

    def _added(self, added: AddedColumn, operations: pa.Array, sequences: pa.Array) -> pa.Array:
        if added.expression == CHANGE_SEQ:
            return sequences
        if added.expression == "$AR_H_OPERATION":
            return pa.array([_WORDS[op] for op in operations.to_pylist()], pa.string())
        return pa.array([constant_of(added, self.shape)] * len(operations), pa.string())

    def _before_images(self, decoded: DecodedRows) -> list[pa.Array]:
        # all key columns are filled when any of them changed, and empty otherwise
        places = {c.name: i for i, c in enumerate(self.shape.columns)}
        before = self.layout.before_columns(self.shape)
        changed = np.zeros(len(decoded.operations), bool)
        for column in before:
            old, new = decoded.old[places[column.name]], decoded.values[places[column.name]]
            changed |= pc.fill_null(pc.not_equal(old, new), False).to_numpy(zero_copy_only=False)
        keep = pa.array(changed)
        images = [(c, decoded.old[places[c.name]]) for c in before]
        return [
            convert(pc.if_else(keep, old, pa.scalar(None, old.type)), c, self.lob_limit).values for c, old in images
        ]


def constant_of(added: AddedColumn, shape: TableShape) -> str:
    """The value of an added column that is the same in every row of a table."""
    return {"$AR_M_SOURCE_SCHEMA": shape.schema, "$AR_M_SOURCE_TABLE_NAME": shape.table}[added.expression]


def load_rows(
    shape: TableShape, layout: Layout, texts: Sequence[pa.Array], lob_limit: int, timestamps: pa.Array
) -> tuple[pa.Table, list[Problem]]:
    """The rows of a LOAD file from the columns' text. ``timestamps`` is what the timestamp column shows."""
    schema = layout.schema(shape, load=True)
    count = len(timestamps)
    columns: list[pa.Array] = []
    if layout.operation_in_load:
        columns.append(pa.array(["I"]).take(pa.array(np.zeros(count, np.int64))))
    if layout.timestamp:
        columns.append(timestamps)
    problems: list[Problem] = []
    for text, column in zip(texts, shape.columns, strict=True):
        converted = convert(text, column, lob_limit)
        problems += converted.problems
        columns.append(converted.values)
    for added in layout.added:
        word = {CHANGE_SEQ: "", "$AR_H_OPERATION": "INSERT"}.get(added.expression)
        word = constant_of(added, shape) if word is None else word
        columns.append(pa.array([word]).take(pa.array(np.zeros(count, np.int64))))
    columns += [pa.nulls(count, schema.field(layout.before_name(c)).type) for c in layout.before_columns(shape)]
    arrays = [fitted(values, field) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema), problems


def without(rows: pa.Table, dropped: set[int]) -> pa.Table:
    """The rows but those."""
    if not dropped:
        return rows
    keep = np.ones(rows.num_rows, bool)
    keep[list(dropped)] = False
    return rows.filter(pa.array(keep))
