"""Where landing files go: an S3 bucket, or a folder that stands for one in tests and benchmarks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from boto3.s3.transfer import TransferConfig


class Target(Protocol):
    """A place for landing files. Keys are '/'-separated and complete."""

    def put(self, key: str, file: Path) -> None:
        """Store the file's content under the key, all or nothing."""
        ...

    def delete_folder(self, prefix: str) -> int:
        """Delete everything below ``prefix/``; how many objects."""
        ...


class FolderTarget:
    """A folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, file: Path) -> None:
        """Copy the file in and rename it to its name."""
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        shutil.copyfile(file, part)
        os.replace(part, path)

    def delete_folder(self, prefix: str) -> int:
        """Delete the folder."""
        folder = self._root / prefix
        count = sum(1 for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0
        shutil.rmtree(folder, ignore_errors=True)
        return count


class S3Target:
    """An S3 bucket, with the encryption and owner checks of the endpoint's S3Settings."""

    def __init__(self, client: Any, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._bucket = settings["BucketName"]
        owner = settings.get("ExpectedBucketOwner")
        self._owner = {"ExpectedBucketOwner": owner} if owner else {}
        self._extra: dict[str, str] = dict(self._owner)
        if settings["EncryptionMode"] == "sse-kms":
            self._extra["ServerSideEncryption"] = "aws:kms"
            self._extra["SSEKMSKeyId"] = settings["ServerSideEncryptionKmsKeyId"]
        self._transfer = TransferConfig(use_threads=False)

    def put(self, key: str, file: Path) -> None:
        """Upload the file; a large one in parts, as DMS does."""
        self._client.upload_file(os.fspath(file), self._bucket, key, ExtraArgs=self._extra, Config=self._transfer)

    def delete_folder(self, prefix: str) -> int:
        """Delete every object below the prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{prefix}/", **self._owner
        )
        keys = [{"Key": item["Key"]} for page in pages for item in page.get("Contents", [])]
        for start in range(0, len(keys), 1000):
            self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": keys[start : start + 1000]}, **self._owner
            )
        return len(keys)


def folder_of(url: str) -> Path | None:
    """The path of a ``file://`` URL, None for any other."""
    parts = urlsplit(url)
    return Path(parts.path) if parts.scheme == "file" else None
