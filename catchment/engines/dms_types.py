"""AWS DMS's own data types: what a source column becomes on its way into the lake.

Source: AWS DMS User Guide, "Data types for AWS DMS" and the source data types of each engine's page.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from catchment.landing.types import MAX_PRECISION


class Form(StrEnum):
    """How the text a source gives for a value becomes the value DMS delivers."""

    VERBATIM = "verbatim"
    """The text itself, or the number, date or time that it denotes."""
    TRIMMED = "trimmed"
    """Text without its trailing blanks: char(n) with the endpoint's TrimSpaceInChar, on by default."""
    BOOLEAN_WORDS = "boolean_words"
    """The words ``true`` and ``false``."""
    INTERVAL_WORDS = "interval_words"
    """``1 YEAR, 2 MONTHS, 3 DAYS``: see interval_words."""
    CASELESS = "caseless"
    """Text whose letters' case nobody tells: compared without it."""
    MONEY = "money"
    """The amount without currency sign and group separators."""
    HEX = "hex"
    """Bytes, given as ``\\x`` and hexadecimal digits."""


@dataclass(frozen=True)
class DmsType:
    """A DMS data type as a source column gets it.

    ``name`` is the guide's name (INT4, NUMERIC, NCLOB …), ``length`` counts characters (bytes for an unbounded
    varchar), ``delta`` is the type the lake gives it, ``narrows`` says in words what DMS loses, None if nothing.
    """

    name: str
    delta: str
    form: Form = Form.VERBATIM
    length: int | None = None
    precision: int = 0
    scale: int = 0
    narrows: str | None = None

    @property
    def is_lob(self) -> bool:
        """Whether DMS treats it as a large object: cut at LobMaxSize, empty as a before-image."""
        return self.name in ("BLOB", "CLOB", "NCLOB")


def numeric(precision: int, scale: int, form: Form = Form.VERBATIM, narrows: str | None = None) -> DmsType:
    """NUMERIC of so many digits, ``scale`` of them behind the point. Raises ValueError beyond 38 digits."""
    if not 0 <= scale <= precision <= MAX_PRECISION:
        raise ValueError(f"NUMERIC({precision},{scale}): DMS has {MAX_PRECISION} digits")
    return DmsType("NUMERIC", f"decimal({precision},{scale})", form, precision=precision, scale=scale, narrows=narrows)
