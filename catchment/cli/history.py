"""``catchment history``: what each commit of a table did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from catchment.cli.lake import find_table, list_tables, open_lake, read_table
from catchment.cli.show import show
from catchment.landing.names import TableName
from catchment.sinks.delta_log import LogEntry, read_entry
from catchment.storage import ObjectStore

_COUNTS = ("read", "applied", "superseded", "stale", "quarantined", "inserted", "updated", "deleted", "unchanged")
_COLUMNS = ["version", "time", "watermark", "load", "files", *_COUNTS]


def history(table: str | None, given: str | None, form: str) -> None:
    """Print the commits of ``table``, newest first; without it the last commit of each table. Raises SettingsError."""
    lake = open_lake(given)
    if table is None:
        rows = [(str(name), *_row(entries[0])) for name in list_tables(lake) if (entries := _entries(lake, name))]
        show(["table", *_COLUMNS], rows, form)
        return
    show(_COLUMNS, [_row(entry) for entry in _entries(lake, find_table(lake, table))], form)


def _entries(lake: ObjectStore, name: TableName) -> list[LogEntry]:
    """The commits the log still has, newest first."""
    found = []
    for version in range(read_table(lake, name).version, -1, -1):
        try:
            found.append(read_entry(lake, f"{name.schema}/{name.table}", version))
        except FileNotFoundError:  # cleaned up: the log begins here
            break
    return found


def _row(entry: LogEntry) -> tuple[Any, ...]:
    moment = datetime.fromtimestamp(entry.timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if entry.record is None:
        return (entry.version, moment, entry.operation.lower(), *([None] * (2 + len(_COUNTS))))
    account = entry.record["account"]
    watermark = str(entry.record["watermark"] or "load")
    load = (entry.record.get("generation") or {}).get("number", 0)
    files = len(entry.record["files"])
    return (entry.version, moment, watermark, load, files, *(account.get(name, 0) for name in _COUNTS))
