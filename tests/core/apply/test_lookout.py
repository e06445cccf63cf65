"""What of a landing folder is listed, and that it does not matter for the table.

Scope: catchment.apply.pending on a folder that says what it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catchment.apply.pending import Lookout
from catchment.landing.names import TableName
from catchment.sinks.ledger import AppliedFile, Ledger
from catchment.storage import LocalStore, StoredObject
from tests.core.apply import applying as a


class Watched(LocalStore):
    """A folder that keeps where each listing began."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.begun: list[str] = []

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        self.begun.append(after)
        return super().list(prefix, after)


def look(root: Path, applied: list[str], named: list[str] | None) -> tuple[list[str], list[str]]:
    """The new files that a look finds beside the applied ones, and where the listings began."""
    store, ledger = Watched(root), Ledger()
    for path in applied:
        store.write_bytes(path, b"x")
    files = {found.path: found for found in store.list()}
    store.begun.clear()
    ledger.add([AppliedFile(path, store.etag(files[path]), 1, files[path].modified_ns, 1) for path in applied], 0)
    listing = Lookout(store, TableName("s", "t"), named).look(ledger)
    return [file.path for file in listing.new], store.begun


@pytest.mark.parametrize(
    ("day", "begin"),
    [
        ("", "s/t/20240809-220500"),
        ("2024/08/10/", "s/t/2024/08/09/20240809-220500"),
        ("20240810/", "s/t/20240809/20240809-220500"),
        ("2024-08-10-00/", "s/t/2024-08-09-22/20240809-220500"),
        ("202408/", "s/t/202408/20240809-220500"),
        ("10082024/", ""),
        ("08202410/", ""),
        ("2024/", ""),
    ],
)
def test_a_listing_begins_shortly_before_the_newest_file_where_names_sort_by_time(
    tmp_path: Path, day: str, begin: str
) -> None:
    store = LocalStore(tmp_path)
    newest, late = f"s/t/{day}20240810-000500000.parquet", f"s/t/{day}20240810-000100000.parquet"
    store.write_bytes(late, b"x")
    store.write_bytes("s/t/LOAD00000002.parquet", b"x")
    assert look(tmp_path, [newest], []) == (["s/t/LOAD00000002.parquet", late], [begin])


def test_a_file_further_back_is_found_by_its_name_or_by_listing_the_whole_folder(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.write_bytes("s/t/20240101-000000000.parquet", b"x")
    applied = ["s/t/20240810-000500000.parquet"]
    assert look(tmp_path, applied, [])[0] == []
    assert look(tmp_path, applied, ["s/t/20240101-000000000.parquet", "s/t/gone.parquet", "o/t/x"])[0] == [
        "s/t/20240101-000000000.parquet"
    ]
    assert look(tmp_path, applied, None) == (["s/t/20240101-000000000.parquet"], [""])
    many = [f"s/t/20240101-00000000{i}.parquet" for i in range(9)]
    assert look(tmp_path, applied, many) == (["s/t/20240101-000000000.parquet"], [""])


@pytest.mark.parametrize("newest", ["s/t/LOAD00000001.parquet", "s/t/20249999-999999999.parquet"])
def test_names_without_a_time_have_the_whole_folder_listed(tmp_path: Path, newest: str) -> None:
    assert look(tmp_path, [newest], []) == ([], [""])


def test_each_look_lists_anew(tmp_path: Path) -> None:
    store, lookout = LocalStore(tmp_path), Lookout(LocalStore(tmp_path), TableName("s", "t"), None)
    for number in range(3):  # without a change file among the applied ones every look is at the whole folder
        store.write_bytes(f"s/t/LOAD0000000{number}.parquet", b"x")
        assert len(lookout.look(Ledger()).new) == number + 1


def test_a_late_file_is_exact_though_the_look_was_short(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="load"), a.load(2, v="load"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(10, 1, v="new"))
    a.land(tmp_path, "20240810-100000000.parquet", a.delete(20, 2))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-090000000.parquet", a.update(5, 1, v="late"), a.update(6, 2, v="late"))
    assert a.run(tmp_path, named=[]).commits == 0
    account = a.run(tmp_path, named=["s/t/20240809-090000000.parquet"])
    assert (account.late, account.replayed) == (1, 2)
    assert not account.notes
    assert a.rows(tmp_path) == [(1, "new")]


def test_files_that_have_left_the_landing_zone_leave_the_ledger(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="load"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(10, 1, v="new"))
    a.run(tmp_path)
    (tmp_path / "landing/s/t/20240809-100000000.parquet").unlink()
    ledger = a.log(tmp_path).ledger
    ledger.forget({"s/t/20240809-100000000.parquet"})
    assert list(ledger.files) == ["s/t/LOAD00000001.parquet"]
    assert ledger.end == ledger.expired
    assert Ledger.from_json(ledger.to_json()) == ledger
    assert ledger.newest == "s/t/20240809-100000000.parquet"
