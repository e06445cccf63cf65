"""The actions of a Delta log, as the protocol names them: one JSON object a line of a commit, one row of a checkpoint.

Fields that Catchment does not use itself (tags, row ids) are carried along, so that nothing a foreign writer said of a
file is lost when the file is removed or seen again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

Json = Mapping[str, Any]


@dataclass(frozen=True)
class DeletionVector:
    """Where the masked rows of a file are listed.

    ``storage`` is ``u`` (a file named by a uuid in ``path_or_inline``), ``p`` (an absolute path) or ``i`` (inline).
    ``size`` counts the serialized bytes, ``cardinality`` the masked rows.
    """

    storage: str
    path_or_inline: str
    size: int
    cardinality: int
    offset: int | None = None

    @property
    def identity(self) -> str:
        """The protocol's unique id of a vector."""
        return self.storage + self.path_or_inline + ("" if self.offset is None else f"@{self.offset}")

    def to_json(self) -> dict[str, Any]:
        """As in an action."""
        said: dict[str, Any] = {"storageType": self.storage, "pathOrInlineDv": self.path_or_inline}
        if self.offset is not None:
            said["offset"] = self.offset
        return {**said, "sizeInBytes": self.size, "cardinality": self.cardinality}

    @classmethod
    def from_json(cls, said: Json) -> DeletionVector:
        """What ``to_json`` or another writer wrote."""
        return cls(
            said["storageType"], said["pathOrInlineDv"], said["sizeInBytes"], said["cardinality"], said.get("offset")
        )


FileId = tuple[str, str | None]
"""What makes a logical file: its path, and its deletion vector's identity."""


@dataclass(frozen=True)
class Add:
    """A live data file. ``path`` is relative to the table and not escaped; ``stats`` is JSON text as it was written.

    ``partition_values`` are texts by column, None for NULL. ``modified_ms`` is milliseconds since the epoch.
    """

    path: str
    size: int
    modified_ms: int
    stats: str | None = None
    partition_values: Mapping[str, str | None] = field(default_factory=dict)
    data_change: bool = True
    deletion_vector: DeletionVector | None = None
    tags: Mapping[str, str | None] | None = None
    base_row_id: int | None = None
    default_row_commit_version: int | None = None
    clustering_provider: str | None = None

    @property
    def identity(self) -> FileId:
        """What a remove action names."""
        return self.path, self.deletion_vector.identity if self.deletion_vector else None

    @cached_property
    def statistics(self) -> Json:
        """``stats`` read; empty where there is none, or none that is JSON."""
        try:
            said = json.loads(self.stats or "{}")
        except ValueError:  # statistics are optional: a file without them is looked into
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def records(self) -> int | None:
        """The rows that lie in the file, masked ones included; None where nobody said."""
        number = self.statistics.get("numRecords")
        return number if isinstance(number, int) else None

    @property
    def rows(self) -> int | None:
        """The rows of the table that lie in the file."""
        masked = self.deletion_vector.cardinality if self.deletion_vector else 0
        return None if self.records is None else self.records - masked

    def to_json(self) -> dict[str, Any]:
        """The action's body."""
        said: dict[str, Any] = {
            "path": escape(self.path),
            "partitionValues": dict(self.partition_values),
            "size": self.size,
            "modificationTime": self.modified_ms,
            "dataChange": self.data_change,
        }
        rest = {"stats": self.stats, "clusteringProvider": self.clustering_provider, **_carried(self)}
        return said | {name: value for name, value in rest.items() if value is not None}

    @classmethod
    def from_json(cls, said: Json) -> Add:
        """An action's body, of a commit or a checkpoint."""
        return cls(
            _relative(said["path"]),
            said["size"],
            said["modificationTime"],
            said.get("stats"),
            said.get("partitionValues") or {},
            bool(said.get("dataChange", True)),
            _vector(said),
            said.get("tags"),
            said.get("baseRowId"),
            said.get("defaultRowCommitVersion"),
            said.get("clusteringProvider"),
        )

    def removed(self, now_ms: int, *, data_change: bool = True) -> Remove:
        """The action that removes exactly this file."""
        return Remove(
            self.path,
            now_ms,
            data_change,
            self.size,
            self.partition_values,
            self.deletion_vector,
            self.tags,
            self.base_row_id,
            self.default_row_commit_version,
        )


