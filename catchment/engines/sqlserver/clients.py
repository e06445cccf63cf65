"""How clients of SQL Server are told where a database is.

sqlcmd, JDBC and ODBC trust what the system or Java trusts; a file of certificates is named to the Python driver alone.
"""

from __future__ import annotations

from catchment.engines.client_text import Target, command, pairs, python


def _trusting(target: Target) -> bool:
    """Whether the server's certificate is taken as it is."""
    return target.certificate is None


def _sqlcmd(target: Target) -> str:
    return command(
        "sqlcmd",
        "-S",
        f"tcp:{target.host},{target.port}",
        "-d",
        target.database,
        "-U",
        target.user,
        *(["-N"] if target.encrypted else []),
        *(["-C"] if _trusting(target) else []),
        password_as="SQLCMDPASSWORD",  # noqa: S106 - its name
        password=target.password,
    )


def _jdbc(target: Target) -> str:
    """The properties are those of a connection string, braces included."""
    said = {
        "databaseName": target.database,
        "user": target.user,
        "password": target.password,
        "encrypt": "true" if target.encrypted else "false",
        "trustServerCertificate": "true" if _trusting(target) else "false",
    }
    return f"jdbc:sqlserver://{target.host}:{target.port};{pairs(said)}"


def _odbc(target: Target) -> str:
    return pairs(
        {
            "Driver": "ODBC Driver 18 for SQL Server",
            "Server": f"tcp:{target.host},{target.port}",
            "Database": target.database,
            "Uid": target.user,
            "Pwd": target.password,
            "Encrypt": "yes" if target.encrypted else "no",
            "TrustServerCertificate": "yes" if _trusting(target) else "no",
        }
    )


def _python(target: Target) -> str:
    said = {"dsn": target.host, "port": target.port, "database": target.database, "user": target.user}
    trusted = {"cafile": target.certificate, "validate_host": True} if target.certificate is not None else {}
    return python("pytds", target, {**said, **trusted})


tools = {"sqlcmd": _sqlcmd, "jdbc": _jdbc, "odbc": _odbc, "python": _python}
