"""What a table map of the binary log says of a table: the shape of its rows from here on, and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymysql.charset import charset_by_id
from pymysqlreplication.constants import FIELD_TYPE
from pymysqlreplication.row_event import TableMapEvent

from catchment.engines.mysql.types import dms_type
from catchment.errors import TypeRefused
from local.dms.shapes import Column, TableShape
from local.dms.sources.mysql import row_image
from local.dms.sources.mysql.row_image import Read

BINARY = 63
"""The collation of bytes."""

_INTEGERS = {
    FIELD_TYPE.TINY: ("tinyint", 1),
    FIELD_TYPE.SHORT: ("smallint", 2),
    FIELD_TYPE.INT24: ("mediumint", 3),
    FIELD_TYPE.LONG: ("int", 4),
    FIELD_TYPE.LONGLONG: ("bigint", 8),
}
_BLOBS = {1: "tiny", 2: "", 3: "medium", 4: "long"}
_TEMPORAL = {
    FIELD_TYPE.DATETIME2: ("datetime", row_image.datetime2),
    FIELD_TYPE.TIMESTAMP2: ("timestamp", row_image.timestamp2),
    FIELD_TYPE.TIME2: ("time", row_image.time2),
}
_CHOICES = {FIELD_TYPE.ENUM: ("enum", row_image.enum), FIELD_TYPE.SET: ("set", row_image.set_of)}
_CODECS = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8": "utf-8", "ucs2": "utf-16-be", "utf16": "utf-16-be"} | {
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
    "binary": "latin-1",
}


@dataclass(frozen=True)
class TableMap:
    """A table as rows of the log show it: its shape, a reader for each column logged, and which of them are kept."""

    shape: TableShape
    readers: Sequence[Read]
    kept: Sequence[int]


@dataclass(frozen=True)
class _Meta:
    """A column's line of a table map."""

    name: str
    declared: str
    read: Read


@dataclass(frozen=True)
class Known:
    """What the catalog knows of a table beyond its map.

    ``hidden`` names columns that DMS does not replicate (generated, invisible), ``words`` has those of its ENUM and
    SET columns, ``charsets`` gives the server's character sets by the number of a collation.
    """

    hidden: frozenset[str]
    words: Mapping[str, Sequence[str]]
    charsets: Mapping[int, str]


def understand(event: TableMapEvent, known: Known) -> TableMap:
    """The meaning of a table map.

    Raises TypeRefused for a column that DMS does not carry, or that the log spells in a way not read here.
    """
    columns = _columns(event, known)
    said = event.optional_metadata
    key = tuple(columns[place].name for place in said.simple_primary_key_list or said.primary_keys_with_prefix)
    kept = [place for place, column in enumerate(columns) if column.name not in known.hidden]
    shape = TableShape(
        event.schema,
        event.table,
        tuple(Column(c.name, dms_type(c.declared), c.name in key) for c in (columns[place] for place in kept)),
        key,
    )
    return TableMap(shape, [column.read for column in columns], kept)


def _columns(event: TableMapEvent, known: Known) -> list[_Meta]:
    said = event.optional_metadata
    if len(said.column_name_list) != event.column_count:
        raise TypeRefused("mysql", f"{event.schema}.{event.table}", "binlog_row_metadata is not FULL: no column names")
    texts = iter(said.charset_collation_list or ())
    collations = iter(said.enum_and_set_collation_list or ())
    enums, sets = iter(said.set_enum_str_value_list or ()), iter(said.set_str_value_list or ())
    found = []
    for column, name in zip(event.columns, said.column_name_list, strict=True):
        kind = column.type
        if kind == FIELD_TYPE.GEOMETRY:
            next(texts)  # MariaDB counts geometries among its texts
            found.append(_Meta(name, "geometry", row_image.binary(column.length_size)))
        elif kind in (FIELD_TYPE.VARCHAR, FIELD_TYPE.STRING, FIELD_TYPE.BLOB):
            found.append(_Meta(name, *_characters(column, next(texts), known.charsets)))
        elif kind in _CHOICES:
            declared, reader, logged = (*_CHOICES[kind], enums if kind == FIELD_TYPE.ENUM else sets)
            # the library reads words as UTF-8 only
            in_map, as_utf8 = next(logged), _CODECS.get(known.charsets.get(next(collations), "")) == "utf-8"
            spelled = in_map if as_utf8 else known.words.get(name)
            if spelled is None:
                raise TypeRefused("mysql", declared, f"the words of {name}, which is no more, cannot be read here")
            found.append(_Meta(name, declared, reader(column.size, spelled)))
        else:
            found.append(_Meta(name, *_plain(column)))
    return found


def _characters(column: Any, collation: int, charsets: Mapping[int, str]) -> tuple[str, Read]:
    is_blob = column.type == FIELD_TYPE.BLOB
    width = column.length_size if is_blob else 1 + (column.max_length > 255)
    if collation == BINARY:
        if is_blob:
            return f"{_BLOBS[width]}blob", row_image.binary(width)
        fixed = column.type == FIELD_TYPE.STRING
        declared = "binary" if fixed else "varbinary"
        return declared, row_image.binary(width, column.max_length if fixed else 0)
    declared = f"{_BLOBS[width]}text" if is_blob else "varchar"
    return declared, row_image.text(width, decoder(charsets, collation))


def _plain(column: Any) -> tuple[str, Read]:
    kind = column.type
    if kind in _INTEGERS:
        name, size = _INTEGERS[kind]
        return name + " unsigned" * column.unsigned, row_image.integer(size, unsigned=column.unsigned)
    if kind in _TEMPORAL:
        name, reader = _TEMPORAL[kind]
        return name, reader(column.fsp)
    if kind == FIELD_TYPE.NEWDECIMAL:
        reader_of = row_image.decimal(column.precision, column.decimals)
        return f"decimal({column.precision},{column.decimals})", reader_of
    simple: dict[int, tuple[str, Read]] = {
        FIELD_TYPE.FLOAT: ("float", row_image.floating(4)),
        FIELD_TYPE.DOUBLE: ("double", row_image.floating(8)),
        FIELD_TYPE.DATE: ("date", row_image.date),
        FIELD_TYPE.YEAR: ("year", row_image.year),
    }
    if kind in simple:
        return simple[kind]
    if kind == FIELD_TYPE.BIT:
        return f"bit({column.bits})", row_image.bits(column.bits)
    raise TypeRefused("mysql", f"field type {kind} of the binary log", "this form of it is not read here")


def decoder(charsets: Mapping[int, str], collation: int) -> Callable[[bytes], str]:
    """How text in a collation's character set is read. Raises TypeRefused for one that Python does not have."""
    name = charsets.get(collation, "")
    if name == "latin1":
        return _latin1
    known = _CODECS.get(name) or getattr(charset_by_id(collation) if name else None, "encoding", None)
    if known is None:
        raise TypeRefused("mysql", f"collation {collation} ({name or 'unknown'})", "its text cannot be read here")
    try:
        "".encode(known)
    except LookupError:
        raise TypeRefused("mysql", f"character set {name}", "its text cannot be read here") from None
    return lambda raw: raw.decode(known)


def _latin1(raw: bytes) -> str:
    """MySQL's latin1 is code page 1252 with its five holes filled by the controls of those numbers."""
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(
            bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte) for byte in raw
        )
