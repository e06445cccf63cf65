"""What a task knows of a source table: columns with their DMS types, the key, the replica identity."""

from __future__ import annotations

from dataclasses import dataclass

from catchment.engines.dms_types import DmsType


@dataclass(frozen=True)
class Column:
    """A source column. ``type`` is its DMS type, ``in_key`` whether the primary key holds it."""

    name: str
    type: DmsType
    in_key: bool = False

    @property
    def is_lob(self) -> bool:
        """Whether DMS moves it as a large object. A key column of such a type travels as ordinary text."""
        return self.type.is_lob and not self.in_key


@dataclass(frozen=True)
class TableShape:
    """A source table as of some moment. ``key`` is in the order of the primary key and empty where there is none.

    ``full_identity`` says REPLICA IDENTITY FULL: updates and deletes log the whole old row.
    """

    schema: str
    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    full_identity: bool = False

    @property
    def name(self) -> str:
        """``schema.table`` as the statistics and messages call it."""
        return f"{self.schema}.{self.table}"

    @property
    def folder(self) -> str:
        """The table's folder below the endpoint's BucketFolder."""
        return f"{self.schema}/{self.table}"


@dataclass(frozen=True)
class SourceTable:
    """A table found in the catalog. ``partitioned`` tables are read with their partitions."""

    shape: TableShape
    partitioned: bool = False
