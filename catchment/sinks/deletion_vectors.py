"""Deletion vectors: which rows of a data file no longer count, by their positions in it.

The format is the Delta protocol's ("Deletion Vectors", "Deletion Vector Format"): a 64-bit Roaring bitmap in the
portable serialization behind a magic number; many in one ``deletion_vector_<uuid>.bin`` beside the data files, each
framed by its length and a CRC-32, or one inline in the log as Base85 (ZeroMQ's alphabet).
"""

from __future__ import annotations

import struct
import uuid
import zlib
from urllib.parse import unquote

from pyroaring import BitMap64

from catchment.errors import DamagedVector
from catchment.sinks.delta_actions import DeletionVector
from catchment.storage import ObjectStore

_MAGIC = 1681511377
_VERSION = b"\x01"
_CHECKSUM = 4
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_UUID_DIGITS = 20


def vector_file(vector: DeletionVector, table_url: str) -> str | None:
    """The path of a vector's file below the table's folder; None where it is inline. Raises DamagedVector."""
    if vector.storage == "i":
        return None
    place = vector.path_or_inline
    if vector.storage == "u":
        folder, digits = place[:-_UUID_DIGITS], place[-_UUID_DIGITS:]
        name = f"deletion_vector_{uuid.UUID(bytes=decode85(digits))}.bin"
        return f"{folder}/{name}" if folder else name
    path, root = (unquote(each.removeprefix("file:")) for each in (place, table_url))
    path, root = "/" + path.lstrip("/"), "/" + root.lstrip("/").rstrip("/") + "/"
    if vector.storage != "p" or not path.startswith(root):
        raise DamagedVector(place, f"lies outside of the table's folder {table_url}")
    return path.removeprefix(root)


class VectorReader:
    """Reads the vectors of the table at ``path``; a file that holds several is read once."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._store, self._path = store, path
        self._files: dict[str, bytes] = {}

    def read(self, vector: DeletionVector) -> BitMap64:
        """The positions it masks, from 0. Raises DamagedVector, FileNotFoundError."""
        file = vector_file(vector, f"{self._store.url}/{self._path}")
        where = f"{self._path}/{file}" if file else f"{self._path}: {vector.path_or_inline}"
        body = self._framed(vector, where) if file else decode85(vector.path_or_inline)[: vector.size]
        positions = deserialize(body, where)
        if len(positions) != vector.cardinality:
            raise DamagedVector(where, f"masks {len(positions)} rows, and the log says {vector.cardinality}")
        return positions

    def _framed(self, vector: DeletionVector, where: str) -> bytes:
        if where not in self._files:
            self._files[where] = self._store.read_bytes(where)
        data, start = self._files[where], vector.offset or 0
        body = data[start + 4 : start + 4 + vector.size]
        checksum = data[start + 4 + vector.size : start + 4 + vector.size + _CHECKSUM]
        if data[:1] != _VERSION or data[start : start + 4] != struct.pack(">i", vector.size):
            raise DamagedVector(where, f"no vector of {vector.size} bytes begins at byte {start}")
        if checksum != struct.pack(">I", zlib.crc32(body)):
            raise DamagedVector(where, f"the checksum at byte {start + 4 + vector.size} is of other bytes")
        return body


class VectorFile:
    """The vectors of one commit, gathered into one file: ``add`` each, then ``save``."""

    def __init__(self) -> None:
        self._uuid = uuid.uuid4()
        self._data = bytearray(_VERSION)

    @property
    def name(self) -> str:
        """The file's name, in the table's folder."""
        return f"deletion_vector_{self._uuid}.bin"

    def add(self, positions: BitMap64) -> DeletionVector:
        """What the log is to say of these positions."""
        body, offset = serialize(positions), len(self._data)
        self._data += struct.pack(">i", len(body)) + body + struct.pack(">I", zlib.crc32(body))
        return DeletionVector("u", encode85(self._uuid.bytes), len(body), len(positions), offset)

    def save(self, store: ObjectStore, path: str) -> None:
        """Write the file into the table's folder ``path``; nothing if there is no vector."""
        if len(self._data) > len(_VERSION):
            store.write_bytes(f"{path}/{self.name}", bytes(self._data))


def serialize(positions: BitMap64) -> bytes:
    """The bitmap's bytes, the magic number first."""
    return struct.pack("<i", _MAGIC) + positions.serialize()


def deserialize(body: bytes, where: str) -> BitMap64:
    """The bitmap in ``body``. Raises DamagedVector, naming ``where``."""
    if body[:4] != struct.pack("<i", _MAGIC):
        raise DamagedVector(where, f"begins with {body[:4].hex()}, which is no portable Roaring bitmap")
    try:
        return BitMap64.deserialize(body[4:])
    except (ValueError, IndexError) as error:
        raise DamagedVector(where, f"the bitmap cannot be read: {error}") from error


def encode85(data: bytes) -> str:
    """ZeroMQ's Base85 of ``data``, filled up with zeros to groups of four bytes."""
    filled = data + bytes(-len(data) % 4)
    digits = []
    for (group,) in struct.iter_unpack(">I", filled):
        digits += [_DIGITS[group // power % 85] for power in (85**4, 85**3, 85**2, 85, 1)]
    return "".join(digits)


def decode85(encoded: str) -> bytes:
    """The bytes of ``encode85``, the filling included. Raises DamagedVector."""
    try:
        values = [_VALUES[digit] for digit in encoded]
        groups = [values[i : i + 5] for i in range(0, len(values), 5)]
        return b"".join(struct.pack(">I", a * 85**4 + b * 85**3 + c * 85**2 + d * 85 + e) for a, b, c, d, e in groups)
    except (KeyError, ValueError, struct.error) as error:
        raise DamagedVector(encoded[:100], "is no Base85 of a vector or its file") from error
