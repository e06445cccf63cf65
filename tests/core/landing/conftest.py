"""A shelf to put landing files on and read them back from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.duck import open_duckdb
from catchment.landing.names import LandingFile, TableName, parse
from catchment.landing.reader import FileRead, LandingReader
from catchment.landing.shape import FileShape
from catchment.storage import StoredObject

CHANGES = "shop/orders/2026/03/01/20260301-090610254"
LOAD = "shop/orders/LOAD00000001"
ADDED = "timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_"


def contract(table: str = "{key: [id]}", landing: str = ADDED) -> TableContract:
    return load_contracts(f"landing: {{{landing}}}\ntables: {{shop.orders: {table}}}")[TableName("shop", "orders")]


def landing_file(path: str) -> LandingFile:
    found = parse(StoredObject(path, 1, 1))
    assert found is not None
    return found


class Shelf:
    """Puts one file at a time on disk and reads it through the reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.con = open_duckdb(folder / "scratch", 512, 2)
        self.contract = contract()
        self.kinds: dict[str, str] = {}

    def agree(self, table: str, landing: str = ADDED) -> None:
        self.contract = contract(table, landing)

    def parquet(self, columns: dict[str, pa.Array] | pa.Table, load: bool = False, **options: object) -> FileRead:
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        local = self.folder / "file.parquet"
        pq.write_table(table, local, **options)
        return self.read(local, load)

    def csv(
        self, data: bytes | str, load: bool = False, suffix: str = "csv", reader: LandingReader | None = None
    ) -> FileRead:
        local = self.folder / f"file.{suffix}"
        local.write_bytes(data.encode() if isinstance(data, str) else data)
        return self.read(local, load, reader)

    def read(self, local: Path, load: bool = False, reader: LandingReader | None = None) -> FileRead:
        file, shape, reader = self.inspect(local, load, reader)
        return reader.read(file, local, shape, shape.columns)

    def inspect(
        self, local: Path, load: bool = False, reader: LandingReader | None = None
    ) -> tuple[LandingFile, FileShape, LandingReader]:
        file = landing_file(f"{LOAD if load else CHANGES}.{local.name.partition('.')[2]}")
        reader = reader or LandingReader(self.con, self.contract)
        shape = reader.inspect(file, local)
        self.kinds = {name: str(kind) for name, kind in shape.columns.items()}
        return file, shape, reader

    def rows(self, read: FileRead, columns: str = "*") -> list[tuple[object, ...]]:
        return self.con.execute(f'SELECT {columns} FROM (FROM {read.relation} ORDER BY "~row")').fetchall()


@pytest.fixture(scope="session")
def long_shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """One shelf for many examples of a property."""
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)
