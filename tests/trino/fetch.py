"""Fetches Trino, the engine of Athena, and unpacks what reads Delta tables:  python -m tests.trino.fetch FOLDER

Run by ``make test-trino`` in the Spark environment, whose Ivy it uses. 821 MB come from Maven Central, once; their sum
is checked. The release is one whose Java comes from PyPI.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from local.spark.jars import run_ivy

VERSION = "476"
SHA256 = "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f"
_NEEDED = (f"trino-server-{VERSION}/lib/", f"trino-server-{VERSION}/plugin/delta-lake/")


def fetch(target: Path) -> None:
    """Make ``target`` hold Trino's ``lib`` and ``plugin/delta-lake``. Raises SystemExit with Ivy's words or the sum."""
    with tempfile.TemporaryDirectory(prefix="catchment-trino-", dir=target.parent) as folder:
        archive = _retrieve(Path(folder))
        with open(archive, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != SHA256:
            raise SystemExit(f"{archive.name}: SHA-256 is {found}, not {SHA256}")
        _unpack(archive, Path(folder))
        shutil.rmtree(target, ignore_errors=True)
        (Path(folder) / f"trino-server-{VERSION}").rename(target)


def _retrieve(folder: Path) -> Path:
    run_ivy(
        f'<dependency org="io.trino" name="trino-server" rev="{VERSION}" conf="default->master" transitive="false">'
        '<artifact name="trino-server" type="tar.gz" ext="tar.gz"/></dependency>',
        folder,
        "archive/[artifact]-[revision].[ext]",
    )
    return folder / f"archive/trino-server-{VERSION}.tar.gz"


def _unpack(archive: Path, folder: Path) -> None:
    """The needed files. Many are links to files of other plugins, which come once, under any of the names."""
    with tarfile.open(archive) as tar:
        needed = {
            m.name: m.linkname if m.islnk() else m.name for m in tar if m.name.startswith(_NEEDED) and not m.isdir()
        }
    names: dict[str, list[str]] = {}
    for name, source in needed.items():
        names.setdefault(source, []).append(name)
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isreg() or member.name not in names:
                continue
            first, *others = (folder / name for name in names[member.name])
            first.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None
            with content, open(first, "wb") as file:
                shutil.copyfileobj(content, file)
            for other in others:
                other.parent.mkdir(parents=True, exist_ok=True)
                os.link(first, other)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
