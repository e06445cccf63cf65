"""Changes, the landing files they lie in, and what they mean in plain Python.

``meaning`` is the specification every engine is held to: it plays records one by one in order of (token, file, row)
on a dict, the slow and obvious way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from catchment.landing.names import parse
from catchment.storage import StoredObject

Row = dict[str, Any]
Key = tuple[Any, ...]
SEQUENCE = "_catchment_seq"
_START = datetime(2024, 8, 9, 10)


@dataclass(frozen=True)
class Record:
    """One change row. ``values`` are the columns it says; ``old`` the before-image of the key, if it changed."""

    op: str
    token: str
    key: Key
    values: Row
    old: Key | None = None


@dataclass(frozen=True)
class File:
    """A landing file: its path below the landing root, the columns it speaks of, and its records.

    ``narrow`` columns are written in the narrower type of their kind; ``recased``: names have upper and lower case
    exchanged.
    """

    path: str
    columns: tuple[str, ...]
    records: tuple[Record, ...]
    narrow: tuple[str, ...] = ()
    recased: bool = False

    def spelt(self, name: str) -> str:
        """A column's name as the file has it."""
        return name.swapcase() if self.recased else name

    @property
    def is_load(self) -> bool:
        return "LOAD" in self.path

    @property
    def bad(self) -> int:
        """How many of its records cannot be used."""
        return sum(not is_good(record, self) for record in self.records)

    def renamed(self, path: str) -> File:
        """The same records under another name."""
        return replace(self, path=path)


def token(number: int, transaction: int | None = None) -> str:
    """The 35 digits of DMS: 16 of time, which the rows of a transaction share, and 19 of a counter."""
    at = _START + timedelta(seconds=number if transaction is None else transaction)
    return f"{at:%Y%m%d%H%M%S}00{number:019d}"


def is_good(record: Record, file: File) -> bool:
    """Whether a record can be used at all; the others are quarantined."""
    return record.op in ("I" if file.is_load else "IUD") and None not in record.key


def meaning(
    files: Iterable[File], key: Sequence[str], columns: Sequence[str], *, sequenced: bool = True
) -> dict[Key, Row]:
    """The table after these files, in whatever order they came. Not ``sequenced``: order is file, then row.

    Where ``columns`` has ``_catchment_seq``, it is the token of the record that wrote the row.
    """
    placed = [
        (record.token if sequenced else "", position(file.path), number, file, record)
        for file in files
        for number, record in enumerate(file.records)
        if is_good(record, file)
    ]
    placed.sort(key=lambda entry: entry[:3])
    table: dict[Key, Row] = {}
    moved: set[Any] = set()
    for _, _, number, file, record in placed:
        said = {name: record.values.get(name) for name in file.columns}
        if record.op == "D":
            table.pop(record.key, None)
            continue
        base: Row = {}
        if record.op == "U":
            base = table.get(record.key, {})
            if record.old is not None and record.old != record.key:
                change = (record.token, record.old, record.key) if sequenced else (file.path, number)
                if change not in moved:
                    base = table.pop(record.old, {})
                moved.add(change)
                table.pop(record.old, None)
        row = {name: None for name in columns} | base | said | dict(zip(key, record.key, strict=True))
        table[record.key] = row | ({SEQUENCE: record.token} if SEQUENCE in columns else {})
    return table


def position(path: str) -> Any:
    """The place of a path in the order of its table's files."""
    file = parse(StoredObject(path, 0, 0))
    assert file is not None, path
    return file.position
