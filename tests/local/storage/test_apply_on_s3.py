"""The applier's stores, table commits and leases on the local AWS.

Scope: catchment.storage.s3, catchment.leases.dynamodb, and the conditional puts below catchment.sinks.delta.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from deltalake import DeltaTable

from catchment.apply import Account, Budget, apply_table
from catchment.errors import LeaseTaken, StorageUnavailable
from catchment.leases import Lease, MemoryLease
from catchment.leases.dynamodb import DynamoLease
from catchment.storage import open_store
from catchment.storage.s3 import S3Store
from local.aws import LocalAws
from tests.core.apply import applying as a


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("aws") / "server") as server:
        server.client("s3").create_bucket(Bucket="lake")
        server.client("dynamodb").create_table(
            TableName="control",
            KeySchema=[{"AttributeName": "table", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "table", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield server


@pytest.fixture
def store(aws: LocalAws, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> S3Store:
    """A prefix of its own for each test."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    found = open_store(f"s3://lake/{request.node.name}/a b")
    assert isinstance(found, S3Store)
    return found


def lease(aws: LocalAws, seconds: int = 60) -> DynamoLease:
    return DynamoLease(aws.client("dynamodb"), "control", prefix="sales/", seconds=seconds)


def run(store: S3Store, held: Lease, *, files: int = 500) -> Account:
    return apply_table(
        contract=a.contract(),
        landing=open_store(f"{store.url}/landing"),
        lake=open_store(f"{store.url}/lake"),
        quarantine=open_store(f"{store.url}/quarantine"),
        lease=held,
        budget=Budget(commit_files=files),
        now=lambda: datetime.now(UTC),
    )


def upload(store: S3Store, folder: Path) -> None:
    for file in sorted(folder.rglob("*.parquet")):
        store.put(f"landing/{file.relative_to(folder / 'landing')}", file)


def rows(store: S3Store) -> list[tuple[Any, ...]]:
    delta = DeltaTable(f"{store.url}/lake/s/t", storage_options=store.delta_options())
    return sorted((row["id"], row["v"]) for row in delta.to_pyarrow_table().to_pylist())


def test_a_store_keeps_and_lists_what_it_is_given(store: S3Store, tmp_path: Path) -> None:
    assert list(store.list()) == []
    assert not store.has_folder("x")
    store.write_bytes("x/Mixed Case/ü.txt", b"one")
    store.write_bytes("x/Mixed Case/ü.txt", b"two")
    store.write_bytes("xy/z", b"")
    [found] = store.list("x")
    assert (found.path, found.size) == ("x/Mixed Case/ü.txt", 3)
    assert store.etag(found) == "b8a9f715dbb64fd5c56e7783c6820a61"
    assert store.has_folder("x")
    assert store.read_bytes("x/Mixed Case/ü.txt") == b"two"
    assert store.fetch("x/Mixed Case/ü.txt", tmp_path).read_bytes() == b"two"
    store.delete("xy/z")
    store.delete("xy/z")
    with pytest.raises(FileNotFoundError):
        store.read_bytes("xy/z")
    with pytest.raises(FileNotFoundError):
        store.fetch("xy/z", tmp_path)


def test_an_object_is_created_once_and_known_again(store: S3Store) -> None:
    made = store.create_bytes("log/1.json", b"mine")
    [listed] = store.list("log")
    assert made.stamp == listed.stamp
    assert store.create_bytes("log/1.json", b"mine").stamp == made.stamp, "as if the first answer had been lost"
    with pytest.raises(FileExistsError):
        store.create_bytes("log/1.json", b"another's")
    assert store.read_bytes("log/1.json") == b"mine"


def test_a_put_that_meets_another_still_under_way_may_be_tried_again(store: S3Store) -> None:
    conflict = ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": "busy"}}, "PutObject")
    with (
        patch.object(store._client, "put_object", side_effect=conflict),
        pytest.raises(StorageUnavailable, match="busy"),
    ):
        store.create_bytes("log/1.json", b"mine")


def test_a_listing_begins_behind_a_path(store: S3Store) -> None:
    for path in ("a/1", "a/2/x", "a/2-", "a/3", "b"):
        store.write_bytes(path, b"")
    assert [found.path for found in store.list("a", after="a/2")] == ["a/2-", "a/2/x", "a/3"]
    assert [found.path for found in store.list(after="a/2/x")] == ["a/3", "b"]


def test_a_table_on_s3_from_load_to_late_file(store: S3Store, aws: LocalAws, tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(i, v="a") for i in range(5)))
    a.land(tmp_path, "20240809-110000000.parquet", a.delete(9, 1), a.update(10, 7, 2, v="moved"))
    upload(store, tmp_path)
    account = run(store, lease(aws), files=1)
    assert (account.commits, account.counts.applied) == (2, 7)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(5, 1, v="late"), a.update(6, 3, v="late"))
    upload(store, tmp_path)
    assert run(store, lease(aws)).late == 1
    assert rows(store) == [(0, "a"), (3, "late"), (4, "a"), (7, "moved")]
    assert run(store, lease(aws)).commits == 0


def test_racing_appliers_without_a_lease_are_kept_apart_by_the_commits(store: S3Store, tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(i, v="load") for i in range(20)))
    for k in range(4):
        a.land(tmp_path, f"20240809-10000{k}000.parquet", *(a.update(k + 1, i, v=str(k)) for i in range(20)))
    upload(store, tmp_path)
    accounts: list[Account] = []

    def work() -> None:
        try:
            accounts.append(run(store, MemoryLease(), files=1))
        except StorageUnavailable:  # lost too many races in a row: the other one does the work
            return

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accounts
    run(store, MemoryLease())
    assert rows(store) == [(i, "3") for i in range(20)]


def test_a_lease_has_one_holder_and_remembers_pokes(aws: LocalAws, store: S3Store) -> None:
    first = lease(aws).acquire("one.holder")
    first.look()
    with pytest.raises(LeaseTaken):
        lease(aws).acquire("one.holder")
    first.check()
    assert first.release() is False, "somebody was sent away after the last look"
    first.look()
    assert first.release() is True
    second = lease(aws).acquire("one.holder")
    assert second.release(force=True) is True


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_told(aws: LocalAws) -> None:
    late = lease(aws, seconds=-10).acquire("out.of.time")
    taken = lease(aws).acquire("out.of.time")
    with pytest.raises(LeaseTaken):
        late.look()
    with pytest.raises(LeaseTaken):
        late.check()
    late.release(force=True)
    taken.check()


def test_credentials_reach_deltalake_as_boto3_has_them(store: S3Store) -> None:
    options = store.delta_options()
    frozen = boto3.Session().get_credentials()
    assert frozen is not None
    assert options["AWS_ACCESS_KEY_ID"] == frozen.access_key
    assert options["AWS_ALLOW_HTTP"] == "true"
