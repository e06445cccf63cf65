"""Changes, the landing files they lie in, and what they mean in plain Python.

``meaning`` is the specification the applier is held to: it plays records one by one in order of (token, file, row)
on a dict, the slow and obvious way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catchment.landing.names import parse
from catchment.storage import StoredObject

Row = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One change row. ``values`` are the columns it says; ``old`` the before-image of the key, if it changed."""

    op: str
    token: str
    key: tuple[Any, ...]
    values: Row
    old: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class File:
    """A landing file: its path below the landing root, the columns it speaks of, and its records.

    ``narrow`` columns are written as 32 bit integers.
    """

    path: str
    columns: tuple[str, ...]
    records: tuple[Record, ...]
    narrow: tuple[str, ...] = ()

    def renamed(self, path: str) -> File:
        """The same records under another name."""
        return replace(self, path=path)


def token(number: int) -> str:
    """The 35 digits of DMS: 16 of time, 19 of counter."""
    return f"20240809{10 + number // 100:02d}{number % 60:02d}0000" + f"{number:019d}"


def meaning(
    files: Iterable[File], key: Sequence[str], columns: Sequence[str], *, sequenced: bool = True
) -> dict[tuple[Any, ...], Row]:
    """The table after these files, in whatever order they came. Not ``sequenced``: order is file, then row."""
    placed = [
        (record.token if sequenced else "", position(file.path), number, file, record)
        for file in files
        for number, record in enumerate(file.records)
    ]
    placed.sort(key=lambda entry: entry[:3])
    table: dict[tuple[Any, ...], Row] = {}
    moved: set[tuple[Any, ...]] = set()
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
        row = {name: None for name in columns} | base | said
        table[record.key] = row | dict(zip(key, record.key, strict=True))
    return table


def position(path: str) -> Any:
    """The place of a path in the order of its table's files."""
    file = parse(StoredObject(path, 0, 0))
    assert file is not None, path
    return file.position
