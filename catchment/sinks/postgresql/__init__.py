"""Tables of a PostgreSQL database as a sink: a replica that is fed from the same landing files as the lake.

Example: ``PostgresSink(session, Connection(conninfo), TableName("sales", "clients"), scratch)``
"""

from catchment.sinks.postgresql.connection import Connection
from catchment.sinks.postgresql.sink import PostgresSink

__all__ = ["Connection", "PostgresSink"]
