"""Which DMS reads which MySQL and MariaDB (AWS DMS User Guide, CHAP_Introduction.Sources, CHAP_Source.MySQL)."""

from __future__ import annotations

OLDEST = {"MySQL": (5, 5), "MariaDB": (10, 0)}
NEWEST = {"MySQL": (8, 4), "MariaDB": (10, 11)}


def least_dms_version(version: str) -> str:
    """The first version of DMS that reads a MySQL of this full version."""
    return "3.5.4" if version.startswith("8.4.") else "0.0.0"
