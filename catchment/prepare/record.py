"""Where the statements are kept that take a source's preparation back, for as long as they may be needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


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


class ControlRecord:
    """An item of an environment's control table; ``client`` is boto3's of DynamoDB."""

    def __init__(self, client: Any, control_table: str, source: str) -> None:
        self._client, self._table, self._key = client, control_table, {"table": {"S": f"prepared:{source}"}}

    def read(self) -> list[str]:
        """What was kept."""
        item = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True).get("Item")
        return list(json.loads(item["statements"]["S"])) if item else []

    def write(self, statements: Sequence[str]) -> None:
        """Keep these."""
        if statements:
            item = {**self._key, "statements": {"S": json.dumps(list(statements))}}
            self._client.put_item(TableName=self._table, Item=item)
        else:
            self._client.delete_item(TableName=self._table, Key=self._key)
