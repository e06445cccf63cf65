"""What replication leaves in a source, as seen from here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import boto3

from catchment.engines import engine
from catchment.engines.base import Query, Upkeep
from catchment.engines.connection import connected
from catchment.engines.trust import Trust
from catchment.errors import SourceUnreachable


@dataclass(frozen=True)
class Source:
    """A source database, as its secret (an ARN) names it. Its user has to be allowed to drop what is dropped."""

    engine: str
    secret: str

    def held(self, tasks: Sequence[str]) -> list[str]:
        """What keeps the log for these tasks (ARNs). Raises SourceUnreachable."""
        with self._open() as (knowing, query):
            return sorted({name for task in tasks for name in knowing.held(query, task.rsplit(":", 1)[-1])})

    def clean(self, held: Sequence[str]) -> list[str]:
        """Take these away where nobody reads them, with what else DMS left; what was dropped, in words.

        Nothing of an engine whose capture somebody has switched on. Raises SourceUnreachable.
        """
        if not engine(self.engine).infrastructure.cleans_up:
            return []
        with self._open() as (knowing, query):
            return knowing.clean_up(query, held, [])

    @contextmanager
    def _open(self) -> Iterator[tuple[Upkeep, Query]]:
        knowing = engine(self.engine).upkeep
        if knowing is None:
            raise SourceUnreachable(self.secret, f"nothing here speaks to {self.engine}")
        secret = boto3.client("secretsmanager").get_secret_value(SecretId=self.secret)["SecretString"]
        login = json.loads(secret)
        if missing := [name for name in ("host", "port", "username", "password", "dbname") if name not in login]:
            raise SourceUnreachable(self.secret, f"the secret names no {', '.join(missing)}")
        # whose certificate it is makes no difference to what is dropped
        with connected(self.engine, login, login["dbname"], Trust(verified=False)) as query:
            yield knowing, query
