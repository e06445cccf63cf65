"""A folder of this machine as an object store."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from catchment.storage.base import StoredObject

_CHUNK = 1 << 20
# Not hidden: in a Delta folder VACUUM must find what a killed writer left.
_STAGED = ".writing-"


class LocalStore:
    """Files under one folder. The folder is made on the first write."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))

    @property
    def url(self) -> str:
        """The absolute folder."""
        return str(self.root)

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """All files below ``prefix`` in path order, behind ``after``; temporary files are left out."""
        start = self.root / prefix if prefix else self.root
        found = []
        for folder, _, names in os.walk(start):
            beneath = os.path.relpath(folder, self.root).replace(os.sep, "/")
            for name in names:
                path = name if beneath == "." else f"{beneath}/{name}"
                if path <= after or _STAGED in name:
                    continue
                try:
                    stat = os.stat(os.path.join(folder, name))
                except FileNotFoundError:  # removed between the walk and the look: it is not there
                    continue
                found.append(StoredObject(path, stat.st_size, stat.st_mtime_ns))
        yield from sorted(found, key=lambda entry: entry.path)

    def has_folder(self, prefix: str) -> bool:
        """Whether the folder exists."""
        return self._full(prefix).is_dir()

    def etag(self, found: StoredObject) -> str:
        """The MD5 of the content, as S3 gives it for an object put in one piece."""
        if found.etag is not None:
            return found.etag
        digest = hashlib.md5(usedforsecurity=False)
        with open(self._full(found.path), "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def fetch(self, path: str, scratch: Path) -> Path:
        """The file itself; nothing is copied."""
        full = self._full(path)
        if not full.exists():
            raise FileNotFoundError(full)
        return full

    def put(self, path: str, source: Path) -> None:
        """Move ``source`` to ``path``; a rename where both lie on one file system."""
        target = self._full(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, staged = tempfile.mkstemp(prefix=target.name + _STAGED, dir=target.parent)
        os.close(handle)
        shutil.move(source, staged)
        os.replace(staged, target)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Write beside the target, flush to disk, rename."""
        target = self._full(path)
        staged = _staged(target, data)
        try:
            os.replace(staged, target)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise

    def create_bytes(self, path: str, data: bytes) -> StoredObject:
        """Write beside the target, flush to disk, link under the target's name, which fails where there is one."""
        target = self._full(path)
        staged = _staged(target, data)
        try:
            os.link(staged, target)
            stat = os.stat(staged)
        finally:
            staged.unlink()
        return StoredObject(path, stat.st_size, stat.st_mtime_ns)

    def read_bytes(self, path: str) -> bytes:
        """The content of ``path``."""
        return self._full(path).read_bytes()

    def delete(self, path: str) -> None:
        """Remove ``path``; a missing one is fine."""
        self._full(path).unlink(missing_ok=True)

    def delta_options(self) -> dict[str, str]:
        """None needed."""
        return {}

    def _full(self, path: str) -> Path:
        return self.root / path


def _staged(target: Path, data: bytes) -> Path:
    """A new file beside ``target`` that holds ``data`` on disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=target.name + _STAGED, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
