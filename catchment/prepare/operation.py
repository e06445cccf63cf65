"""Preparing a source so that it can be taken back whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from catchment.engines.readiness import Undone, Wanted, undo_of
from catchment.prepare.sides import Side


class Record(Protocol):
    """Keeps the statements that take a source's preparation back."""

    def read(self) -> list[str]:
        """What was kept; nothing where nothing was done."""
        ...

    def write(self, statements: Sequence[str]) -> None:
        """Keep these, in place of what was kept. None of them: forget the source."""
        ...


class FileRecord:
    """Records of databases in one JSON file, each under its name."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name

    def read(self) -> list[str]:
        """What was kept."""
        return list(self._all().get(self._name, []))

    def write(self, statements: Sequence[str]) -> None:
        """Keep these."""
        kept = {name: each for name, each in self._all().items() if name != self._name}
        kept |= {self._name: list(statements)} if statements else {}
        if kept:
            self._path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        else:
            self._path.unlink(missing_ok=True)

    def _all(self) -> dict[str, list[str]]:
        return dict(json.loads(self._path.read_text(encoding="utf-8"))) if self._path.exists() else {}


def prepare(side: Side, record: Record, wanted: Wanted) -> list[str]:
    """Do what is still to be done; what was done, in words.

    What takes it back is kept before anything is done: a statement too many is harmless then, one too few is not.
    """
    steps = side.plan(wanted)
    if not steps:
        return []
    record.write(undo_of(steps, record.read()))
    return side.take(wanted)


def unprepare(side: Side, record: Record) -> Undone:
    """Put the source back as it was before it was first prepared. What it does not take stays in the record."""
    undone = side.undo(record.read())
    record.write(list(undone.failed))
    return undone
