"""``catchment connect``: how tools are told where a database is."""

from __future__ import annotations

import sys
from pathlib import Path

from catchment.cli.source_database import Address
from catchment.deployed import (
    RDS_CERTIFICATES,
    RDS_CERTIFICATES_URL,
    database_target,
    replica_login,
    source_login,
)
from catchment.engines import engine
from catchment.engines.client_text import Target
from catchment.errors import SettingsError
from catchment.settings import Settings

REPLICA = "replica"
"""What the replica is called, unless a source is."""


def connect(settings: Settings, stack_prefix: str, name: str, tool: str | None, *, with_password: bool) -> None:
    """Print the details of a deployed source, or of the replica, for a tool or for each. Raises SettingsError."""
    source, replica = settings.sources.get(name), settings.replica if name == REPLICA else None
    if source is not None:
        # RDS has certificates that can be verified, whatever DMS has been given
        certificate = RDS_CERTIFICATES if source.rds is not None else source.certificate_file
        login = source_login(settings.environment, stack_prefix, name)
        target = database_target(login, source.database, certificate, with_password=with_password)
        show_target(source.engine, target, tool)
    elif replica is not None:
        login = replica_login(settings.environment, stack_prefix)
        certificate = replica.certificate_file or RDS_CERTIFICATES
        target = database_target(login, replica.database, certificate, with_password=with_password)
        show_target(replica.engine, target, tool)
    else:
        known = [*settings.sources, *([REPLICA] if settings.replica is not None else [])]
        raise SettingsError("command line", "SOURCE", name, f"allowed are {', '.join(known)}")


def connect_by_url(url: str, tool: str | None, *, with_password: bool, certificate: Path | None) -> None:
    """Print the details of the database of a URL. Raises SettingsError."""
    address = Address.parse(url, asks=with_password)
    login, certificates = address.login, None if certificate is None else str(certificate)
    target = database_target(login, address.database, certificates, with_password=with_password)
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
