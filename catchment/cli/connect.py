"""``catchment connect``: how tools are told where a database is."""

from __future__ import annotations

import sys
from pathlib import Path

from catchment.cli.source_database import Address
from catchment.deployed import RDS_CERTIFICATES, RDS_CERTIFICATES_URL, source_login, source_target
from catchment.engines import engine
from catchment.engines.client_text import Target
from catchment.engines.connection import is_here
from catchment.errors import SettingsError
from catchment.settings import Settings


def connect(settings: Settings, stack_prefix: str, name: str, tool: str | None, *, with_password: bool) -> None:
    """Print the details of a deployed source for a tool, or for each. Raises SettingsError."""
    if name not in settings.sources:
        raise SettingsError("command line", "SOURCE", name, f"allowed are {', '.join(settings.sources)}")
    source = settings.sources[name]
    login = source_login(settings.environment, stack_prefix, name)
    show_target(source.engine, source_target(source, login, with_password=with_password), tool)


def connect_by_url(url: str, tool: str | None, *, with_password: bool, certificate: Path | None) -> None:
    """Print the details of the database of a URL. Raises SettingsError."""
    address = Address.parse(url, asks=with_password)
    host = str(address.login["host"])
    target = Target(
        host=host,
        port=int(address.login["port"]),
        database=address.database,
        user=str(address.login["username"]),
        password=str(address.login["password"]) if with_password else None,
        encrypted=not is_here(host),
        certificate=None if certificate is None else str(certificate),
    )
    show_target(address.engine, target, tool)


def show_target(engine_name: str, target: Target, tool: str | None) -> None:
    """Print what a tool, or each, is told; what it needs besides goes to standard error. Raises SettingsError."""
    tools = engine(engine_name).clients.tools
    if tool is not None and tool not in tools:
        raise SettingsError("command line", "--tool", tool, f"allowed with {engine_name}: {', '.join(tools)}")
    if target.certificate == RDS_CERTIFICATES:
        print(f"The certificates of RDS: curl -sSO {RDS_CERTIFICATES_URL}", file=sys.stderr)
    if tool is not None:
        print(tools[tool](target))
        return
    print("\n\n".join(f"# {name}\n{told(target)}" for name, told in tools.items()))
