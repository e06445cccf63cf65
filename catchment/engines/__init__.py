"""Everything particular to one database engine, one package an engine, behind the protocol of base.py.

Example: ``engine("postgresql").infrastructure.port``
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catchment.engines import mariadb, mysql, oracle, postgresql, sqlserver
from catchment.engines.base import Engine, Infrastructure, Rds

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {"postgresql": postgresql, "mysql": mysql, "mariadb": mariadb, "sqlserver": sqlserver, "oracle": oracle}
)
"""Each engine's module by its name in the settings."""


def engine(name: str) -> Engine:
    """The engine's module, by its name in the settings. Raises KeyError for a name that is not in ENGINES."""
    return ENGINES[name]


__all__ = ["ENGINES", "Engine", "Infrastructure", "Rds", "engine"]
