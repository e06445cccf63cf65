"""Values of a row image in MariaDB's and MySQL's binary log, spelled as the server spells them in a result.

The library that reads the log decodes values too, but gives negative fractions of a second, the year 0000, an empty SET
and bytes beyond Python's own code pages another value, or none (docs/decisions/0132).
Formats: MariaDB, "Rows_event_v1/v2"; MySQL, "Date and Time Data Type Representation", decimal.c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

Value = str | bytes | None
Read = Callable[[bytes, int], tuple[Value, int]]
"""From the data and a place in it to the value there and the place behind it."""

_EPOCH = datetime(1970, 1, 1)
_DIGIT_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
"""Bytes of so many decimal digits that do not fill a group of nine."""


def read_row(data: bytes, at: int, columns: Sequence[Read]) -> tuple[list[Value], int]:
    """A row image with all its columns; its values and the place behind it."""
    begin = at + (len(columns) + 7) // 8
    nulls, at = int.from_bytes(data[at:begin], "little"), begin
    values: list[Value] = []
    for read in columns:
        if nulls & 1:
            values.append(None)
        else:
            value, at = read(data, at)
            values.append(value)
        nulls >>= 1
    return values, at


def integer(size: int, *, unsigned: bool) -> Read:
    """TINYINT to BIGINT, by their bytes."""
    signed = not unsigned

    def read(data: bytes, at: int) -> tuple[Value, int]:
        return str(int.from_bytes(data[at : at + size], "little", signed=signed)), at + size

    return read


def floating(size: int) -> Read:
    """FLOAT (4 bytes, widened to a double without rounding) or DOUBLE (8)."""
    form = struct.Struct("<f" if size == 4 else "<d")

    def read(data: bytes, at: int) -> tuple[Value, int]:
        return repr(form.unpack_from(data, at)[0]), at + size

    return read


def decimal(precision: int, scale: int) -> Read:
    """DECIMAL, with all its decimals: groups of nine digits to either side of the point, the odd ones outermost."""
    whole, head = divmod(precision - scale, 9)
    groups, tail = divmod(scale, 9)
    digits = [head, *[9] * (whole + groups), tail]
    widths = [8 * _DIGIT_BYTES[count] for count in digits]
    size = sum(widths) // 8
    parts = [
        (sum(widths[place + 1 :]), (1 << widths[place]) - 1, 10**count) for place, count in enumerate(digits) if count
    ]
    sign, every_bit = 1 << 8 * size - 1, (1 << 8 * size) - 1

    def read(data: bytes, at: int) -> tuple[Value, int]:
        logged = int.from_bytes(data[at : at + size], "big")
        # set means positive; a negative number has all its bits turned over
        raw = logged ^ sign if logged & sign else logged ^ sign ^ every_bit
        number = 0
        for shift, mask, power in parts:
            number = number * power + (raw >> shift & mask)
        text = str(number) if logged & sign else f"-{number}"
        if not scale:
            return text, at + size
        text = text.zfill(scale + (1 if logged & sign else 2))
        return f"{text[:-scale]}.{text[-scale:]}", at + size

    return read


def year(data: bytes, at: int) -> tuple[Value, int]:
    """YEAR: 0000, or 1901 to 2155."""
    return (str(1900 + data[at]) if data[at] else "0"), at + 1


def date(data: bytes, at: int) -> tuple[Value, int]:
    """DATE. One with a zero in it is NULL, as DMS delivers it."""
    packed = int.from_bytes(data[at : at + 3], "little")
    when, month, day = packed >> 9, packed >> 5 & 15, packed & 31
    return (f"{when:04d}-{month:02d}-{day:02d}" if when and month and day else None), at + 3


def _fraction(number: int, size: int, decimals: int) -> str:
    return f".{number // 10 ** (2 * size - decimals):0{decimals}d}" if decimals else ""


def datetime2(decimals: int) -> Read:
    """DATETIME with so many decimals. One with a zero in its date is NULL, as DMS delivers it."""
    extra = (decimals + 1) // 2

    def read(data: bytes, at: int) -> tuple[Value, int]:
        packed = int.from_bytes(data[at : at + 5], "big")
        when, month = divmod(packed >> 22 & 0x1FFFF, 13)
        day = packed >> 17 & 31
        end = at + 5 + extra
        if not (when and month and day):
            return None, end
        fraction = _fraction(int.from_bytes(data[at + 5 : end], "big"), extra, decimals)
        clock = f"{packed >> 12 & 31:02d}:{packed >> 6 & 63:02d}:{packed & 63:02d}"
        return f"{when:04d}-{month:02d}-{day:02d} {clock}{fraction}", end

    return read


def timestamp2(decimals: int) -> Read:
    """TIMESTAMP with so many decimals, in UTC. Its zero is NULL, as DMS delivers it."""
    extra = (decimals + 1) // 2

    def read(data: bytes, at: int) -> tuple[Value, int]:
        seconds = int.from_bytes(data[at : at + 4], "big")
        end = at + 4 + extra
        if not seconds:
            return None, end
        fraction = _fraction(int.from_bytes(data[at + 4 : end], "big"), extra, decimals)
        return f"{_EPOCH + timedelta(seconds=seconds)}{fraction}", end

    return read


def time2(decimals: int) -> Read:
    """TIME with so many decimals, from -838:59:59 to 838:59:59."""
    size = 3 + (decimals + 1) // 2

    def read(data: bytes, at: int) -> tuple[Value, int]:
        # clock and fraction are one number, counted from the middle of its range
        packed = int.from_bytes(data[at : at + size], "big") - (0x80 << 8 * (size - 1))
        clock, part = divmod(abs(packed), 1 << 8 * (size - 3))
        fraction = _fraction(part, size - 3, decimals)
        text = f"{clock >> 12 & 1023:02d}:{clock >> 6 & 63:02d}:{clock & 63:02d}{fraction}"
        return f"-{text}" if packed < 0 else text, at + size

    return read


def text(length_bytes: int, decode: Callable[[bytes], str]) -> Read:
    """Text behind its length in so many bytes."""

    def read(data: bytes, at: int) -> tuple[Value, int]:
        begin = at + length_bytes
        end = begin + int.from_bytes(data[at:begin], "little")
        return decode(data[begin:end]), end

    return read


def binary(length_bytes: int, padded_to: int = 0) -> Read:
    """Bytes behind their length in so many bytes. BINARY(n) is logged without the zeros at its end."""

    def read(data: bytes, at: int) -> tuple[Value, int]:
        begin = at + length_bytes
        end = begin + int.from_bytes(data[at:begin], "little")
        return data[begin:end].ljust(padded_to, b"\0"), end

    return read


def enum(size: int, words: Sequence[str]) -> Read:
    """ENUM by its number; 0 is the empty word that stands for a value which was refused."""
    spelled = ("", *words)

    def read(data: bytes, at: int) -> tuple[Value, int]:
        return spelled[int.from_bytes(data[at : at + size], "little")], at + size

    return read


def set_of(size: int, words: Sequence[str]) -> Read:
    """SET, its words in the order of its definition."""

    def read(data: bytes, at: int) -> tuple[Value, int]:
        chosen = int.from_bytes(data[at : at + size], "little")
        return ",".join(word for place, word in enumerate(words) if chosen >> place & 1), at + size

    return read


def bits(count: int) -> Read:
    """BIT: a boolean's word where it is one bit, else its bytes."""
    size = (count + 7) // 8

    def read(data: bytes, at: int) -> tuple[Value, int]:
        raw = data[at : at + size]
        return (("true" if raw[-1] & 1 else "false") if count == 1 else raw), at + size

    return read
