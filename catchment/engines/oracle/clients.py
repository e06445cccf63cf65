"""How clients of Oracle are told where a database is. Which wallet they trust is their own configuration."""

from __future__ import annotations

from catchment.engines.client_text import Target, pairs, python


def _place(target: Target) -> str:
    """Easy Connect Plus."""
    return f"{'tcps' if target.encrypted else 'tcp'}://{target.host}:{target.port}/{target.database}"


def _jdbc(target: Target) -> str:
    return f"jdbc:oracle:thin:@{_place(target)}"


def _odbc(target: Target) -> str:
    said = {"Driver": "Oracle 23 ODBC driver", "Dbq": _place(target), "Uid": target.user, "Pwd": target.password}
    return pairs(said)


def _python(target: Target) -> str:
    return python("oracledb", target, {"user": target.user, "dsn": _place(target)})


tools = {"jdbc": _jdbc, "odbc": _odbc, "python": _python}
