"""AWS::S3::Bucket: as ministack has it, with its encryption; a bucket that holds objects is not deleted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from local.aws.resources.kind import Created, Properties, ResourceKind


def kinds(
    builtin: ResourceKind,
    folder: Path,
    holds_objects: Callable[[str], bool],
    encrypt: Callable[[str, str, str | None], None],
) -> dict[str, ResourceKind]:
    """The type by name; ``folder`` is where the buckets' files lie, ``encrypt`` takes bucket, algorithm and key."""

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        bucket = builtin.create(logical_id, properties, stack)
        (folder / bucket.physical_id).mkdir(exist_ok=True)
        set_encryption(bucket.physical_id, properties)
        return bucket

    def set_encryption(name: str, properties: Properties) -> None:
        for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", []):
            default = rule["ServerSideEncryptionByDefault"]
            encrypt(name, default["SSEAlgorithm"], default.get("KMSMasterKeyID"))

    def delete(name: str, properties: Properties) -> None:
        if holds_objects(name):
            raise ValueError(f"The bucket you tried to delete is not empty: {name}")
        builtin.delete(name, properties)
        shutil.rmtree(folder / name, ignore_errors=True)

    return {"AWS::S3::Bucket": ResourceKind(create, delete, builtin.update)}
