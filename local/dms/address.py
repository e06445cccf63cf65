"""Where a source answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceAddress:
    """``database`` is empty for an engine whose endpoint names none."""

    host: str
    port: int
    user: str
    password: str
    database: str
