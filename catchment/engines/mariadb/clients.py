"""How clients of MariaDB are told where a database is: in other words for TLS than MySQL's."""

from __future__ import annotations

from catchment.engines.client_text import Target, pairs, url
from catchment.engines.mysql.clients import mysql_python, shell


def _mysql(target: Target) -> str:
    if not target.encrypted:
        return shell(target, "--skip-ssl")
    if target.certificate is None:
        return shell(target, "--ssl", "--skip-ssl-verify-server-cert")
    return shell(target, "--ssl-verify-server-cert", f"--ssl-ca={target.certificate}")


def _jdbc(target: Target) -> str:
    mode = "disable" if not target.encrypted else "trust" if target.certificate is None else "verify-full"
    options = {"user": target.user, "password": target.password or "", "sslMode": mode}
    return url("jdbc:mariadb", target, {**options, "serverSslCert": target.certificate or ""})


def _odbc(target: Target) -> str:
    return pairs(
        {
            "Driver": "MariaDB ODBC 3.2 Driver",
            "Server": target.host,
            "Port": str(target.port),
            "Database": target.database,
            "Uid": target.user,
            "Pwd": target.password,
            "FORCETLS": "1" if target.encrypted else None,
            "SSLVERIFY": "1" if target.certificate is not None else None,
            "SSLCA": target.certificate,
        }
    )


tools = {"mysql": _mysql, "jdbc": _jdbc, "odbc": _odbc, "python": mysql_python}
