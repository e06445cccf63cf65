"""S3: the objects as plain files."""

from __future__ import annotations

import mmap
import os
from contextvars import ContextVar
from typing import Any

from ministack.services import s3

_ranged: ContextVar[bool] = ContextVar("ranged", default=False)


def keep_objects_on_disk() -> None:
    """Write each object to its file and nothing beside it: ministack's metadata files would lie in the lake.

    A read of a range reads that range, not the whole file.
    """
    s3._persist_object = _write_object
    get_object, read_body = s3._get_object, s3._read_body

    def get(bucket: str, key: str, headers: dict[str, str], query: Any = None) -> Any:
        token = _ranged.set("range" in headers)
        try:
            return get_object(bucket, key, headers, query)
        finally:
            _ranged.reset(token)

    def read(bucket: str, key: str, record: dict[str, Any]) -> Any:
        if not _ranged.get() or record.get("body") is not None or not record["size"]:
            return read_body(bucket, key, record)
        with open(s3._object_disk_path(bucket, key), "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    s3._get_object, s3._read_body = get, read


def _write_object(bucket: str, key: str, record: dict[str, Any]) -> None:
    path = s3._object_disk_path(bucket, key)
    body = record.get("body")
    if body is None:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    s3._atomic_write(path, body)
    record["body"] = None


def encrypt_bucket(name: str, algorithm: str, key: str | None) -> None:
    """Have a bucket's objects encrypted by default, with a key of KMS where one is named."""
    key_id = "" if key is None else f"<KMSMasterKeyID>{key}</KMSMasterKeyID>"
    default = f"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{key_id}"
    rule = f"<ApplyServerSideEncryptionByDefault>{default}</ApplyServerSideEncryptionByDefault>"
    body = f"<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>"
    status, _, answer = s3._put_bucket_encryption(name, body.encode())
    if status != 200:
        raise ValueError(f"{name}: encryption {algorithm}: {answer!r}")


def bucket_holds_objects(name: str) -> bool:
    """Whether a bucket has objects, or versions of them."""
    bucket = s3._buckets.get(name)
    return bucket is not None and (bool(bucket["objects"]) or bool(s3._bucket_has_versions(name)))
