"""The sources of a run: which engine each has, where its database answers, and what is done to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from psycopg.conninfo import make_conninfo

from catchment.engines.connection import connected
from catchment.engines.trust import Login, Trust
from catchment.reconcile.fence import set_fence
from catchment.reconcile.source import SourceSide, one_moment
from catchment.settings import load_settings
from local.aws import LocalAws
from local.source.database import SourceDatabase
from local.source.on_mysql import MySqlDatabase
from local.source.on_postgresql import PostgresDatabase
from stacks.assembly import ROOT


@dataclass(frozen=True)
class Source:
    """A source as it was deployed. ``name`` is the folder of its files and tables in every zone."""

    name: str
    engine: str
    login: Login
    database_name: str
    database: SourceDatabase
    """What the run fills and changes."""

    def one_moment(self) -> AbstractContextManager[SourceSide]:
        """What it holds now, for a comparison. Raises SourceUnreachable."""
        return one_moment(self.engine, self.login, self.database_name, Trust())

    def set_fence(self) -> str:
        """A fence behind all that is committed by now. Raises SourceUnreachable."""
        with connected(self.engine, self.login, self.database_name, Trust()) as query:
            return set_fence(self.engine, query)


def _postgres(login: Login, database: str) -> SourceDatabase:
    return PostgresDatabase(
        make_conninfo(
            host=login["host"], port=login["port"], user=login["username"], password=login["password"], dbname=database
        )
    )


DATABASES: Mapping[str, Callable[[Login, str], SourceDatabase]] = MappingProxyType(
    {"postgresql": _postgres, "mysql": MySqlDatabase}
)
"""By engine: what a run does with a database that this login reaches."""


def deployed_sources(
    aws: LocalAws, environment: str, flags: Mapping[str, bool | str], outputs: Mapping[str, str]
) -> list[Source]:
    """The sources of the environment whose stacks said ``outputs``, in the order of the settings."""
    secrets = aws.client("secretsmanager")
    found = []
    for name, said in load_settings(ROOT / "cdk.json", environment, flags).sources.items():
        secret = secrets.get_secret_value(SecretId=outputs[f"{name}SecretArn"])
        login: dict[str, Any] = json.loads(secret["SecretString"])
        database = DATABASES[said.engine](login, said.database)
        found.append(Source(name, said.engine, login, said.database, database))
    return found
