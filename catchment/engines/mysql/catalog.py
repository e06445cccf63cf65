"""What the information schema of MySQL and MariaDB says: asked by preparation and preflight alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catchment.engines.base import Query
from catchment.engines.findings import Column
from catchment.engines.readiness import Wanted, WantedTable

# Names are compared without case there: the exact ones are picked from what comes.
TABLES = (
    "SELECT table_schema, table_name, table_type, engine, coalesce(data_length, 0), coalesce(avg_row_length, 0)"
    " FROM information_schema.tables WHERE table_schema IN ({schemas})"
)
KEYS = (
    "SELECT table_schema, table_name, column_name FROM information_schema.statistics"
    " WHERE index_name = 'PRIMARY' AND table_schema IN ({schemas}) ORDER BY 1, 2, seq_in_index"
)
COLUMNS = (
    "SELECT table_schema, table_name, column_name, column_type, extra FROM information_schema.columns"
    " WHERE table_schema IN ({schemas}) ORDER BY 1, 2, ordinal_position"
)
CASCADES = (
    "SELECT constraint_schema, table_name, constraint_name FROM information_schema.referential_constraints"
    " WHERE (update_rule NOT IN ('RESTRICT', 'NO ACTION') OR delete_rule NOT IN ('RESTRICT', 'NO ACTION'))"
    " AND constraint_schema IN ({schemas}) ORDER BY 1, 2, 3"
)
EVERY_SCHEMA = (
    "SELECT schema_name FROM information_schema.schemata"
    " WHERE schema_name NOT IN ('information_schema', 'innodb', 'mysql', 'performance_schema', 'sys', 'tmp')"
)
VARIABLES = "SHOW GLOBAL VARIABLES"
WHO = "SELECT current_user()"
USER_IS_THERE = "SELECT 1 FROM mysql.user WHERE user = %s AND host = %s"
GLOBAL_RIGHTS = "SELECT privilege_type FROM information_schema.user_privileges WHERE grantee = %s"
SCHEMA_RIGHTS = (
    "SELECT table_schema FROM information_schema.schema_privileges WHERE grantee = %s AND privilege_type = 'SELECT'"
)
TABLE_RIGHTS = (
    "SELECT table_schema, table_name FROM information_schema.table_privileges"
    " WHERE grantee = %s AND privilege_type = 'SELECT'"
)
ANYWHERE = "%"
"""The host of an account that may come from any."""


@dataclass(frozen=True)
class FoundTable:
    """A table that is there."""

    kind: str
    engine: str
    data_bytes: int
    row_bytes: int
    """Of a row, as InnoDB believes."""


@dataclass(frozen=True)
class Account:
    """A user at a host."""

    user: str
    host: str

    def __str__(self) -> str:
        """As statements name it, and the information schema."""
        return f"'{self.user}'@'{self.host}'"


@dataclass(frozen=True)
class Rights:
    """What an account may do."""

    everywhere: frozenset[str]
    schemas: frozenset[str]
    """Of which it reads all tables."""
    tables: frozenset[tuple[str, str]]

    def reads(self, table: WantedTable) -> bool:
        """Whether it may read a table."""
        readable = "SELECT" in self.everywhere or table.schema in self.schemas
        return readable or (table.schema, table.name) in self.tables

    def lacks_of_log(self) -> list[str]:
        """What it lacks to read the binary log. MariaDB calls REPLICATION CLIENT another name."""
        client = {"REPLICATION CLIENT", "BINLOG MONITOR"} & self.everywhere
        return [
            right
            for right, there in (
                ("REPLICATION CLIENT", bool(client)),
                ("REPLICATION SLAVE", "REPLICATION SLAVE" in self.everywhere),
            )
            if not there
        ]


def tables(query: Query, wanted: Sequence[WantedTable]) -> dict[str, FoundTable]:
    """Those of the tables that are there."""
    names = {(table.schema, table.name): str(table) for table in wanted}
    return {
        names[schema, table]: FoundTable(kind, engine or "", int(size), int(row))
        for schema, table, kind, engine, size, row in of_schemas(query, TABLES, wanted)
        if (schema, table) in names
    }


def keys(query: Query, wanted: Sequence[WantedTable], found: dict[str, FoundTable]) -> dict[str, list[str]]:
    """The primary keys, empty where there is none."""
    there = {name: list[str]() for name, table in found.items() if table.kind == "BASE TABLE"}
    for schema, table, column in of_schemas(query, KEYS, wanted):
        if (name := f"{schema}.{table}") in there:
            there[name].append(column)
    return there


def columns(
    query: Query, wanted: Sequence[WantedTable], found: dict[str, FoundTable]
) -> tuple[list[Column], list[tuple[str, str]]]:
    """The columns that are in the log, and those that are computed or hidden, and not."""
    stored, left_out = list[Column](), list[tuple[str, str]]()
    for schema, table, column, declared, extra in of_schemas(query, COLUMNS, wanted):
        if (name := f"{schema}.{table}") not in found:
            continue
        if "GENERATED" in extra.upper().replace("DEFAULT_GENERATED", "") or "INVISIBLE" in extra.upper():
            left_out.append((name, column))
        else:
            stored.append((name, column, (_text(declared),)))
    return stored, left_out


def cascades(query: Query, wanted: Sequence[WantedTable]) -> dict[str, list[str]]:
    """The foreign keys of the tables that change or delete rows by themselves."""
    names, found = {str(table) for table in wanted}, defaultdict[str, list[str]](list)
    for schema, table, constraint in of_schemas(query, CASCADES, wanted):
        if f"{schema}.{table}" in names:
            found[f"{schema}.{table}"].append(constraint)
    return found


def variables(query: Query) -> dict[str, str]:
    """The server's variables, as text."""
    return {str(name).lower(): str(value) for name, value in query(VARIABLES)}


def reader(query: Query, wanted: Wanted) -> Account:
    """Who reads the source for DMS: the user that is wanted, from any host, or else who asks."""
    if wanted.user is not None:
        return Account(wanted.user, ANYWHERE)
    user, _, host = str(query(WHO)[0][0]).rpartition("@")
    return Account(user, host)


def rights(query: Query, account: Account) -> Rights:
    """What an account may do. Of others it is told only to who may read the database ``mysql``."""
    who = [str(account)]
    return Rights(
        frozenset(right for (right,) in query(GLOBAL_RIGHTS, who)),
        frozenset(schema.replace("\\", "") for (schema,) in query(SCHEMA_RIGHTS, who)),
        frozenset((schema, table) for schema, table in query(TABLE_RIGHTS, who)),
    )


def quoted(name: str) -> str:
    """A name inside a statement."""
    return "`" + name.replace("`", "``") + "`"


def full_name(table: WantedTable) -> str:
    """A table inside a statement."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def of_schemas(query: Query, statement: str, wanted: Sequence[WantedTable]) -> Sequence[Sequence[Any]]:
    """The rows of a statement about schemas, for those of the tables."""
    schemas = list(dict.fromkeys(table.schema for table in wanted))
    if not schemas:
        return []
    return query(statement.format(schemas=", ".join(["%s"] * len(schemas))), schemas)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
