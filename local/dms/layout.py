"""The columns of a landing file: operation, timestamp, source columns, added columns, before-images.

Order seen in files of PostgreSQL tasks: ``Op``, the timestamp column, source columns, add-column columns,
before-image columns.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from local.dms.mappings import AddedColumn
from local.dms.shapes import Column, TableShape
from local.dms.values import arrow_type


@dataclass(frozen=True)
class Layout:
    """What surrounds the source columns in the files of one table.

    ``operation`` tells whether LOAD files have ``Op`` (change files always do), ``timestamp`` is the timestamp
    column's name or None, ``before`` prefix and suffix of before-image columns of the key, or None.
    """

    operation_in_load: bool
    timestamp: str | None
    added: tuple[AddedColumn, ...]
    before: tuple[str, str] | None
    milliseconds: bool = False

    def schema(self, shape: TableShape, *, load: bool) -> pa.Schema:
        """The Arrow schema of the table's LOAD or change files. Only the timestamp column is required."""
        fields = []
        if self.operation_in_load or not load:
            fields.append(pa.field("Op", pa.string()))
        if self.timestamp:
            fields.append(pa.field(self.timestamp, pa.string(), nullable=False))
        fields += [pa.field(c.name, self._type(c)) for c in shape.columns]
        fields += [pa.field(added.name, pa.string()) for added in self.added]
        fields += [pa.field(self.before_name(c), self._type(c)) for c in self.before_columns(shape)]
        return pa.schema(fields)

    def before_columns(self, shape: TableShape) -> list[Column]:
        """The columns that have a before-image, in source order."""
        return [c for c in shape.columns if c.in_key] if self.before else []

    def before_name(self, column: Column) -> str:
        """The name of a column's before-image."""
        prefix, suffix = self.before or ("", "")
        return f"{prefix}{column.name}{suffix}"

    def _type(self, column: Column) -> pa.DataType:
        return arrow_type(column, milliseconds=self.milliseconds)


@dataclass(frozen=True)
class Commit:
    """A transaction's commit: ``text`` as the timestamp column shows it, ``prefix`` the first 16 digits of the
    change sequence (UTC ``YYYYMMDDHHMMSShh``)."""

    microseconds: int
    text: str
    prefix: str

    @classmethod
    def at(cls, microseconds: int) -> Commit:
        """The commit at that many microseconds since 1970."""
        text = timestamp_text(microseconds)
        return cls(microseconds, text, text[:22].translate(_NO_PUNCTUATION))


_NO_PUNCTUATION = str.maketrans("", "", "-: .")
_EPOCH = dt.datetime(1970, 1, 1)


def timestamp_text(microseconds: int) -> str:
    """``yyyy-MM-dd HH:mm:ss.SSSSSS``, the form of the timestamp column."""
    return (_EPOCH + dt.timedelta(microseconds=microseconds)).isoformat(" ", "microseconds")


def sequence_texts(commits: list[Commit], counters: list[int]) -> pa.Array:
    """35-digit change sequences: commit time in hundredths, then the task's counter with 19 digits."""
    digits = pc.utf8_lpad(pc.cast(pa.array(counters, pa.int64()), pa.string()), 19, "0")
    return pc.binary_join_element_wise(pa.array([c.prefix for c in commits], pa.string()), digits, "")


def fitted(values: Any, field: pa.Field) -> pa.Array:
    """An array as the field wants it; microseconds are cut where the file keeps milliseconds."""
    return values if values.type == field.type else pc.cast(values, field.type, safe=False)
