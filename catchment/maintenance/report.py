"""What maintenance did to a table, or would do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Step:
    """One thing done. ``kind``: merge, sort, purge, checkpoint, log, files. ``why`` names the figures that decided.

    ``files`` and ``bytes`` are what it took away or read, ``into`` the files it wrote, ``rows`` the live rows in them.
    """

    kind: str
    why: str
    files: int = 0
    into: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass
class Report:
    """``done`` is False where something is left for the next time; ``poked``: an applier came by and has to come again.

    ``version`` is the table's, None where there is none.
    """

    table: str
    version: int | None = None
    steps: list[Step] = field(default_factory=list)
    done: bool = True
    poked: bool = False
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
