"""PostgreSQL's logical replication messages (pgoutput, protocol 1), parsed a table and a column at a time.

A message is examined one by one only for its first bytes; the values of many rows of one table are then found with a
few numpy operations per column. Formats: PostgreSQL documentation, "Logical Replication Message Formats".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from local.dms.rows import DecodedRows, Flags

Ints = npt.NDArray[np.int64]

POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970, from which the messages count."""


@dataclass(frozen=True)
class Relation:
    """An ``R`` message: how the rows of one relation look from here on. ``columns`` are (name, type oid, modifier)."""

    relation_id: bytes
    schema: str
    table: str
    identity: str
    columns: tuple[tuple[str, int, int], ...]


def begin_commit_time(message: bytes) -> int:
    """Commit time of a ``B`` message in microseconds since 1970."""
    microseconds: int = struct.unpack_from(">q", message, 9)[0]
    return microseconds + POSTGRES_EPOCH


def commit_end(message: bytes) -> int:
    """Position behind a ``C`` message's transaction."""
    position: int = struct.unpack_from(">Q", message, 10)[0]
    return position


def truncated_relations(message: bytes) -> list[bytes]:
    """The relations a ``T`` message empties."""
    count: int = struct.unpack_from(">I", message, 1)[0]
    return [message[6 + 4 * i : 10 + 4 * i] for i in range(count)]


def parse_relation(message: bytes) -> Relation:
    """Parse an ``R`` message."""

    def word(at: int) -> tuple[str, int]:
        end = message.index(0, at)
        return message[at:end].decode(), end + 1

    schema, at = word(5)
    table, at = word(at)
    identity = chr(message[at])
    (count,) = struct.unpack_from(">h", message, at + 1)
    at += 3
    columns = []
    for _ in range(count):
        name, at = word(at + 1)
        oid, modifier = struct.unpack_from(">Ii", message, at)
        columns.append((name, oid, modifier))
        at += 8
    return Relation(message[1:5], schema or "pg_catalog", table, identity, tuple(columns))


class _Cells:
    """Where the cells of one column lie in the joined messages, for all rows at once."""

    def __init__(self, buffer: npt.NDArray[np.uint8], at: Ints) -> None:
        self.kind = buffer[at]
        self.start = at + 1
        sized = self.kind == ord("t")
        length = np.zeros(len(at), np.int64)
        spots = at[sized]
        for offset in range(1, 5):
            length[sized] = (length[sized] << 8) | buffer[spots + offset]
        self.start = np.where(sized, at + 5, at + 1)
        self.end = self.start + length

    @property
    def present(self) -> Flags:
        """Cells that carry a value."""
        flags: Flags = self.kind == ord("t")
        return flags


def decode_rows(messages: Sequence[bytes], columns: int, *, full_rows: bool) -> DecodedRows:
    """Parse I, U and D messages of one relation with that many ``columns``.

    ``full_rows`` says whether old rows logged whole (REPLICA IDENTITY FULL) fill in the large values that an update
    left unchanged. A delete has what the replica identity logged: the key, or the whole row.
    """
    joined = b"".join(messages)
    buffer = np.frombuffer(joined, np.uint8)
    lengths = np.fromiter(map(len, messages), np.int64, len(messages))
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(messages) else np.zeros(0, np.int64)
    operations = buffer[starts]
    tags = buffer[starts + 5]
    has_old = tags != ord("N")
    body = starts + 8  # behind operation, relation, tag and column count
    old_rows = np.flatnonzero(has_old)
    old_cells, behind_old = _walk(buffer, body[old_rows], columns)
    updates = operations[old_rows] == ord("U")
    body[old_rows[updates]] = behind_old[updates] + 3
    new_cells, _ = _walk(buffer, body, columns)
    full_old = tags == ord("O")
    values, unchanged, old = [], [], []
    for new, before in zip(new_cells, old_cells, strict=True):
        toasted = new.kind == ord("u")
        present, start, end = new.present, new.start, new.end
        if full_rows and toasted.any():
            present, start, end = _carry(toasted & full_old, old_rows, before, present, start, end)
        unchanged.append(toasted & ~present)
        values.append(_texts(joined, start, end, present))
        old.append(_old_texts(joined, before, old_rows, len(messages)))
    return DecodedRows(operations, values, unchanged, old)


def _walk(buffer: npt.NDArray[np.uint8], at: Ints, columns: int) -> tuple[list[_Cells], Ints]:
    cells = []
    for _ in range(columns):
        column = _Cells(buffer, at)
        cells.append(column)
        at = column.end
    return cells, at


def _carry(
    wanted: Flags, old_rows: Ints, before: _Cells, present: Flags, start: Ints, end: Ints
) -> tuple[Flags, Ints, Ints]:
    chosen = wanted[old_rows] & before.present
    rows = old_rows[chosen]
    present, start, end = present.copy(), start.copy(), end.copy()
    present[rows], start[rows], end[rows] = True, before.start[chosen], before.end[chosen]
    return present, start, end


def _old_texts(joined: bytes, before: _Cells, old_rows: Ints, count: int) -> pa.Array:
    if not len(old_rows):
        return pa.nulls(count, pa.string())
    logged = _texts(joined, before.start, before.end, before.present)
    place = np.zeros(count, np.int64)
    place[old_rows] = np.arange(len(old_rows))
    absent = np.ones(count, bool)
    absent[old_rows] = False
    return logged.take(pa.array(place, mask=absent))


def _texts(joined: bytes, start: Ints, end: Ints, present: Flags) -> pa.Array:
    # value, gap, value, gap …: one array over the joined messages as they are, of which every other element is taken
    rows = len(start)
    bounds = np.empty(2 * rows + 1, np.int64)
    bounds[0:-1:2] = start
    bounds[1::2] = end
    bounds[-1] = end[-1] if rows else 0
    spread = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2 * rows, [None, pa.py_buffer(bounds), pa.py_buffer(joined)]
    )
    return spread.take(pa.array(np.arange(0, 2 * rows, 2), mask=~present)).cast(pa.string())
