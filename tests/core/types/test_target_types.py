"""Every Delta type has a type in the replicas and the warehouse that a parser of their SQL knows.

Scope: the words. That values arrive is held by the conformance suite, on servers where there are any.
"""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from catchment.landing.types import DeltaType
from catchment.sinks.mysql.types import Types
from catchment.sinks.postgresql.types import column_type as in_postgresql
from catchment.sinks.redshift.types import column_type as in_redshift

PLAIN = ("byte", "short", "integer", "long", "float", "double", "boolean", "string", "binary", "date")
NAMES = (*PLAIN, "timestamp", "timestamp_ntz", "decimal(38,10)")
TARGETS = {"postgres": in_postgresql, "mysql": Types("utf8mb4_0900_bin").column, "redshift": in_redshift}


@pytest.mark.parametrize("dialect", TARGETS)
def test_a_table_of_every_type_can_be_made(dialect: str) -> None:
    columns = [f"c{number} {TARGETS[dialect](DeltaType.parse(name))}" for number, name in enumerate(NAMES)]
    [parsed] = sqlglot.parse(f"CREATE TABLE t ({', '.join(columns)})", dialect=dialect)
    assert isinstance(parsed, exp.Create)
    kinds = [column.kind for column in parsed.find_all(exp.ColumnDef)]
    assert len(kinds) == len(NAMES)
    assert not [kind for kind in kinds if kind is None or kind.this is exp.DataType.Type.USERDEFINED]
