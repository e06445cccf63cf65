"""Checkpoints: the sum of a log's beginning as Parquet, written by deltalake and read by DuckDB.

DuckDB gives every field of every action (deltalake's own view of a table leaves out deletion vectors' places and tags).
Classic checkpoints in one file or several parts are read, and those of the second kind with their side files.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from catchment.errors import LogBroken, StorageUnavailable
from catchment.sinks.delta_actions import NAMES, Action, Remove, parse
from catchment.storage import ObjectStore

Connect = Callable[[], duckdb.DuckDBPyConnection]
LAST_CHECKPOINT = "_last_checkpoint"
_SIDECAR = "sidecar"


def write_checkpoint(store: ObjectStore, path: str) -> None:
    """Write a checkpoint of the table's newest version, and the pointer to it. Raises LogBroken, StorageUnavailable."""
    try:
        DeltaTable(f"{store.url}/{path}", storage_options=store.delta_options()).create_checkpoint()
    except DeltaError as error:
        raise LogBroken(f"{store.url}/{path}", f"no checkpoint can be written: {error}") from error
    except OSError as error:
        raise StorageUnavailable(f"{store.url}/{path}", str(error)) from error


def last_checkpoint(store: ObjectStore, path: str) -> int:
    """The version the pointer names: where to begin listing. 0 where there is none, or none that can be read."""
    try:
        said = json.loads(store.read_bytes(f"{path}/_delta_log/{LAST_CHECKPOINT}"))
        return int(said["version"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # a hint, no more: the listing says what is there
        return 0


def read_checkpoint(
    store: ObjectStore, path: str, files: Sequence[str], *, tombstones: bool, connect: Connect | None
) -> list[Action]:
    """The actions of the checkpoint in ``files``, removes only if ``tombstones``. Raises LogBroken.

    ``connect`` gives a DuckDB connection, else one is opened.
    """
    kinds = {name for name, kind in NAMES.items() if tombstones or kind is not Remove}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="catchment-log-"))
        con = connect() if connect else stack.enter_context(duckdb.connect())
        reader = _Reader(con, store, Path(folder), kinds)
        found: list[Action] = []
        for file in files:
            for name, said in reader.read(file):
                if name == _SIDECAR:
                    found += reader.actions(_sidecar(path, str(said["path"])))
                else:
                    found += reader.parsed(file, name, said)
        return found


class _Reader:
    def __init__(self, con: duckdb.DuckDBPyConnection, store: ObjectStore, folder: Path, kinds: set[str]) -> None:
        self._con, self._store, self._folder, self._kinds = con, store, folder, kinds

    def actions(self, file: str) -> Iterator[Action]:
        for name, said in self.read(file):
            yield from self.parsed(file, name, said)

    def parsed(self, file: str, name: str, said: Any) -> list[Action]:
        try:
            action = parse(name, said)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LogBroken(file, f"an action {name} is not what the protocol says: {error!r}") from error
        return [] if action is None else [action]

    def read(self, file: str) -> Iterator[tuple[str, Any]]:
        """The rows of one file, each the name of an action and its body."""
        try:
            data = self._store.read_bytes(file)
            wanted = {*self._kinds, _SIDECAR}
            if file.endswith(".json"):
                for text in data.splitlines():
                    yield from ((name, said) for name, said in json.loads(text).items() if name in wanted)
                return
            local = self._folder / "checkpoint.parquet"
            local.write_bytes(data)
            yield from self._rows(local, wanted)
        except FileNotFoundError as error:
            raise LogBroken(file, "a part of a checkpoint is missing") from error
        except (duckdb.Error, ValueError, AttributeError) as error:
            raise LogBroken(file, f"no checkpoint: {error}") from error

    def _rows(self, local: Path, wanted: set[str]) -> Iterator[tuple[str, Any]]:
        source = f"read_parquet('{local}', hive_partitioning = false)"
        described = self._con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        for name in [row[0] for row in described if row[0] in wanted]:
            rows = self._con.execute(f"SELECT to_json({name}) FROM {source} WHERE {name} IS NOT NULL").fetchall()
            for (text,) in rows:
                said = json.loads(text)
                if said.get("stats") is None and said.get("stats_parsed"):
                    # bounds in a writer's own types are not worth reading; the number of rows is
                    said["stats"] = json.dumps({"numRecords": said["stats_parsed"].get("numRecords")})
                yield name, said


def _sidecar(path: str, name: str) -> str:
    return f"{path}/_delta_log/_sidecars/{name.rsplit('/', 1)[-1]}"
