"""Whether a CSV file's first record is a header, and what the file then speaks of."""

from __future__ import annotations

from dataclasses import replace

from catchment.landing.casts import TEXT
from catchment.landing.contract import TableContract
from catchment.landing.csv_judge import MOMENT, NUMBER
from catchment.landing.csv_records import Values
from catchment.landing.names import LandingFile
from catchment.landing.shape import OPERATION, Field, FileShape, by_name


def header_shape(file: LandingFile, contract: TableContract, first: Values) -> FileShape | None:
    """The shape of a file that begins with this header; None where the record is none.

    Raises UnreadableFile for a header that lacks what every file needs.
    """
    names = [(value or b"").decode("utf-8", "replace") for value in first]
    return replace(by_name(file, contract, text_fields(names)), header=True) if _is_header(contract, names) else None


def _is_header(contract: TableContract, names: list[str]) -> bool:
    """Nothing but known names, or the whole key and others: these are columns too, unless they are data."""
    folded = [name.casefold() for name in names]
    if not all(folded):
        return False
    landing = contract.landing
    added = [n for n in (landing.timestamp_column, landing.sequence_column, OPERATION) if n is not None]
    known = {n.casefold() for n in (*(contract.columns or ()), *contract.key, *added)}
    image = (landing.before_image_prefix or "\0").casefold()
    count = sum(name in known or name.startswith(image) for name in folded)
    if count == len(names):
        return True
    if not {part.casefold() for part in contract.key} <= set(folded):
        return False
    if names[0] in ("I", "U", "D") or any(_is_moment(name) or NUMBER.fullmatch(name.encode()) for name in names):
        return False
    if contract.columns is None:
        return landing.header or count > 0
    return count * 2 >= len(names)


def _is_moment(name: str) -> bool:
    return MOMENT.fullmatch(name.encode()) is not None


def text_fields(names: list[str]) -> list[Field]:
    """The fields of a CSV file of these names, as the stage calls them."""
    return [Field(name, f"c{i}", TEXT) for i, name in enumerate(names)]
