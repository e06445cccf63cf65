"""Where files live: a folder of this machine or a prefix of an S3 bucket, behind one protocol."""

from __future__ import annotations

from pathlib import Path

from catchment.errors import SettingsError
from catchment.storage.base import ObjectStore, StoredObject
from catchment.storage.local import LocalStore

__all__ = ["LocalStore", "ObjectStore", "StoredObject", "open_store"]


def open_store(url: str | Path) -> ObjectStore:
    """The store a folder path, ``file://`` or ``s3://bucket/prefix`` URL names.

    Example: ``open_store("s3://landing/sales")``. Raises SettingsError for any other scheme.
    """
    text = str(url)
    if text.startswith(("s3://", "s3a://")):
        from catchment.storage.s3 import S3Store  # boto3 takes 0.3 s to import: only who reaches S3 pays for it

        return S3Store.from_url(text)
    if text.startswith("file://"):
        return LocalStore(Path(text.removeprefix("file://")))
    if "://" in text:
        raise SettingsError("storage", "url", text, "allowed are a folder, file:///folder or s3://bucket/prefix")
    return LocalStore(Path(text))
