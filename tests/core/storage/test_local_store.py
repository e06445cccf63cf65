"""A folder as an object store. Scope: catchment.storage, without S3 (tests/local/storage has that)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catchment.errors import SettingsError
from catchment.storage import LocalStore, open_store


def test_a_store_keeps_and_lists_what_it_is_given(tmp_path: Path) -> None:
    store = open_store(tmp_path / "not yet there")
    assert list(store.list()) == []
    store.write_bytes("x/ü/b.txt", b"one")
    store.write_bytes("x/ü/b.txt", b"two")
    store.write_bytes("xy/z", b"")
    assert [(found.path, found.size) for found in store.list("x")] == [("x/ü/b.txt", 3)]
    assert store.read_bytes("x/ü/b.txt") == b"two"
    assert store.has_folder("x/ü")
    store.delete("xy/z")
    store.delete("xy/z")
    with pytest.raises(FileNotFoundError):
        store.read_bytes("xy/z")
    with pytest.raises(FileNotFoundError):
        store.fetch("xy/z", tmp_path)


def test_content_has_one_identity_whatever_its_times(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.write_bytes("a", b"same")
    store.write_bytes("b", b"same")
    os.utime(tmp_path / "b", (1, 1))
    first, second = store.list()
    assert store.etag(first) == store.etag(second)


def test_a_put_moves_the_file_and_is_never_half_there(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100)
    store.put("deep/file", source)
    assert [found.path for found in store.list()] == ["deep/file"]
    assert not source.exists()


def test_of_many_creators_one_succeeds_and_nothing_else_is_left(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)

    def create(number: int) -> bool:
        try:
            found = store.create_bytes("log/1.json", b"x" * 100 + bytes([number]))
        except FileExistsError:
            return False
        assert found.stamp == next(store.list("log")).stamp
        return True

    with ThreadPoolExecutor(4) as pool:
        winners = [number for number, won in enumerate(pool.map(create, range(20))) if won]
    assert [store.read_bytes("log/1.json")[-1]] == winners
    assert [entry.name for entry in (tmp_path / "log").iterdir()] == ["1.json"]


def test_a_listing_begins_behind_a_path(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for path in ("a/1", "a/2/x", "a/2-", "a/3", "b"):
        store.write_bytes(path, b"")
    assert [found.path for found in store.list("a", after="a/2")] == ["a/2-", "a/2/x", "a/3"]
    assert [found.path for found in store.list(after="a/2/x")] == ["a/3", "b"]


def test_what_a_killed_writer_left_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "file.writing-abc").write_bytes(b"half")
    assert list(LocalStore(tmp_path).list()) == []


@pytest.mark.parametrize("url", ["gs://bucket/x", "http://x/y", "s3:///x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        open_store(url)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}").url == str(tmp_path)
