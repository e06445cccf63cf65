"""Digests: the ledger as of one version, saved beside the table so that the log's beginning may be cleaned up.

They lie in ``_catchment/`` of the table's folder, where VACUUM does not look. A digest is derived: it is believed only
if it is this table's, and made anew from the log as long as the log lasts.
"""

from __future__ import annotations

import gzip
import json

from catchment.sinks.ledger import Ledger
from catchment.storage import ObjectStore

_KEPT = 2


def save_digest(store: ObjectStore, path: str, table_id: str, ledger: Ledger, version: int) -> None:
    """Save the ledger as of ``version``; older digests but one are removed."""
    body = json.dumps({"table": table_id, "version": version, **ledger.to_json()}, separators=(",", ":"))
    store.write_bytes(_digest(path, version), gzip.compress(body.encode(), compresslevel=5, mtime=0))
    for old in _digests(store, path)[:-_KEPT]:
        store.delete(_digest(path, old))


def newest_digest(store: ObjectStore, path: str, table_id: str, version: int) -> tuple[int, Ledger]:
    """The newest digest at or below ``version``; (-1, empty) where there is none."""
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
