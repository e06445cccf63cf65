"""Which DMS reads which PostgreSQL (AWS DMS User Guide, CHAP_Source.PostgreSQL, "Working with PostgreSQL versions")."""

from __future__ import annotations

OLDEST, NEWEST = 10, 18
"""Major versions that are read."""
TRUNCATES = 11
"""From this one on DMS sees a TRUNCATE."""


def least_dms_version(version: str) -> str:
    """The first version of DMS that reads a PostgreSQL of this full version."""
    return "3.5.4" if int(version.split(".")[0]) >= 17 else "3.5.3"
