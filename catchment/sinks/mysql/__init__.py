"""A replica in MySQL or MariaDB.

Example: ``Connection(Login.parse("mysql://feeder@db/")).target(session, TableName("sales", "clients"), scratch)``
"""

from catchment.sinks.mysql.connection import Connection
from catchment.sinks.mysql.login import Login

__all__ = ["Connection", "Login"]
