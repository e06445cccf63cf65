"""One table under test: its landing zone, its lake, one engine, and what must be true of them at any time."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from catchment.apply import Account, Budget
from catchment.apply.loads import LoadStates, UnwatchedLoads
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import Lease, MemoryLease
from catchment.storage import ObjectStore, open_store
from tests.conformance.engines import Engine
from tests.conformance.files import write_csv, write_parquet
from tests.conformance.model import SEQUENCE, File, Key, meaning
from tests.conformance.readers import canonical
from tests.conformance.shapes import Shape
from tests.conformance.views import View


@dataclass(frozen=True)
class Form:
    """How DMS was told to write: the lines of the contract's ``landing``, and whether columns are declared."""

    name: str
    csv: bool = False
    header: bool = False
    sequenced: bool = True
    declared: bool = False
    gzipped: bool = False

    @property
    def landing(self) -> dict[str, object]:
        lines: dict[str, object] = {"timestamp_column": "dms_ts", "before_image_prefix": "BI_"}
        if self.csv:
            lines |= {"format": "csv", "header": self.header}
        return lines | ({"sequence_column": "dms_seq"} if self.sequenced else {})


PARQUET = Form("parquet")
FORMS = (
    PARQUET,
    Form("parquet, declared", declared=True),
    Form("parquet without sequence", sequenced=False),
    Form("csv", csv=True, declared=True),
    Form("csv with header, compressed", csv=True, header=True, declared=True, gzipped=True),
)


@dataclass
class Table:
    """``s.t`` below ``root``. ``delivered`` is every file that has landed, ``counts`` what the calls said of them."""

    root: Path
    engine: Engine
    shape: Shape
    form: Form = PARQUET
    delivered: dict[str, File] = field(default_factory=dict)
    watermark: int = 0

    def __post_init__(self) -> None:
        if self.engine.partitioned:  # a table is partitioned from its first commit on, whatever its first file says
            self.form = replace(self.form, declared=True)

    @property
    def path(self) -> Path:
        return self.root / "lake/s/t"

    @property
    def view(self) -> View:
        """The table as others see it."""
        return self.engine.view(self.root)

    @property
    def contract(self) -> TableContract:
        columns = {name: kind.delta for name, kind in self.shape.kinds.items()} if self.form.declared else None
        lines = {"key": list(self.shape.key), "columns": columns, **self.engine.table}
        lines |= {"partition_by": [self.shape.partition_by]} if self.engine.partitioned else {}
        document = {"landing": self.form.landing, "tables": {"s.t": lines}}
        return next(iter(load_contracts(json.dumps(document)).values()))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the table must have by now."""
        if self.form.declared:
            return tuple(self.shape.kinds)
        return tuple(name for name in self.shape.kinds if any(name in file.columns for file in self.delivered.values()))

    def shaped(self, file: File) -> File:
        """The file as the table's form has it: CSV without a header has all columns."""
        if not self.form.csv:
            return file
        file = file.renamed(file.path.replace(".parquet", ".csv.gz" if self.form.gzipped else ".csv"))
        return file if self.form.header else replace(file, columns=tuple(self.shape.kinds), narrow=(), recased=False)

    def land(self, file: File) -> int:
        """Write a file; how many of its rows the applier has not seen yet."""
        file, key = self.shaped(file), list(self.shape.key)
        if self.form.csv:
            form = {"gzipped": self.form.gzipped, "header": self.form.header, "sequenced": self.form.sequenced}
            write_csv(self.root / "landing", file, key, **form)
        else:
            types = {name: kind.arrow for name, kind in self.shape.kinds.items()}
            write_parquet(self.root / "landing", file, key, types, sequenced=self.form.sequenced)
        new = file.path not in self.delivered
        self.delivered[file.path] = file
        return len(file.records) if new else 0

    def store(self, name: str) -> ObjectStore:
        return open_store(self.root / name)

    def apply(
        self,
        *,
        named: Collection[str] | None = None,
        budget: Budget | None = None,
        lease: Lease | None = None,
        landing: ObjectStore | None = None,
        lake: ObjectStore | None = None,
        quarantine: ObjectStore | None = None,
        loads: LoadStates | None = None,
    ) -> Account:
        """One call of the engine; ``named`` are the files it is told of, None has it look at the whole folder."""
        return self.engine.apply(
            contract=self.contract,
            landing=landing or self.store("landing"),
            lake=lake or self.store("lake"),
            quarantine=quarantine or self.store("quarantine"),
            lease=lease or MemoryLease(),
            budget=budget or Budget(),
            now=lambda: datetime.now(UTC),
            named=named,
            loads=loads or UnwatchedLoads(),
        )

    def expected(self) -> list[tuple[Any, ...]]:
        """What the plain model says the table holds, sorted."""
        return self.expected_of(self.compared)

    def expected_of(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """The same of some columns."""
        rows = meaning(self.delivered.values(), list(self.shape.key), columns, sequenced=self.form.sequenced)
        return canonical(rows.values(), columns)

    def check_rows(self, readers: int | None = None) -> None:
        """Every reader, or the first of so many, sees what the model says."""
        expected = self.expected()
        for name, rows in islice(self.view.read(), readers):
            assert canonical(rows, self.compared) == expected, name

    def check_source(self, final: dict[Key, dict[str, Any]], kept: Sequence[str]) -> None:
        """With everything delivered the table is the source's."""
        names = (*self.shape.key, *kept)
        rows = [dict(zip(self.shape.key, key, strict=True)) | row for key, row in final.items()]
        for name, found in islice(self.view.read(), 1):
            assert canonical(found, names) == canonical(rows, names), name

    def check_account(self, account: Account, landed: int) -> None:
        """One call's account: every row landed since the last call, the table's length, a watermark that rises."""
        assert account.counts.read == landed
        assert account.rows == len(self.expected())
        assert account.watermark >= self.watermark
        self.watermark = account.watermark

    def check_quarantine(self) -> None:
        """Every record that the commits count as quarantined lies in the quarantine."""
        counted = sum(record["account"]["quarantined"] for record in self.view.records())
        found = {
            (line["file"], line["row"])
            for path in (self.root / "quarantine").rglob("*.jsonl")
            for line in map(json.loads, path.read_text().splitlines())
        }
        assert len(found) >= counted

    def check_log(self) -> None:
        """All commits together: each file once, each row once, quarantined as many as are bad, the last watermark."""
        records = list(self.view.records())
        paths = [file["path"] for record in records for file in record["files"]]
        assert sorted(paths) == sorted(self.delivered)
        account = [record["account"] for record in records]
        assert sum(counts["read"] for counts in account) == sum(len(file.records) for file in self.delivered.values())
        assert sum(counts["quarantined"] for counts in account) == sum(file.bad for file in self.delivered.values())
        assert sum(counts["inserted"] - counts["deleted"] for counts in account) == len(self.expected())
        marks = [record["watermark"] for record in records]
        assert marks == sorted(marks)
        assert self.view.watermark() == max(marks)
        self.check_quarantine()

    def check_ledger(self) -> None:
        """The table knows each file that has landed, whatever became of its log's beginning."""
        assert self.view.known_files() == sorted(self.delivered)

    def check_repetition(self, version: int | None) -> None:
        """Applying again changes nothing and reads nothing."""
        again = self.apply()
        assert (again.version, again.commits, again.counts.read) == (version, 0, 0)

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that are compared: the source's, and the lake's own where the order is told."""
        return (*self.columns, SEQUENCE) if self.form.sequenced else self.columns
