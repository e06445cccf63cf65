"""Which lake a command looks at, and the tables in it."""

from __future__ import annotations

import json
from pathlib import Path

from catchment.errors import LogBroken, SettingsError
from catchment.landing.names import TableName
from catchment.sinks.delta_snapshot import Snapshot, load
from catchment.storage import ObjectStore, open_store

LAST_RUN = Path(".catchment/last-run/lake.json")
_LOG = "/_delta_log/"


def open_lake(given: str | None) -> ObjectStore:
    """The lake at ``given``, else the last run's. Raises SettingsError where there is neither."""
    if given is not None:
        return open_store(given)
    if not LAST_RUN.is_file():
        raise SettingsError("command line", "--lake", None, "name a lake, or do `make run` here first")
    return open_store(json.loads(LAST_RUN.read_text(encoding="utf-8"))["lake"])


def list_tables(lake: ObjectStore) -> list[TableName]:
    """The lake's Delta tables: two folders deep, with a log."""
    names = set()
    for found in lake.list():
        parts = found.path.split("/")
        if len(parts) > 3 and parts[2] == "_delta_log" and not parts[0].startswith("_"):
            names.add(TableName(parts[0], parts[1]))
    return sorted(names)


def find_table(lake: ObjectStore, text: str) -> TableName:
    """The table called ``text``, in whatever case. Raises SettingsError that lists what there is."""
    tables = list_tables(lake)
    for same in (lambda a: a, str.casefold):
        for name in tables:
            if same(str(name)) == same(text):
                return name
    raise SettingsError(
        "command line", "table", text, f"allowed are {', '.join(map(str, tables)) or 'none: no tables yet'}"
    )


def read_table(lake: ObjectStore, name: TableName) -> Snapshot:
    """The Delta table as it is. Raises LogBroken."""
    path = f"{name.schema}/{name.table}"
    loaded = load(lake, path)
    if loaded is None:
        raise LogBroken(f"{path}/_delta_log", "neither a commit nor a checkpoint is left")
    return loaded.snapshot
