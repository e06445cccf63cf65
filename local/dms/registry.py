"""The resources of the DMS service, kept in one JSON file."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.dms.faults import exists_already, not_found
from local.dms.state import read_json, write_json

KINDS = ("instance", "subnet_group", "endpoint", "connection", "task")


class Registry:
    """Records by kind and key (an ARN, or a subnet group's name). Whoever reads or changes them holds ``lock``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.lock = threading.RLock()
        self._kinds: dict[str, dict[str, dict[str, Any]]] = read_json(file) or {kind: {} for kind in KINDS}

    def add(self, kind: str, key: str, record: dict[str, Any], *, name: str) -> dict[str, Any]:
        """Keep a new record. ``name`` is the field that must be unique. Raises ResourceAlreadyExistsFault."""
        if any(other[name] == record[name] for other in self._kinds[kind].values()):
            raise exists_already(f"{name} {record[name]} already exists.")
        self._kinds[kind][key] = record
        self.save()
        return record

    def get(self, kind: str, key: str) -> dict[str, Any]:
        """A record. Raises ResourceNotFoundFault."""
        record = self._kinds[kind].get(key)
        if record is None:
            raise not_found(f"{kind.replace('_', ' ').capitalize()} {key} not found.")
        return record

    def put(self, kind: str, key: str, record: dict[str, Any]) -> None:
        """Keep a record under a key, new or not."""
        self._kinds[kind][key] = record
        self.save()

    def remove(self, kind: str, key: str) -> None:
        """Forget a record; harmless if there is none."""
        self._kinds[kind].pop(key, None)
        self.save()

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind, oldest first."""
        return list(self._kinds[kind].values())

    def find(self, arn: str) -> dict[str, Any]:
        """The record of any kind with that ARN. Raises ResourceNotFoundFault."""
        for record in self._everything():
            if record.get("_arn") == arn:
                return record
        raise not_found(f"{arn} not found.")

    def save(self) -> None:
        """Write the file after a record was changed in place."""
        write_json(self._file, self._kinds)

    def _everything(self) -> Iterator[dict[str, Any]]:
        for records in self._kinds.values():
            yield from records.values()


def new_identifier() -> str:
    """The last part of a new ARN: 26 capitals and digits."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def public(record: dict[str, Any]) -> dict[str, Any]:
    """A record as the API shows it: without what the service keeps for itself, without passwords."""
    return {
        name: public(value) if isinstance(value, dict) else value
        for name, value in record.items()
        if not name.startswith("_") and name not in ("Password", "Tags") and value is not None
    }
