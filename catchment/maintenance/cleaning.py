"""What no version of a table needs any more, and nobody can be reading or writing: parts of the log, and files.

VACUUM's rules: a file goes when it is not part of the table and its removal is older than the horizon; one that no
commit names (a killed writer's) when it was written longer ago than that. ``_catchment/`` and other folders that begin
with ``_`` or ``.`` are left alone, unless they are of a partition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from catchment.sinks.deletion_vectors import vector_file
from catchment.sinks.delta_actions import Add, Remove
from catchment.sinks.delta_log import LogFiles
from catchment.sinks.delta_snapshot import Snapshot
from catchment.sinks.partitions import column_of
from catchment.storage import ObjectStore, StoredObject

RETENTION = "delta.deletedFileRetentionDuration"
_DEFAULT_RETENTION = timedelta(days=7)
_INTERVAL = re.compile(r"interval (\d+) (hour|day|week)s?", re.IGNORECASE)


def retention(properties: Mapping[str, str]) -> timedelta | None:
    """How long checkpoints remember removed files; None where the property says what this cannot read."""
    if RETENTION not in properties:
        return _DEFAULT_RETENTION
    found = _INTERVAL.fullmatch(properties[RETENTION].strip())
    return timedelta(**{f"{found[2].lower()}s": int(found[1])}) if found else None


def old_log(files: LogFiles, digest: int, before: datetime) -> list[str]:
    """Paths of commits and checkpoints that may go, oldest first.

    Kept are the newest checkpoint that was there before that moment and all behind it: so every version since can still
    be read. Nothing goes that the ledger's ``digest`` does not cover.
    """
    aged = [version for version, stored in files.commits.items() if _is_before(stored, before)]
    newest = min(max(aged, default=-1), digest)
    start = max((version for version in files.checkpoints if version <= newest), default=-1)
    commits = [(version, stored.path) for version, stored in files.commits.items() if version < start]
    checkpoints = [(v, path) for v, paths in files.checkpoints.items() if v < start for path in paths]
    return [path for _, path in sorted(commits + checkpoints)]


def unneeded_files(store: ObjectStore, path: str, table: Snapshot, before: datetime) -> list[StoredObject]:
    """Data files and deletion vectors that may go. ``table`` needs its tombstones."""
    since = before.timestamp() * 1000
    kept: list[Add | Remove] = [gone for gone in table.removes.values() if gone.deleted_ms >= since]
    kept += table.adds.values()
    needed = set(_files_of(kept, f"{store.url}/{path}"))
    return [
        stored
        for stored in store.list(path)
        if (name := stored.path.removeprefix(f"{path}/")) not in needed
        and name.endswith((".parquet", ".bin"))
        and not any(_is_hidden(folder, table) for folder in name.split("/"))
        and _is_before(stored, before)
    ]


def _files_of(actions: Iterable[Add | Remove], url: str) -> Iterator[str]:
    for action in actions:
        yield action.path
        if action.deletion_vector and (file := vector_file(action.deletion_vector, url)):
            yield file


def _is_hidden(folder: str, table: Snapshot) -> bool:
    return folder.startswith(("_", ".")) and column_of(folder) not in table.metadata.partition_columns


def _is_before(stored: StoredObject, moment: datetime) -> bool:
    return stored.modified_ns / 1e9 < moment.timestamp()
