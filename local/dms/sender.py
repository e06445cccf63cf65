"""From rows to landing objects: local file, name, upload, and the adversary between the last two."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from local.dms.chaos import Chaos, Mischief
from local.dms.formats import OpenFile
from local.dms.plan import TaskPlan
from local.dms.shapes import TableShape
from local.dms.state import Position
from local.dms.target import Target


class StreamCut(Exception):
    """The adversary cuts the stream: go on from the last saved position."""


@dataclass(frozen=True)
class _Held:
    table: str
    key: str
    file: Path
    safe: Position
    release: float


class FileSender:
    """Writes and uploads the files of a task. ``clock`` gives seconds since 1970 and names the files."""

    def __init__(self, plan: TaskPlan, target: Target, chaos: Chaos, clock: Callable[[], float]) -> None:
        self._format, self._names, self._target = plan.format, plan.names, target
        self._by_commit = plan.behaviour.folder_date == "commit"
        self._hold_seconds = 2.0 * plan.s3["CdcMaxBatchInterval"]
        self._chaos, self._clock = chaos, clock
        self._scratch = plan.folder / "scratch"
        self._scratch.mkdir(parents=True, exist_ok=True)
        for left in self._scratch.iterdir():  # of a process that was killed
            left.unlink()
        self._numbers = itertools.count()
        self._last_name: dict[str, int] = {}
        self._held: list[_Held] = []
        self._may_cut = True
        self.ordinals: dict[str, int] = {}
        """How many change files each table has had."""
        self.sent = 0
        """How many objects were put."""

    def new_file(self, schema: pa.Schema) -> tuple[OpenFile, Path]:
        """A landing file to be filled, and its place on disk."""
        path = self._scratch / f"{next(self._numbers)}.{self._format.suffix}"
        return self._format.open(path, schema), path

    def send_load(self, shape: TableShape, number: int, path: Path, segment: int | None = None) -> None:
        """Upload a finished LOAD file under its number, and that of the table's part, where it is loaded in parts."""
        self._put(self._names.load(shape.folder, number, segment), path)
        path.unlink()

    def prepare(self, shape: TableShape, mode: str) -> None:
        """Do what TargetTablePrepMode says before a table is loaded."""
        if mode != "DO_NOTHING":
            self.delete_table(shape)

    def delete_table(self, shape: TableShape) -> None:
        """Delete all objects of a table."""
        for held in [h for h in self._held if h.table == shape.name]:
            self._held.remove(held)
            held.file.unlink()
        self._target.delete_folder(self._names.table_folder(shape.folder))

    def send_changes(self, shape: TableShape, rows: pa.Table, dated: int, safe: Position) -> None:
        """Write one interval's rows of a table and upload them, whole or with mischief.

        ``dated`` is the commit time of the first row in microseconds, ``safe`` the position to start from if the
        rows had to be delivered again. Raises StreamCut when the adversary wants them to be.
        """
        mischief = self._next_mischief(shape)
        parts = [rows]
        if mischief.split is not None and rows.num_rows > 1:
            middle = min(max(int(rows.num_rows * mischief.split), 1), rows.num_rows - 1)
            parts = [rows.slice(0, middle), rows.slice(middle)]
        for part in parts:
            self._send_part(shape, part, dated, safe, mischief)
        if mischief.restart and self._may_cut:
            self._may_cut = False
            raise StreamCut

    def position_saved(self) -> None:
        """The stream got ahead, and may be cut again: a stream cut at every turn would never end."""
        self._may_cut = True

    def release_due(self, now: float) -> None:
        """Upload what was held back long enough."""
        for held in [h for h in self._held if h.release <= now]:
            self._release(held)

    def release_all(self) -> None:
        """Upload everything held back."""
        for held in list(self._held):
            self._release(held)

    def forget_held(self) -> None:
        """Drop what was held back: it will be delivered again."""
        for held in self._held:
            held.file.unlink()
        self._held.clear()

    def held_positions(self) -> list[Position]:
        """The safe positions of files not uploaded yet."""
        return [held.safe for held in self._held]

    def next_release(self) -> float | None:
        """When the next held file is due."""
        return min((held.release for held in self._held), default=None)

    def _next_mischief(self, shape: TableShape) -> Mischief:
        ordinal = self.ordinals.get(shape.name, 0) + 1
        self.ordinals[shape.name] = ordinal
        return self._chaos.for_file(shape.name, ordinal)

    def _send_part(self, shape: TableShape, rows: pa.Table, dated: int, safe: Position, mischief: Mischief) -> None:
        file, path = self.new_file(rows.schema)
        file.write(rows)
        file.close()
        key = self._next_key(shape, dated)
        earlier = [h for h in self._held if h.table == shape.name]
        if mischief.hold:
            self._held.append(_Held(shape.name, key, path, safe, self._clock() + self._hold_seconds))
        else:
            self._put(key, path)
            if mischief.repeat:
                self._put(key, path)
            if mischief.duplicate:
                self._put(self._next_key(shape, dated), path)
            path.unlink()
        for held in earlier:
            self._release(held)

    def _next_key(self, shape: TableShape, dated: int) -> str:
        now = int(self._clock() * 1000) * 1000
        named = max(now, self._last_name.get(shape.name, 0) + 1000)
        self._last_name[shape.name] = named
        return self._names.changes(shape.folder, named, dated if self._by_commit else named)

    def _release(self, held: _Held) -> None:
        self._put(held.key, held.file)
        self._held.remove(held)
        held.file.unlink()

    def _put(self, key: str, path: Path) -> None:
        self._target.put(key, path)
        self.sent += 1
