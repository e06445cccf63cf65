"""What a function is, as deployed, and where its unpacked code lies."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
import threading
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


@dataclass(frozen=True)
class Function:
    """A deployed function: configuration and packages as the control plane keeps them."""

    name: str
    arn: str
    version: str
    runtime: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    variables: tuple[tuple[str, str], ...]
    credentials: tuple[tuple[str, str], ...] = field(repr=False)
    code: bytes = field(repr=False, compare=False)
    layers: tuple[bytes, ...] = field(repr=False, compare=False)
    code_sha: str = ""
    layer_shas: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def digest(package: bytes) -> str:
    """The name under which a package is unpacked: its SHA-256, in hex."""
    return hashlib.sha256(package).hexdigest()


class PackageStore:
    """Unpacks each package once, into ``folder/<sha>``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def unpacked(self, package: bytes, sha: str) -> Path:
        """The folder with the package's files. Raises zipfile.BadZipFile for what is not a zip."""
        target = self._folder / sha
        with self._lock:
            if not target.exists():
                partial = target.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
                with zipfile.ZipFile(io.BytesIO(package)) as archive:
                    _extract(archive, partial)
                partial.rename(target)
        return target

    def layer_path(self, package: bytes, sha: str) -> Path | None:
        """The folder a layer adds to the module path, or None: then its packages come from the machine's environment.

        So it is with a placeholder, which holds no ``python/`` (a layer that has not been built), and with a layer
        whose compiled modules are for another processor, system or Python than this one.
        """
        python = self.unpacked(package, sha) / "python"
        return python if python.is_dir() and _runs_here(python) else None


def _runs_here(folder: Path) -> bool:
    ours = _binary_kind(Path(sys.executable))
    for module in folder.rglob("*.so"):
        tagged = ".cpython-" in module.name
        if (tagged and not module.name.endswith(EXTENSION_SUFFIXES[0])) or _binary_kind(module) != ours:
            return False
    return True


def _binary_kind(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(20)
    return head[:5] + head[18:20]  # of an ELF file: magic number, word size, processor


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    for member in archive.infolist():
        path = Path(archive.extract(member, target))
        mode = member.external_attr >> 16 & 0o777
        if mode and path.is_file():
            os.chmod(path, mode | 0o600)
