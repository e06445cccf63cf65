"""The storage protocol: the few things Catchment asks of whatever holds its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """One file as a listing shows it.

    ``path`` is relative to the store's root and '/'-separated, ``modified_ns`` is nanoseconds since the epoch,
    ``etag`` is the content's identity where the listing knows it (S3), else None (see ObjectStore.etag).
    """

    path: str
    size: int
    modified_ns: int
    etag: str | None = None

    @property
    def stamp(self) -> tuple[int, str | int]:
        """Two listings that show the same stamp under a path show the same content."""
        return self.size, self.etag or self.modified_ns


class ObjectStore(Protocol):
    """A tree of files under one root. Missing paths raise FileNotFoundError."""

    @property
    def url(self) -> str:
        """The root, as deltalake takes it: an absolute folder or ``s3://bucket/prefix``, without a trailing slash."""
        ...

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """All files below the folder ``prefix`` (all of the store if empty), in path order.

        Only those whose path (relative to the root, as listed) sorts behind ``after``.
        """
        ...

    def has_folder(self, prefix: str) -> bool:
        """Whether there is a folder ``prefix``, be it empty (in S3: any key below it, a folder marker included)."""
        ...

    def etag(self, found: StoredObject) -> str:
        """What tells this content from any other under the same path: S3's ETag, or the MD5 of a local file."""
        ...

    def fetch(self, path: str, scratch: Path) -> Path:
        """The file on this machine: itself where it is local, else a copy in ``scratch``."""
        ...

    def put(self, path: str, source: Path) -> None:
        """Store a local file under ``path``; the file is whole or absent for readers. ``source`` may be moved away."""
        ...

    def write_bytes(self, path: str, data: bytes) -> None:
        """Store ``data`` under ``path``, whole or not at all, replacing what is there."""
        ...

    def create_bytes(self, path: str, data: bytes) -> StoredObject:
        """Store ``data`` under ``path``, whole or not at all, where nothing is yet; what a listing will show of it.

        Of several callers at once one succeeds. Raises FileExistsError where other content is there already. ``data``
        has to be the caller's alone (a unique id in it): the same content counts as stored by an attempt of this very
        call whose answer was lost.
        """
        ...

    def read_bytes(self, path: str) -> bytes:
        """The content of ``path``."""
        ...

    def delete(self, path: str) -> None:
        """Remove ``path``; a missing one is fine."""
        ...

    def delta_options(self) -> dict[str, str]:
        """``storage_options`` for deltalake."""
        ...
