"""What the name of a landing file says: its table, whether it is load or change, and its place in the order.

DMS writes ``schema/table/LOAD00000001.parquet`` (8 upper-case hex digits) and, with any form of date partition,
``schema/table/2024/08/09/20240809-192717787.parquet`` (AWS DMS User Guide, CHAP_Target.S3); a parallel load writes
``schema/table/<segment>/LOAD…`` or ``SEGMENT1_LOAD…``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from catchment.storage import StoredObject

STAMP_DIGITS = 18

_LOAD = re.compile(r"(?:(SEGMENT\d+)_)?LOAD([0-9A-Fa-f]{8})\.(parquet|csv\.gz|csv)", re.ASCII)
_CHANGES = re.compile(r"(\d{8})-(\d{9,10})\.(parquet|csv\.gz|csv)", re.ASCII)
_DATE_FOLDER = re.compile(r"\d+([-_]\d+)*", re.ASCII)


class TableName(NamedTuple):
    """A table as the source spells it; ``str()`` joins the parts with a dot."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Everything before the first dot is the schema; raises ValueError where a part is empty or holds a slash."""
        schema, _, table = text.partition(".")
        if not schema or not table or re.search(r"[/\\]", text) or schema in (".", "..") or table in (".", ".."):
            raise ValueError("schema.table, both parts filled and without / or \\")
        return cls(schema, table)


class Kind(IntEnum):
    """Load files come before change files."""

    LOAD = 0
    CHANGES = 1


class Position(NamedTuple):
    """A file's place among the files of its table; comparable between any two of them.

    Load files compare by segment and hex number, change files by the stamp in their name: the day folder and the name
    may disagree around midnight, and the name is right. The path only separates two files of one name.
    """

    kind: Kind
    name: str
    path: str


@dataclass(frozen=True)
class LandingFile:
    """One file of the landing zone. ``suffix`` is ``parquet``, ``csv`` or ``csv.gz``."""

    table: TableName
    path: str
    kind: Kind
    position: Position
    suffix: str
    object: StoredObject

    @property
    def stamp(self) -> str:
        """The 18 digits of a change file's name (date, time, zeros to the right); empty for a load file."""
        return self.position.name if self.kind is Kind.CHANGES else ""


def parse(found: StoredObject) -> LandingFile | None:
    """The landing file behind an object's path (relative to the landing root), or None where it is not one."""
    folders = found.path.split("/")
    name = folders.pop()
    if len(folders) < 2 or not all(folders):
        return None
    table, between = TableName(folders[0], folders[1]), folders[2:]
    if load := _LOAD.fullmatch(name):
        segment = "/".join([*between, load[1] or ""])
        position = Position(Kind.LOAD, f"{segment}:{load[2].upper()}", found.path)
        return LandingFile(table, found.path, Kind.LOAD, position, load[3], found)
    change = _CHANGES.fullmatch(name)
    if change and all(_DATE_FOLDER.fullmatch(folder) for folder in between):
        position = Position(Kind.CHANGES, (change[1] + change[2]).ljust(STAMP_DIGITS, "0"), found.path)
        return LandingFile(table, found.path, Kind.CHANGES, position, change[3], found)
    return None
