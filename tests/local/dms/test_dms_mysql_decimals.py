"""Decimals of the binary log, of every width, against the bytes that the server's own rules make of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from local.dms.sources.mysql.row_image import decimal, read_row

BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def logged(digits: str, scale: int, *, negative: bool) -> bytes:
    """MySQL's decimal2bin: nine digits in four bytes, counted from the point; the sign is the first bit."""
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    head = len(whole) % 9
    groups = [whole[:head], *(whole[at : at + 9] for at in range(head, len(whole), 9))]
    groups += [fraction[at : at + 9] for at in range(0, len(fraction), 9)]
    raw = bytearray(b"".join(int(group).to_bytes(BYTES[len(group)], "big") for group in groups if group))
    raw[0] ^= 0x80
    return bytes(byte ^ 0xFF for byte in raw) if negative else bytes(raw)


@given(digits=st.text("0123456789", min_size=1, max_size=38), scale=st.integers(0, 38), negative=st.booleans())
def test_every_decimal_is_read_as_it_was_written(digits: str, scale: int, negative: bool) -> None:
    scale = min(scale, len(digits))
    negative &= bool(digits.strip("0"))
    raw = logged(digits, scale, negative=negative)
    integral = digits[: len(digits) - scale].lstrip("0") or "0"
    text = f"{integral}.{digits[len(digits) - scale :]}" if scale else integral
    found, end = read_row(b"\0" + raw, 0, [decimal(len(digits), scale)])
    assert (found, end) == ([f"-{text}" if negative else text], 1 + len(raw))
