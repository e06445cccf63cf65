"""Each engine's connection. Scope: what needs no server; tests/infrastructure/test_source_agent_tls.py has TLS."""

from __future__ import annotations

import socket

import pytest

from catchment.engines import ENGINES
from catchment.engines.connection import connected
from catchment.engines.oracle.connect import Connection, numbered
from catchment.engines.trust import Trust
from catchment.errors import SourceUnreachable

PATIENT = {"sqlserver"}
"""Whose driver tries until its time is over: see the test of TLS."""


@pytest.mark.parametrize("engine", [name for name in ENGINES if name not in PATIENT])
def test_who_does_not_answer_is_unreachable(engine: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        login = {"host": "127.0.0.1", "port": taken.getsockname()[1], "username": "u", "password": "p"}
        with pytest.raises(SourceUnreachable, match=r"127\.0\.0\.1"), connected(engine, login, "db", Trust()):
            pass


class _Driver:
    """As Oracle's: parameters are numbered."""

    def __init__(self) -> None:
        self.done: list[tuple[str, list[object]]] = []
        self.description = [("X",)]
        self.closed = False

    def cursor(self) -> _Driver:
        return self

    def execute(self, statement: str, parameters: list[object]) -> None:
        self.done.append((statement, parameters))

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]

    def close(self) -> None:
        self.closed = True


def test_oracles_parameters_are_numbered() -> None:
    driver = _Driver()
    connection = Connection(driver)
    cursor = connection.cursor()
    cursor.execute("SELECT 1 FROM t WHERE a = %s AND b LIKE 'x%%' AND c = %s", (7, "%s"))
    cursor.execute("SELECT 1 FROM t WHERE b LIKE 'x%'")
    assert driver.done == [
        ("SELECT 1 FROM t WHERE a = :1 AND b LIKE 'x%' AND c = :2", [7, "%s"]),
        ("SELECT 1 FROM t WHERE b LIKE 'x%'", []),
    ]
    assert cursor.fetchall() == [(1,)]
    connection.close()
    assert driver.closed


def test_statements_without_parameters_stay() -> None:
    assert numbered("SELECT 1 FROM dual") == "SELECT 1 FROM dual"