@dataclass(frozen=True)
class Remove:
    """A file that is no longer live; it may be deleted ``deleted_ms`` plus the retention later."""

    path: str
    deleted_ms: int
    data_change: bool = True
    size: int | None = None
    partition_values: Mapping[str, str | None] | None = None
    deletion_vector: DeletionVector | None = None
    tags: Mapping[str, str | None] | None = None
    base_row_id: int | None = None
    default_row_commit_version: int | None = None

    @property
    def identity(self) -> FileId:
        """What the add action of the file names."""
        return self.path, self.deletion_vector.identity if self.deletion_vector else None

    def to_json(self) -> dict[str, Any]:
        """The action's body."""
        said: dict[str, Any] = {
            "path": escape(self.path),
            "deletionTimestamp": self.deleted_ms,
            "dataChange": self.data_change,
        }
        if self.size is not None and self.partition_values is not None:
            known = {"partitionValues": dict(self.partition_values), "size": self.size}
            said |= {"extendedFileMetadata": True, **known}
        return said | {name: value for name, value in _carried(self).items() if value is not None}

    @classmethod
    def from_json(cls, said: Json) -> Remove:
        """An action's body, of a commit or a checkpoint."""
        return cls(
            _relative(said["path"]),
            said.get("deletionTimestamp") or 0,
            bool(said.get("dataChange", True)),
            said.get("size"),
            said.get("partitionValues"),
            _vector(said),
            said.get("tags"),
            said.get("baseRowId"),
            said.get("defaultRowCommitVersion"),
        )


@dataclass(frozen=True)
class Protocol:
    """What a reader and a writer must know. Features are listed from reader 3 and writer 7 on, else implied."""

    reader: int
    writer: int
    reader_features: frozenset[str] = frozenset()
    writer_features: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """The action's body."""
        said: dict[str, Any] = {"minReaderVersion": self.reader, "minWriterVersion": self.writer}
        if self.reader >= 3:
            said["readerFeatures"] = sorted(self.reader_features)
        if self.writer >= 7:
            said["writerFeatures"] = sorted(self.writer_features)
        return said

    @classmethod
    def from_json(cls, said: Json) -> Protocol:
        """An action's body."""
        return cls(
            said["minReaderVersion"],
            said["minWriterVersion"],
            frozenset(said.get("readerFeatures") or ()),
            frozenset(said.get("writerFeatures") or ()),
        )


@dataclass(frozen=True)
class Metadata:
    """What a table is: its identity, its schema (JSON text), its partitioning and its properties."""

    id: str
    schema: str
    partition_columns: tuple[str, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    created_ms: int | None = None
    name: str | None = None
    description: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The action's body."""
        said: dict[str, Any] = {
            "id": self.id,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": self.schema,
            "partitionColumns": list(self.partition_columns),
            "configuration": dict(self.configuration),
        }
        rest = {"name": self.name, "description": self.description, "createdTime": self.created_ms}
        return said | {name: value for name, value in rest.items() if value is not None}

    @classmethod
    def from_json(cls, said: Json) -> Metadata:
        """An action's body."""
        return cls(
            said["id"],
            said["schemaString"],
            tuple(said.get("partitionColumns") or ()),
            said.get("configuration") or {},
            said.get("createdTime"),
            said.get("name"),
            said.get("description"),
        )

    def configured(self, properties: Mapping[str, str]) -> Metadata:
        """The same with more properties."""
        return replace(self, configuration={**self.configuration, **properties})


@dataclass(frozen=True)
class Txn:
    """How far an application has come; never lower than what the table already says of it."""

    app_id: str
    version: int
    updated_ms: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The action's body."""
        said: dict[str, Any] = {"appId": self.app_id, "version": self.version}
        return said if self.updated_ms is None else {**said, "lastUpdated": self.updated_ms}

    @classmethod
    def from_json(cls, said: Json) -> Txn:
        """An action's body."""
        return cls(said["appId"], said["version"], said.get("lastUpdated"))


Action = Add | Remove | Protocol | Metadata | Txn

NAMES: dict[str, type[Add] | type[Remove] | type[Protocol] | type[Metadata] | type[Txn]] = {
    "add": Add,
    "remove": Remove,
    "protocol": Protocol,
    "metaData": Metadata,
    "txn": Txn,
}
_NAME_OF = {kind: name for name, kind in NAMES.items()}


def parse(name: str, said: Json) -> Action | None:
    """The action called ``name``; None for kinds that say nothing of the table's state (commitInfo, cdc, …).

    Raises KeyError, TypeError where a required field is missing, ValueError for a file outside the table's folder.
    """
    kind = NAMES.get(name)
    return None if kind is None else kind.from_json(said)


def line(action: Action) -> dict[str, Any]:
    """The action as a line's JSON object."""
    return {_NAME_OF[type(action)]: action.to_json()}


def escape(path: str) -> str:
    """A path as the log writes it: a relative URI."""
    return quote(path, safe="/=")


def size_of(adds: Sequence[Add | Remove]) -> int:
    """Bytes of all of the files."""
    return sum(each.size or 0 for each in adds)


def _relative(path: str) -> str:
    """A path as it is. Raises ValueError for one outside the table's folder."""
    plain = unquote(path)
    if plain.startswith("/") or "://" in plain:
        raise ValueError(f"{plain} lies outside the table's folder")
    return plain


def _vector(said: Json) -> DeletionVector | None:
    found = said.get("deletionVector")
    return DeletionVector.from_json(found) if found else None


def _carried(action: Add | Remove) -> dict[str, Any]:
    return {
        "tags": None if action.tags is None else dict(action.tags),
        "deletionVector": action.deletion_vector.to_json() if action.deletion_vector else None,
        "baseRowId": action.base_row_id,
        "defaultRowCommitVersion": action.default_row_commit_version,
    }
