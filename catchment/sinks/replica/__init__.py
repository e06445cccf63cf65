"""Tables of a database as a sink: a replica that is fed from the same landing files as the lake.

What PostgreSQL and MySQL do alike is here; each has a package of its own for how it says it.

Example: ``ReplicaSink(session, open_replica(url).target(session, TableName("sales", "clients"), scratch))``
"""

from catchment.sinks.replica.connect import is_replica, open_replica, replica_url
from catchment.sinks.replica.sink import ReplicaSink
from catchment.sinks.replica.target import Replica, Target

__all__ = ["Replica", "ReplicaSink", "Target", "is_replica", "open_replica", "replica_url"]
