"""What a Delta table's log says about Catchment: which files its commits contain, and who else wrote.

Read from the commit files themselves (Delta protocol: ``_delta_log/<20 digits>.json``, one action a line), because
the commit's metadata and the question "did anybody else change data" need the same pass.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catchment.errors import ForeignWriter, LedgerLost
from catchment.sinks.ledger import AppliedFile, Ledger
from catchment.storage import ObjectStore

METADATA_KEY = "catchment"
APP_ID = "catchment"
_DIGESTS_KEPT = 2


@dataclass(frozen=True)
class LogEntry:
    """One commit: ``record`` is what Catchment wrote into it, None for anybody else's."""

    version: int
    timestamp_ms: int
    operation: str
    record: Mapping[str, Any] | None
    changes_data: bool


def read_entry(store: ObjectStore, path: str, version: int) -> LogEntry:
    """The commit ``version`` of the table at ``path``. Raises FileNotFoundError where it was cleaned up."""
    lines = store.read_bytes(f"{path}/_delta_log/{version:020d}.json").decode().splitlines()
    actions = [json.loads(line) for line in lines if line.strip()]
    info: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    raw = info.get(METADATA_KEY)
    changes = any(
        action[kind].get("dataChange", True) for action in actions for kind in ("add", "remove") if kind in action
    )
    record = json.loads(raw) if isinstance(raw, str) else raw
    return LogEntry(version, int(info.get("timestamp", 0)), str(info.get("operation", "")), record, changes)


def load_ledger(
    store: ObjectStore, path: str, table: str, table_id: str, version: int, known: tuple[int, Ledger] | None = None
) -> Ledger:
    """The ledger of the table at ``path`` as of ``version``: its newest digest and the commits since.

    ``known`` is the ledger as of an earlier version, where the caller has it in memory already.

    Raises ForeignWriter where somebody else changed data since the digest (compaction, vacuum and properties are
    fine), LedgerLost where commits since the digest are gone.
    """
    covered, ledger = known or _newest_digest(store, path, table_id, version)
    for number in range(covered + 1, version + 1):
        try:
            entry = read_entry(store, path, number)
        except FileNotFoundError:
            raise LedgerLost(table, version) from None
        if entry.record is not None:
            files = [AppliedFile(**file) for file in entry.record.get("files", [])]
            ledger.add(files, entry.record.get("watermark", 0))
        elif entry.changes_data:
            raise ForeignWriter(table, number, f"an operation {entry.operation or 'without a name'} changed its rows")
    return ledger


def save_digest(store: ObjectStore, path: str, table_id: str, ledger: Ledger, version: int) -> None:
    """Save the ledger as of ``version``; older digests but one are removed."""
    body = json.dumps({"table": table_id, "version": version, **ledger.to_json()}, separators=(",", ":"))
    store.write_bytes(_digest(path, version), gzip.compress(body.encode(), compresslevel=5, mtime=0))
    for old in _digests(store, path)[:-_DIGESTS_KEPT]:
        store.delete(_digest(path, old))


def _newest_digest(store: ObjectStore, path: str, table_id: str, version: int) -> tuple[int, Ledger]:
    for number in reversed(_digests(store, path)):
        if number <= version:
            data = json.loads(gzip.decompress(store.read_bytes(_digest(path, number))))
            if data["table"] == table_id:  # else left over from a table that was removed and built anew
                return number, Ledger.from_json(data)
    return -1, Ledger()


def _digests(store: ObjectStore, path: str) -> list[int]:
    names = [found.path.rsplit("/", 1)[-1] for found in store.list(f"{path}/_catchment")]
    found = [name.removeprefix("ledger-").removesuffix(".json.gz") for name in names if name.startswith("ledger-")]
    return sorted(int(number) for number in found if number.isdigit())


def _digest(path: str, version: int) -> str:
    return f"{path}/_catchment/ledger-{version:020d}.json.gz"
