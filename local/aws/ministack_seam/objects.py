"""S3: the objects as plain files."""

from __future__ import annotations

import os
from typing import Any

from ministack.services import s3


def keep_objects_on_disk() -> None:
    """Write each object to its file and nothing beside it: ministack's metadata files would lie in the lake."""
    s3._persist_object = _write_object


def _write_object(bucket: str, key: str, record: dict[str, Any]) -> None:
    path = s3._object_disk_path(bucket, key)
    body = record.get("body")
    if body is None:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    s3._atomic_write(path, body)
    record["body"] = None


def bucket_holds_objects(name: str) -> bool:
    """Whether a bucket has objects, or versions of them."""
    bucket = s3._buckets.get(name)
    return bucket is not None and (bool(bucket["objects"]) or bool(s3._bucket_has_versions(name)))
