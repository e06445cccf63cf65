"""What an RDS parameter group says, as settings of the embedded PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

from catchment.errors import SettingsError

BASE = {
    "wal_level": "replica",
    "fsync": "off",  # the laptop's source does not have to survive a power cut
    "synchronous_commit": "on",  # without it, changes may reach the stream late
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "40",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "30min",
    "autovacuum_max_workers": "1",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: a crash leaves nothing outside of it
    "unix_socket_directories": "",
}
"""Settings for a small server on a machine with other work to do; a parameter group overrides them."""

BY_VERSION = {16: {}, 18: {"io_method": "sync"}}  # the worker method of 18 keeps three processes for nothing here

WITHOUT_MEANING = {
    "rds.force_ssl": "the embedded server is built without TLS; it listens on the loopback interface only",
}
"""Parameters that RDS knows and a laptop cannot follow, with the reason."""


def server_settings(parameters: Mapping[str, str], version: int) -> dict[str, str]:
    """PostgreSQL settings for the parameters of an RDS parameter group.

    ``rds.logical_replication`` becomes ``wal_level``, as on RDS. Raises SettingsError for an RDS parameter whose effect
    is not known here, and for a library the embedded server does not have.
    """
    settings = BASE | BY_VERSION[version]
    for name, value in parameters.items():
        if name == "rds.logical_replication":
            settings["wal_level"] = "logical" if value == "1" else "replica"
        elif name == "shared_preload_libraries" and value:
            raise SettingsError("parameter group", name, value, "the embedded PostgreSQL has no such libraries")
        elif name.startswith("rds.") and name not in WITHOUT_MEANING:
            allowed = ", ".join(["rds.logical_replication", *WITHOUT_MEANING])
            raise SettingsError("parameter group", name, value, f"of RDS's own parameters these are known: {allowed}")
        elif name not in WITHOUT_MEANING:
            settings[name] = value
    return settings
