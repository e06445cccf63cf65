"""How much one call may take on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Bounds on one commit (bytes and number of landing files; always at least one) and on the whole call.

    ``seconds`` bounds the call: no new commit is begun after it; None is unbounded. ``memory_mb`` and ``threads``
    are DuckDB's.
    """

    commit_bytes: int = 512 * 1024 * 1024
    commit_files: int = 500
    seconds: float | None = None
    memory_mb: int = 2048
    threads: int = 2
