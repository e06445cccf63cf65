"""Scope: connection details of each engine and tool: whatever is in a name or a password stays one value."""

import ast
import re
import shlex
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.engines import ENGINES
from catchment.engines.client_text import Target

SHELL = {"postgresql": "psql", "mysql": "mysql", "mariadb": "mysql", "sqlserver": "sqlcmd"}
PASSWORDS = {"psql": "PGPASSWORD", "mysql": "MYSQL_PWD", "sqlcmd": "SQLCMDPASSWORD"}
TOOLS = [(engine, tool) for engine, facts in ENGINES.items() for tool in facts.clients.tools]
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)


def target(**changes: Any) -> Target:
    said: dict[str, Any] = {"host": "db.example.com", "port": 4711, "database": "sales", "user": "catchment"}
    return Target(**{**said, "certificate": "global-bundle.pem", **changes})


def told(engine: str, tool: str, **changes: Any) -> str:
    return ENGINES[engine].clients.tools[tool](target(**changes))


def call(text: str) -> dict[str, Any]:
    """The arguments of the call in a Python script; a password that is asked for is None."""
    [made] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.keywords]
    return {
        str(each.arg): None if isinstance(each.value, ast.Call) else ast.literal_eval(each.value)
        for each in made.keywords
    }


def odbc(text: str) -> dict[str, str]:
    """A connection string, read as ODBC does: a value in braces ends with a brace that is not doubled."""
    found = re.findall(r"(\w+)=(\{(?:[^}]|\}\})*\}|[^;]*);", text)
    assert "".join(f"{name}={value};" for name, value in found) == text
    return {name: value[1:-1].replace("}}", "}") if value[:1] == "{" else value for name, value in found}


@pytest.mark.parametrize(("engine", "tool"), TOOLS)
def test_a_password_is_told_only_where_it_was_asked_for(engine: str, tool: str) -> None:
    assert "s3cret" not in told(engine, tool)
    if (engine, tool) != ("oracle", "jdbc"):  # whose driver takes it from the program alone
        assert "s3cret" in told(engine, tool, password="s3cret")


@pytest.mark.parametrize(("engine", "tool"), TOOLS)
def test_the_certificate_is_verified_where_there_is_one(engine: str, tool: str) -> None:
    verified, taken, plain = (
        told(engine, tool, **each) for each in ({}, {"certificate": None}, {"certificate": None, "encrypted": False})
    )
    if engine != "oracle":  # whose wallet is configured elsewhere
        assert verified != taken
    assert taken != plain or (engine, tool) == ("sqlserver", "python")


@pytest.mark.parametrize(("engine", "tool"), SHELL.items())
@given(user=TEXT, database=TEXT, password=TEXT)
def test_a_shell_passes_on_what_was_meant(engine: str, tool: str, user: str, database: str, password: str) -> None:
    words = shlex.split(told(engine, tool, user=user, database=database, password=password))
    assert words[:2] == [f"{PASSWORDS[tool]}={password}", tool]
    if tool == "psql":
        return  # what libpq makes of it is looked at with the server
    assert f"--user={user}" in words or words[words.index("-U") + 1] == user
    assert f"--database={database}" in words or words[words.index("-d") + 1] == database


@pytest.mark.parametrize("engine", ENGINES)
@given(user=TEXT, database=TEXT, password=TEXT)
def test_python_is_given_what_was_meant(engine: str, user: str, database: str, password: str) -> None:
    given_values = call(told(engine, "python", user=user, database=database, password=password))
    assert (given_values["user"], given_values["password"]) == (user, password)
    assert call(told(engine, "python"))["password"] is None
    assert database in given_values.values() or given_values["dsn"].endswith(database)


@pytest.mark.parametrize("engine", ENGINES)
@given(user=TEXT, password=TEXT)
def test_odbc_reads_what_was_meant(engine: str, user: str, password: str) -> None:
    said = odbc(told(engine, "odbc", user=user, password=password))
    assert user in said.values()
    assert password in said.values()
    assert all(odbc(told(engine, "odbc")).values())


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "mariadb"])
@given(user=TEXT, password=TEXT, database=TEXT)
def test_a_jdbc_url_says_what_was_meant(engine: str, user: str, password: str, database: str) -> None:
    parts = urlsplit(told(engine, "jdbc", user=user, password=password, database=database).removeprefix("jdbc:"))
    asked = dict(parse_qsl(parts.query))
    assert (asked["user"], asked["password"], unquote(parts.path)[1:]) == (user, password, database)
    assert (parts.hostname, parts.port) == ("db.example.com", 4711)
