"""How clients of PostgreSQL are told where a database is."""

from __future__ import annotations

from catchment.engines.client_text import Target, command, pairs, python, url


def _mode(target: Target) -> str:
    if not target.encrypted:
        return "disable"
    return "verify-full" if target.certificate is not None else "require"


def _psql(target: Target) -> str:
    said = {
        "host": target.host,
        "port": target.port,
        "dbname": target.database,
        "user": target.user,
        "sslmode": _mode(target),
        "sslrootcert": target.certificate,
    }
    conninfo = " ".join(f"{name}={_value(str(value))}" for name, value in said.items() if value is not None)
    return command("psql", conninfo, password_as="PGPASSWORD", password=target.password)  # noqa: S106 - its name


def _value(text: str) -> str:
    """libpq, "Keyword/Value Connection Strings"."""
    plain = text and not set(text) & set(" '\\")
    return text if plain else "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _jdbc(target: Target) -> str:
    options = {"user": target.user, "password": target.password or "", "sslmode": _mode(target)}
    return url("jdbc:postgresql", target, {**options, "sslrootcert": target.certificate or ""})


def _odbc(target: Target) -> str:
    return pairs(
        {
            "Driver": "PostgreSQL Unicode",
            "Server": target.host,
            "Port": str(target.port),
            "Database": target.database,
            "Uid": target.user,
            "Pwd": target.password,
            "SSLmode": _mode(target),
            "pqopt": f"sslrootcert={target.certificate}" if target.certificate is not None else None,
        }
    )


def _python(target: Target) -> str:
    said = {"host": target.host, "port": target.port, "dbname": target.database, "user": target.user}
    trusted = {"sslrootcert": target.certificate} if target.certificate is not None else {}
    return python("psycopg", target, {**said, "sslmode": _mode(target), **trusted})


tools = {"psql": _psql, "jdbc": _jdbc, "odbc": _odbc, "python": _python}
