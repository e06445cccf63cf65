"""The source that a command is about: a database whose URL was given, or one that is deployed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import typer

from catchment.cli.options import CDK_JSON
from catchment.engines import ENGINES, engine
from catchment.engines.connection import connected, is_here
from catchment.engines.readiness import Wanted
from catchment.engines.trust import Login, Trust
from catchment.errors import SettingsError
from catchment.prepare.sides import Direct
from catchment.prepare.wanted import wanted_of
from catchment.settings import load_settings, stack_prefix

if TYPE_CHECKING:
    from catchment.prepare.deployed import DeployedSource

LOB_KB, OUTAGE_HOURS = 64, 24
"""What is taken where no settings say it."""


@dataclass(frozen=True)
class Address:
    """Where a database answers, from a URL ``<engine>://user:password@host:port/database``."""

    engine: str
    login: Login
    database: str

    @classmethod
    def parse(cls, url: str, *, asks: bool = True) -> Address:
        """Without a password in it, CATCHMENT_PASSWORD has it, or it is asked for; unless ``asks`` is false: then it
        is empty. Raises SettingsError."""
        try:
            parts = urlsplit(url)
            scheme, port, host = parts.scheme, parts.port, parts.hostname
        except ValueError as error:
            raise SettingsError("command line", "--url", url.rpartition("@")[2], str(error)) from error
        database = unquote(parts.path.lstrip("/"))
        if scheme not in ENGINES or not (host and parts.username and database):
            allowed = f"allowed is ENGINE://user[:password]@host[:port]/database, ENGINE one of {', '.join(ENGINES)}"
            raise SettingsError("command line", "--url", parts._replace(netloc=host or "").geturl(), allowed)
        login = {
            "host": host,
            "port": port or engine(scheme).infrastructure.port,
            "username": unquote(parts.username),
            "password": _password(parts.password, asks),
        }
        return cls(scheme, login, database)

    def __str__(self) -> str:
        return f"{self.engine}://{self.login['host']}:{self.login['port']}/{self.database}"

    @contextmanager
    def side(self, trust: Trust, password: str | None = None) -> Iterator[Direct]:
        """The database, connected to. ``password`` is that of DMS's user. Raises SourceUnreachable, SettingsError."""
        with connected(self.engine, self.login, self.database, trust) as query:
            yield Direct(self.engine, query, password)


def _password(said: str | None, asks: bool) -> str:
    if said is not None:
        return unquote(said)
    return ask_password("CATCHMENT_PASSWORD") if asks else ""


def ask_password(variable: str, whose: str = "Password") -> str:
    """From the environment variable, or from whoever sits there."""
    return os.environ.get(variable) or str(typer.prompt(whose, hide_input=True))


def wanted_at(address: Address, side: Direct, env: str, source: str | None, user: str | None) -> Wanted:
    """What a database is wanted for: as the settings say of ``source``, or with every table that it holds."""
    encrypted = not is_here(str(address.login["host"]))
    if source is None:
        return Wanted(
            tables=side.every_table(), lob_max_kb=LOB_KB, outage_hours=OUTAGE_HOURS, user=user, encrypted=encrypted
        )
    return replace(_wanted(env, source), user=user, encrypted=encrypted)


def deployed(env: str, prefix: str | None, source: str | None, user: str | None) -> tuple[DeployedSource, Wanted]:
    """A source of a deployed environment, and what it is wanted for. Raises SettingsError."""
    if source is None:
        raise SettingsError("command line", "SOURCE", None, "a source of the settings, or --url, has to be given")
    if user is not None:
        raise SettingsError("command line", "--user", user, "it goes with --url: DMS logs in with the source's secret")
    from catchment.prepare.deployed import deployed_source  # boto3 takes its time to import

    return deployed_source(env, prefix or stack_prefix(CDK_JSON, env), source), _wanted(env, source)


def _wanted(env: str, source: str) -> Wanted:
    settings = load_settings(CDK_JSON, env)
    if source not in settings.sources:
        raise SettingsError("command line", "SOURCE", source, f"allowed are {', '.join(settings.sources)}")
    return wanted_of(settings, source)
