"""A prefix of an S3 bucket as an object store.

Credentials, region and endpoint come from the environment by boto3's and deltalake's own rules
(``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID``… or the role of the function).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from catchment.errors import SettingsError, StorageUnavailable
from catchment.storage.base import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = {"404", "NoSuchKey", "NotFound"}
_THERE = {"PreconditionFailed", "ConditionalRequestConflict"}
_BUSY = {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "503", "500", "Throttling"}


class S3Store:
    """Objects under ``s3://bucket/prefix``."""

    def __init__(self, bucket: str, prefix: str, client: S3Client) -> None:
        self.bucket, self.prefix, self._client = bucket, prefix.strip("/"), client

    @classmethod
    def from_url(cls, url: str) -> S3Store:
        """The store of ``s3://bucket/prefix`` with a client of its own."""
        parts = urlsplit(url)
        if not parts.netloc:
            raise SettingsError("storage", "url", url, "allowed is s3://bucket/prefix")
        config = Config(retries={"max_attempts": 5, "mode": "standard"}, s3={"addressing_style": "auto"})
        return cls(parts.netloc, parts.path, boto3.client("s3", config=config))

    @property
    def url(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """All objects below the folder ``prefix``, in key order, behind ``after``. Raises StorageUnavailable."""
        root = self._key("")
        start = self._key(prefix.rstrip("/") + "/") if prefix else root
        behind = self._key(after) if after else ""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=start, StartAfter=behind
        )
        try:
            for page in pages:
                for entry in page.get("Contents", []):
                    path = entry["Key"][len(root) :]
                    if path and not path.endswith("/"):  # folder markers some tools leave are no files
                        modified = int(entry["LastModified"].timestamp() * 1_000_000_000)
                        yield StoredObject(path, entry["Size"], modified, entry["ETag"].strip('"'))
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error, start) from error

    def has_folder(self, prefix: str) -> bool:
        """Whether any key lies below ``prefix``."""
        start = self._key(prefix.rstrip("/") + "/")
        try:
            return self._client.list_objects_v2(Bucket=self.bucket, Prefix=start, MaxKeys=1)["KeyCount"] > 0
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error, start) from error

    def etag(self, found: StoredObject) -> str:
        """The ETag the listing gave."""
        if found.etag is None:
            raise ValueError(f"{found.path} was not listed by S3")
        return found.etag

    def fetch(self, path: str, scratch: Path) -> Path:
        """Download into ``scratch``; an earlier download of the same path is used again."""
        name = hashlib.md5(f"{self.url}/{path}".encode(), usedforsecurity=False).hexdigest()
        target = scratch / f"{name}-{path.rsplit('/', 1)[-1]}"
        if not target.exists():
            scratch.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(target.name + ".part")
            try:
                self._client.download_file(self.bucket, self._key(path), str(partial))
            except (ClientError, BotoCoreError) as error:
                raise self._translated(error, path) from error
            partial.rename(target)
        return target

    def put(self, path: str, source: Path) -> None:
        """Upload, multipart where the file is large."""
        try:
            self._client.upload_file(str(source), self.bucket, self._key(path))
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error, path) from error

    def write_bytes(self, path: str, data: bytes) -> None:
        """One PutObject."""
        try:
            self._client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data)
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error, path) from error

    def create_bytes(self, path: str, data: bytes) -> StoredObject:
        """One PutObject with ``If-None-Match: *``."""
        try:
            answer = self._client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data, IfNoneMatch="*")
        except (ClientError, BotoCoreError) as error:
            refused = isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _THERE
            if not refused:
                raise self._translated(error, path) from error
            return self._own(path, data, error)
        return StoredObject(path, len(data), 0, answer["ETag"].strip('"'))

    def _own(self, path: str, data: bytes, error: Exception) -> StoredObject:
        """What lies at ``path`` if it is ``data``. Raises FileExistsError, or StorageUnavailable where nothing is."""
        where = f"{self.url}/{path}"
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(path))
            found = answer["Body"].read()
        except (ClientError, BotoCoreError) as missing:
            translated = self._translated(missing, path)
            if isinstance(translated, FileNotFoundError):  # another writer's attempt was under way, and failed
                raise StorageUnavailable(where, str(error)) from error
            raise translated from missing
        if found != data:
            raise FileExistsError(where) from error
        return StoredObject(path, len(data), 0, answer["ETag"].strip('"'))

    def read_bytes(self, path: str) -> bytes:
        """One GetObject."""
        try:
            return self._client.get_object(Bucket=self.bucket, Key=self._key(path))["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error, path) from error

    def delete(self, path: str) -> None:
        """One DeleteObject; S3 does not mind a missing key."""
        try:
            self._client.delete_object(Bucket=self.bucket, Key=self._key(path))
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error, path) from error

    def delta_options(self) -> dict[str, str]:
        """Endpoint, region and credentials of this store's client, for deltalake.

        deltalake reads the same environment, but not a profile or a container's role: boto3's answer is handed on.
        """
        options = {"AWS_REGION": self._client.meta.region_name} if self._client.meta.region_name else {}
        credentials = self._client._request_signer._credentials  # type: ignore[attr-defined]
        if credentials is not None:
            frozen = credentials.get_frozen_credentials()
            options |= {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
            if frozen.token:
                options["AWS_SESSION_TOKEN"] = frozen.token
        endpoint = self._client.meta.endpoint_url
        if not endpoint.endswith(".amazonaws.com"):
            options |= {"AWS_ENDPOINT_URL": endpoint, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
        if endpoint.startswith("http://"):
            options["AWS_ALLOW_HTTP"] = "true"
        return options

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def _translated(self, error: ClientError | BotoCoreError, path: str) -> Exception:
        """The tree's error for what botocore raised."""
        where = f"{self.url}/{path}"
        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                return FileNotFoundError(where)
            if code not in _BUSY:
                return error
        return StorageUnavailable(where, str(error))
