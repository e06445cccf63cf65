"""Everything particular to one database engine, one module an engine, behind the protocol of base.py.

Example: ``engine("postgresql").infrastructure.port``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from catchment.engines import (
    mysql,
    mysql_types,
    oracle,
    oracle_types,
    postgresql,
    postgresql_types,
    sqlserver,
    sqlserver_types,
)
from catchment.engines.base import Engine, Infrastructure, Rds
from catchment.engines.dms_types import DmsType

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {"postgresql": postgresql, "mysql": mysql, "sqlserver": sqlserver, "oracle": oracle}
)
"""Each engine's module by its name in the settings."""


@dataclass(frozen=True)
class SourceTypes:
    """An engine's types: what a column declared so becomes (raises TypeRefused), and every one the guide names."""

    dms_type: Callable[[str], DmsType]
    documented: Sequence[str]


SOURCE_TYPES: Mapping[str, SourceTypes] = MappingProxyType(
    {
        "postgresql": SourceTypes(postgresql_types.dms_type, postgresql_types.DOCUMENTED),
        "mysql": SourceTypes(mysql_types.dms_type, mysql_types.DOCUMENTED),
        "sqlserver": SourceTypes(sqlserver_types.dms_type, sqlserver_types.DOCUMENTED),
        "oracle": SourceTypes(oracle_types.dms_type, oracle_types.DOCUMENTED),
    }
)
"""Each engine's types by its name."""


def engine(name: str) -> Engine:
    """The engine's module, by its name in the settings. Raises KeyError for a name that is not in ENGINES."""
    return ENGINES[name]


__all__ = ["ENGINES", "SOURCE_TYPES", "Engine", "Infrastructure", "Rds", "SourceTypes", "engine"]
