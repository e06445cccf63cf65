"""DuckDB sessions as the core uses them: in UTC, bounded in memory, spilling to a folder, offline."""

from __future__ import annotations

from pathlib import Path

import duckdb


def open_duckdb(scratch: Path, memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database of its own that spills into ``scratch``/duckdb.

    ``memory_mb`` bounds DuckDB's buffers in MiB. Extensions are neither downloaded nor loaded by themselves, rows
    keep the order of their file, and the session's time zone is UTC whatever the machine says.
    """
    spill = scratch / "duckdb"
    spill.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(
        config={
            "memory_limit": f"{memory_mb}MiB",
            "threads": threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    con.execute("SET TimeZone = 'UTC'")
    return con
