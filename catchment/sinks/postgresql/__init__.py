"""A replica in PostgreSQL.

Example: ``Connection(conninfo).target(session, TableName("sales", "clients"), scratch)``
"""

from catchment.sinks.postgresql.connection import Connection

__all__ = ["Connection"]
