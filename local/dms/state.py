"""What a task remembers on disk: its status with table statistics, and the checkpoint it resumes from.

Both are small JSON files replaced atomically; the service reads the one, a resumed task the other.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(value))
    os.replace(part, path)


def read_json(path: Path) -> Any:
    """A JSON file's value, None where there is no file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class Position:
    """A point in the change stream: everything up to log position ``lsn`` is behind it, the counter stood there.

    ``prefix`` is the latest time in a change sequence up to there.
    """

    lsn: int
    counter: int
    prefix: str = ""


@dataclass
class Checkpoint:
    """From where a task goes on. ``loaded`` names the tables whose full load is complete, ``truncated`` those
    whose TRUNCATE has ended the task, with the log position it follows, ``highest`` the highest counter any file may
    hold, ``streaming`` whether the full load as a whole is over."""

    position: Position
    started: float
    streaming: bool = False
    loaded: list[str] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)
    truncated: dict[str, int] = field(default_factory=dict)
    highest: int = 0
    files: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Checkpoint | None:
        """The saved checkpoint, None if there is none."""
        saved = read_json(path)
        return None if saved is None else cls(**{**saved, "position": Position(**saved["position"])})

    def write(self, path: Path) -> None:
        """Save it."""
        write_json(path, asdict(self))


@dataclass
class TableStatistics:
    """One table's line of DescribeTableStatistics. Times are seconds since 1970."""

    schema: str
    table: str
    state: str = "Before load"
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    ddls: int = 0
    applied_inserts: int = 0
    applied_updates: int = 0
    applied_deletes: int = 0
    load_rows: int = 0
    load_error_rows: int = 0
    load_start: float | None = None
    load_end: float | None = None
    reloaded: bool = False
    updated: float | None = None
    message: str = ""


@dataclass
class TaskStatus:
    """What the service tells of a task while its process lives and after."""

    state: str = "starting"
    started: float = field(default_factory=time.time)
    stop_reason: str = ""
    failure: str = ""
    load_started: float | None = None
    load_finished: float | None = None
    files: int = 0
    tables: dict[str, TableStatistics] = field(default_factory=dict)
    position: str = ""

    @classmethod
    def read(cls, path: Path) -> TaskStatus | None:
        """The saved status, None if there is none."""
        saved = read_json(path)
        if saved is None:
            return None
        return cls(**{**saved, "tables": {k: TableStatistics(**v) for k, v in saved["tables"].items()}})

    def write(self, path: Path) -> None:
        """Save it."""
        write_json(path, asdict(self))
