"""What a Spark task does with one landing file: the other engine's reader reads it, so that a cast means one thing.

Functions here run in executors. They reach stores by URL, and hand errors of Catchment's tree back as values: Spark
would turn whatever is raised into text.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from catchment.apply.staging import DuckStage, Opened, Staged
from catchment.changes.relations import comma, quote
from catchment.errors import CatchmentError
from catchment.landing.contract import TableContract
from catchment.landing.duck import open_duckdb
from catchment.landing.names import LandingFile
from catchment.landing.sql import text
from catchment.landing.types import DeltaType
from catchment.storage import open_store

T = TypeVar("T")
_FILE, _UNSAID = '"~file"', ("~commit",)


@dataclass(frozen=True)
class Reading:
    """What a task needs to know: where landing files are, the table's contract, and DuckDB's share of the memory."""

    landing: str
    contract: TableContract
    memory_mb: int


@dataclass(frozen=True)
class Failed:
    """An error on its way back from a task."""

    error: Exception

    @staticmethod
    def checked(answers: Sequence[T | Failed]) -> list[T]:
        """The answers, or the first error among them raised."""
        for answer in answers:
            if isinstance(answer, Failed):
                raise answer.error
        return [answer for answer in answers if not isinstance(answer, Failed)]


def look(reading: Reading, file: LandingFile) -> Opened | Failed:
    """Fetch a file and see which columns it has."""
    return _caught(lambda: _look(reading, file))


def deliver(
    reading: Reading, opened: Opened, target: Mapping[str, DeltaType], number: int, lake: str, path: str
) -> Staged | Failed:
    """Read a file's rows as ``target`` and put them as Parquet at ``path`` of the lake, with ``number`` as ``~file``.

    ``relation`` of the answer is empty where there is nothing to put.
    """
    return _caught(lambda: _deliver(reading, opened, target, number, lake, path))


def _look(reading: Reading, file: LandingFile) -> Opened:
    with _stage(reading) as (stage, _, _):
        return stage.open(file, {})


def _deliver(
    reading: Reading, opened: Opened, target: Mapping[str, DeltaType], number: int, lake: str, path: str
) -> Staged:
    with _stage(reading) as (stage, con, scratch):
        local = open_store(reading.landing).fetch(opened.file.path, scratch)
        staged = stage.read(replace(opened, local=local), target)
        if staged.relation:
            names = [name for name, *_ in con.execute(f"DESCRIBE {staged.relation}").fetchall() if name not in _UNSAID]
            rows = f"SELECT CAST({number} AS INTEGER) AS {_FILE}, {comma(map(quote, names))} FROM {staged.relation}"
            written = scratch / "rows.parquet"
            con.execute(f"COPY ({rows}) TO {text(str(written))} (FORMAT parquet, COMPRESSION snappy)")
            open_store(lake).put(path, written)
        return replace(staged, opened=opened)


@contextmanager
def _stage(reading: Reading) -> Iterator[tuple[DuckStage, Any, Path]]:
    with tempfile.TemporaryDirectory(prefix="catchment-") as folder:
        scratch = Path(folder)
        con = open_duckdb(scratch, reading.memory_mb, 1)
        try:
            yield DuckStage(con, reading.contract, open_store(reading.landing), scratch), con, scratch
        finally:
            con.close()


def _caught(work: Callable[[], T]) -> T | Failed:
    try:
        return work()
    except (CatchmentError, OSError) as error:
        return Failed(error)
