"""S3: bytes on disk, conditional writes, a small server."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from deltalake import DeltaTable, write_deltalake

from local.aws import LocalAws


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bucket_folder_holds_the_objects_and_nothing_else(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="plain-files")
    s3.put_object(Bucket="plain-files", Key="sales/clients/LOAD00000001.parquet", Body=b"one")
    s3.put_object(Bucket="plain-files", Key="Mixed Case/ä.csv", Body=b"two")
    s3.copy_object(Bucket="plain-files", Key="copy", CopySource="plain-files/Mixed Case/ä.csv")
    s3.put_object(Bucket="plain-files", Key="gone", Body=b"x")
    s3.delete_object(Bucket="plain-files", Key="gone")

    assert files_of(aws.folder / "s3" / "plain-files") == {
        "sales/clients/LOAD00000001.parquet": b"one",
        "Mixed Case/ä.csv": b"two",
        "copy": b"two",
    }


def test_a_multipart_upload_becomes_one_file(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="multipart")
    upload = s3.create_multipart_upload(Bucket="multipart", Key="big")["UploadId"]
    parts = [b"a" * (5 << 20), b"b" * 10]
    tags = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(Bucket="multipart", Key="big", UploadId=upload, PartNumber=number, Body=part)[
                "ETag"
            ],
        }
        for number, part in enumerate(parts, 1)
    ]
    s3.complete_multipart_upload(Bucket="multipart", Key="big", UploadId=upload, MultipartUpload={"Parts": tags})

    assert files_of(aws.folder / "s3" / "multipart") == {"big": b"".join(parts)}
    ranged = s3.get_object(Bucket="multipart", Key="big", Range="bytes=5242878-5242881")["Body"].read()
    assert ranged == b"aabb"


def test_objects_do_not_stay_in_memory(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="large")
    s3.put_object(Bucket="large", Key="first", Body=bytes(8 << 20))
    before = psutil.Process(aws.pid).memory_info().rss
    for number in range(16):
        s3.put_object(Bucket="large", Key=str(number), Body=bytes([number]) * (8 << 20))

    assert psutil.Process(aws.pid).memory_info().rss - before < 64 << 20


def test_one_of_many_racing_writers_creates_an_object(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="racing")
    for round_number in range(5):
        winners = race(s3, f"commit-{round_number}")
        assert len(winners) == 1
        assert s3.get_object(Bucket="racing", Key=f"commit-{round_number}")["Body"].read(1) == winners[0]


def race(s3: object, key: str) -> list[bytes]:
    winners: list[bytes] = []
    start = threading.Barrier(8)

    def write(mark: bytes) -> None:
        start.wait()
        try:
            s3.put_object(Bucket="racing", Key=key, Body=mark * 300_000, IfNoneMatch="*")  # type: ignore[attr-defined]
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)  # noqa: PT017
        else:
            winners.append(mark)

    writers = [threading.Thread(target=write, args=(bytes([65 + number]),)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return winners


def test_a_write_over_a_stale_version_is_refused(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="versions")
    first = s3.put_object(Bucket="versions", Key="k", Body=b"1")["ETag"]
    s3.put_object(Bucket="versions", Key="k", Body=b"2", IfMatch=first)

    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="versions", Key="k", Body=b"3", IfMatch=first)


def test_racing_appends_of_delta_all_arrive(aws: LocalAws) -> None:
    aws.client("s3").create_bucket(Bucket="delta")
    options = {**aws.environment(), "AWS_S3_ALLOW_UNSAFE_RENAME": "false"}
    write_deltalake("s3://delta/t", pa.table({"n": [0]}), storage_options=options)

    def append(number: int) -> None:
        write_deltalake("s3://delta/t", pa.table({"n": [number]}), mode="append", storage_options=options)

    writers = [threading.Thread(target=append, args=(number,)) for number in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    over_s3 = DeltaTable("s3://delta/t", storage_options=options)
    on_disk = DeltaTable(aws.folder / "s3" / "delta" / "t")
    assert over_s3.version() == on_disk.version() == 4
    assert sorted(on_disk.to_pyarrow_table()["n"].to_pylist()) == [0, 1, 2, 3, 4]
