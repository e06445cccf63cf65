"""Everything a task process is told: read once from its plan file, checked, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.dms.behaviour import Behaviour
from local.dms.formats import FileFormat, file_format
from local.dms.layout import Layout
from local.dms.mappings import TableRules, parse_mappings
from local.dms.names import KeyNames
from local.dms.policies import ErrorPolicy
from local.dms.settings import s3_settings, source_settings, task_settings
from local.dms.shapes import TableShape


@dataclass(frozen=True)
class TaskPlan:
    """A task as started: its rules, settings with defaults, endpoints, switches.

    ``kind`` is the migration type, ``resume`` whether it goes on from its checkpoint, ``slot`` the replication slot's
    name, ``folder`` its state folder, ``target_url`` ``s3://bucket`` or ``file:///folder``, ``source`` the source
    endpoint as the API describes it, ``own`` its engine's settings with defaults, ``dimensions`` those of its
    CloudWatch metrics.
    """

    kind: str
    resume: bool
    slot: str
    folder: Path
    target_url: str
    source: Mapping[str, Any]
    rules: TableRules
    settings: Mapping[str, Mapping[str, Any]]
    s3: Mapping[str, Any]
    own: Mapping[str, Any]
    behaviour: Behaviour
    chaos_seed: int | None
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> TaskPlan:
        """From the plan file's content. Raises SettingRefused or MappingRefused."""
        return cls(
            kind=said["kind"],
            resume=said["resume"],
            slot=said["slot"],
            folder=Path(said["folder"]),
            target_url=said["target_url"],
            source=said["source"],
            rules=parse_mappings(said["mappings"]),
            settings=task_settings(said.get("settings")),
            s3=s3_settings(said["s3"]),
            own=source_settings(said["source"]),
            behaviour=Behaviour.of(said.get("behaviour", {})),
            chaos_seed=said.get("chaos_seed"),
            dimensions=said.get("dimensions", {}),
        )

    @property
    def format(self) -> FileFormat:
        """The format of the files."""
        return file_format(self.s3)

    @property
    def names(self) -> KeyNames:
        """The keys of the files."""
        return KeyNames(self.s3, self.format.suffix)

    @property
    def policy(self) -> ErrorPolicy:
        """What becomes of values that do not survive."""
        return ErrorPolicy.of(self.settings["ErrorBehavior"], self.own)

    def layout(self, shape: TableShape) -> Layout:
        """The columns around a table's own."""
        return Layout(
            operation_in_load=bool(self.s3["IncludeOpForFullLoad"]),
            timestamp=self.s3["TimestampColumnName"],
            added=self.rules.added_columns(shape.schema, shape.table),
            before=self.rules.before_image(shape.schema, shape.table),
            milliseconds=bool(self.s3["ParquetTimestampInMillisecond"]) and self.s3["DataFormat"] == "parquet",
        )

    def lob_limit(self, shape: TableShape) -> int:
        """LobMaxSize of a table in bytes."""
        own = self.rules.lob_kilobytes.get((shape.schema, shape.table))
        return int(own if own is not None else self.settings["TargetMetadata"]["LobMaxSize"]) * 1024
