"""What a parameter group of RDS for MySQL says, as settings of the embedded MariaDB."""

from __future__ import annotations

from collections.abc import Mapping

from catchment.errors import SettingsError

BASE = {
    "bind-address": "127.0.0.1",
    "socket": "mariadb.sock",  # in the data folder by a short name: a socket's path may have 107 bytes
    "pid-file": "mariadb.pid",
    "default-time-zone": "+00:00",
    "character-set-server": "utf8mb4",
    "innodb-buffer-pool-size": "64M",
    "innodb-log-file-size": "64M",
    "innodb-doublewrite": "0",
    "innodb-flush-log-at-trx-commit": "2",  # survives a killed server, not a power cut
    "sync-binlog": "0",
    "aria-pagecache-buffer-size": "8M",
    "key-buffer-size": "1M",
    "max-connections": "40",
    "performance-schema": "0",
    "explicit-defaults-for-timestamp": "1",
    # what MySQL 8 adds to MariaDB's default is in both; ONLY_FULL_GROUP_BY is in MySQL's alone
    "sql-mode": (
        "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
        "NO_ENGINE_SUBSTITUTION"
    ),
}
"""Settings for a small server on a machine with other work to do; a parameter group overrides them."""

BINARY_LOG = {
    "log-bin": "mysql-bin-changelog",  # its name on RDS
    "server-id": "1",
    "binlog-format": "ROW",
    "binlog-row-metadata": "FULL",  # the emulated task reads the columns' names from the log
}
"""What automated backups switch on."""

WITHOUT_MEANING = {
    "require_secure_transport": "the embedded server has no certificate; it listens on the loopback interface only",
    "binlog_row_value_options": "MariaDB has no partial JSON",
    "gtid-mode": "MariaDB's global transaction ids are others, and always on",
    "enforce_gtid_consistency": "as gtid-mode",
    "binlog_transaction_compression": "MariaDB compresses by log_bin_compress",
}
"""Parameters that RDS for MySQL knows and a laptop cannot follow, with the reason."""


def server_settings(parameters: Mapping[str, str], *, binary_log: bool) -> dict[str, str]:
    """MariaDB settings for the parameters of an RDS parameter group.

    ``binary_log`` is what an instance's automated backups decide. Raises SettingsError for a collation of MySQL 8 that
    MariaDB does not have.
    """
    settings = BASE | (BINARY_LOG if binary_log else {"skip-log-bin": ""})
    for name, value in parameters.items():
        if name in WITHOUT_MEANING:
            continue
        if name.startswith("collation") and "_0900_" in value:
            raise SettingsError("parameter group", name, value, "MariaDB 10.11 has no collations of Unicode 9.0")
        settings[name.replace("_", "-")] = value
    return settings
