"""The bytes of a CSV file, gzipped or not."""

from __future__ import annotations

import gzip
import mmap
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catchment.errors import UnreadableFile
from catchment.landing.csv_records import Data
from catchment.landing.names import LandingFile

_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 22


def first_bytes(file: LandingFile, local: Path, size: int) -> tuple[bytes, bool]:
    """Up to ``size`` bytes of a file's text, and whether they are all of it. Raises UnreadableFile for broken gzip."""
    if not _is_gzip(file, local):
        with local.open("rb") as plain:
            data = plain.read(size + 1)
        return data[:size], len(data) <= size
    with _broken_gzip_is_unreadable(file), gzip.open(local) as unpacked:
        data = unpacked.read(size + 1)
    return data[:size], len(data) <= size


def unpacked(file: LandingFile, local: Path, folder: Path) -> Path:
    """The file itself, or what gzip packed, checksum and all, in a file of ``folder``."""
    if not _is_gzip(file, local):
        return local
    target = folder / "unpacked.csv"
    with _broken_gzip_is_unreadable(file), gzip.open(local) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, _CHUNK)
    return target


@contextmanager
def mapped(path: Path) -> Iterator[Data]:
    """A file's bytes without reading them all at once."""
    with path.open("rb") as opened:
        if path.stat().st_size == 0:
            yield b""
            return
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def count(data: Data, byte: bytes, start: int) -> int:
    """How often ``byte`` stands in ``data`` from ``start`` on."""
    return sum(data[at : at + _CHUNK].count(byte) for at in range(start, len(data), _CHUNK))


def _is_gzip(file: LandingFile, local: Path) -> bool:
    """A client may have unpacked or packed a file on its way: the bytes say what it is, but .gz promises gzip."""
    with local.open("rb") as opened:
        packed = opened.read(2) == _MAGIC
    if file.suffix == "csv.gz" and not packed:
        raise UnreadableFile(file.path, "not a gzip file")
    return packed


@contextmanager
def _broken_gzip_is_unreadable(file: LandingFile) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(file.path, f"broken gzip: {error}") from error
