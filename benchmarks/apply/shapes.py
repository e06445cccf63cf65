"""Which tables and changes are measured, and where their files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build/bench"
TABLE = "shop/orders"
KEYS = ("clustered", "scattered")
LOAD = "load"

COLUMNS = (
    "id",
    "customer_id",
    "product_id",
    "qty",
    "price",
    "discount",
    "created_at",
    "updated_at",
    "status",
    "region",
    "note",
)

_UNITS = {"k": 1_000, "M": 1_000_000}


def count(text: str) -> int:
    """A number as people write it: 500, 100k, 1M. Raises ValueError."""
    return int(text[:-1]) * _UNITS[text[-1]] if text[-1:] in _UNITS else int(text)


def short(number: int) -> str:
    """The number as ``count`` reads it."""
    for letter, unit in sorted(_UNITS.items(), key=lambda entry: -entry[1]):
        if number >= unit and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)


@dataclass(frozen=True)
class Shape:
    """A table of ``rows`` rows and ``changes`` change events; ``keys`` is clustered or scattered.

    A full load has no changes, and ``keys`` says LOAD. The table's files are cut as Catchment's load
    cuts them, or after every ``rows_a_file`` rows.
    """

    rows: int
    changes: int
    keys: str
    rows_a_file: int = 0

    @property
    def name(self) -> str:
        """For example 10M-100k-scattered or 10M-load."""
        return f"{self.table.name}-{short(self.changes)}-{self.keys}" if self.changes else f"{self.table.name}-{LOAD}"

    @property
    def table(self) -> Path:
        """The table as its full load left it: ``landing`` and ``lake`` lie below."""
        cut = f"@{short(self.rows_a_file)}" if self.rows_a_file else ""
        return CACHE / "tables" / f"{short(self.rows)}{cut}"

    @property
    def data_files(self) -> list[Path]:
        """The table's data files."""
        return sorted((self.table / "lake" / TABLE).glob("*.parquet"))

    @property
    def folder(self) -> Path:
        """The folder of the change files."""
        return CACHE / "changes" / self.name

    @property
    def landed(self) -> list[Path]:
        """The files that are to be applied: the changes, or the load."""
        return self.files if self.changes else sorted((self.table / "landing" / TABLE).glob("LOAD*"))

    @property
    def files(self) -> list[Path]:
        """The change files, in order."""
        return sorted(self.folder.glob("*.parquet"))
