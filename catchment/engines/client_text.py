"""What connection details of every engine are written with: shell words, connection strings, Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, kw_only=True)
class Target:
    """A database as a client is to reach it."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = None
    """None: it is not written down, the client asks for it where it can."""
    encrypted: bool = True
    certificate: str | None = None
    """A file of certificates (PEM) that the server's is verified with; None: it is taken as it is."""


def command(*words: str, password_as: str, password: str | None) -> str:
    """A command for a shell. A password is handed over by an environment variable, which other users do not see."""
    given = f"{password_as}={shlex.quote(password)} " if password is not None else ""
    return given + shlex.join(words)


def url(scheme: str, target: Target, options: Mapping[str, str]) -> str:
    """``scheme://host:port/database?…``."""
    asked = urlencode({name: value for name, value in options.items() if value}, quote_via=quote)
    where = f"{scheme}://{target.host}:{target.port}/{quote(target.database, safe='')}"
    return f"{where}?{asked}" if asked else where


def pairs(of: Mapping[str, str | None]) -> str:
    """``name=value;…`` as ODBC reads it; what is None is left out."""
    return "".join(f"{name}={_braced(value)};" for name, value in of.items() if value is not None)


def _braced(value: str) -> str:
    if re.fullmatch(r"[\w.:,\-/]+", value):
        return value
    return "{" + value.replace("}", "}}") + "}"


def python(module: str, target: Target, arguments: Mapping[str, object], *, function: str = "connect") -> str:
    """A call in Python; ``arguments`` are values, and ``password`` is added. The result is named ``connection``."""
    asks = target.password is None
    lines = ["import getpass", ""] if asks else []
    lines += [f"import {module}", "", f"connection = {module}.{function}("]
    lines += [f"    {name}={value!r}," for name, value in arguments.items()]
    lines += [f"    password={'getpass.getpass()' if asks else repr(target.password)},", ")"]
    return "\n".join(lines)
