"""What the suite asks of a table that an engine keeps, besides the engine's own account: one view a kind of table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from catchment.sinks.delta_table import DeltaLog
from catchment.storage import open_store
from tests.conformance.readers import READERS, Rows


class View(Protocol):
    """The table ``s.t`` of one folder of the suite."""

    def is_there(self) -> bool:
        """Whether it has been made."""
        ...

    def read(self) -> Iterator[tuple[str, Rows]]:
        """Each independent reader's name and the rows it sees, the quickest reader first."""
        ...

    def records(self) -> Iterable[dict[str, Any]]:
        """What Catchment wrote into its commits, oldest first."""
        ...

    def watermark(self) -> int:
        """The watermark as others see it; 0 where there is none."""
        ...

    def version(self) -> int:
        """The number of its last commit."""
        ...

    def known_files(self) -> list[str]:
        """The landing files that it says it contains, sorted."""
        ...

    def check_types(self) -> None:
        """It is stored with the types that it says it has."""
        ...

    def copy_to(self, root: Path) -> None:
        """Make the same table for another folder, a copy of this one's."""
        ...


class DeltaView:
    """A Delta table at ``lake/s/t`` of the folder."""

    def __init__(self, root: Path) -> None:
        self._root, self._path = root, root / "lake/s/t"

    def is_there(self) -> bool:
        return (self._path / "_delta_log").exists()

    def read(self) -> Iterator[tuple[str, Rows]]:
        return ((name, reader(self._path)) for name, reader in READERS.items())

    def records(self) -> Iterable[dict[str, Any]]:
        for path in sorted((self._path / "_delta_log").glob("*.json")):
            for line in path.read_text().splitlines():
                info = json.loads(line).get("commitInfo", {})
                found = info.get("catchment") or json.loads(info.get("userMetadata") or "{}").get("catchment")
                if found:
                    yield json.loads(found) if isinstance(found, str) else found

    def watermark(self) -> int:
        return DeltaTable(self._path).transaction_version("catchment") or 0

    def version(self) -> int:
        return DeltaTable(self._path).version()

    def known_files(self) -> list[str]:
        log = DeltaLog(open_store(self._root / "lake"), "s/t", "s.t")
        log.refresh()
        return sorted(log.ledger.files)

    def check_types(self) -> None:
        """Every live file has the types that the table's schema says, since not every reader casts."""
        table = DeltaTable(self._path)
        wanted = pa.schema(table.schema().to_arrow())
        for uri in table.file_uris():
            for found in pq.read_schema(uri):
                assert found.type == wanted.field(found.name).type, (uri, found)

    def copy_to(self, root: Path) -> None:
        """Its files lie in the folder, and have been copied with it."""
