"""AWS::RDS::DBInstance: engine postgres is a real PostgreSQL on this machine, any other is refused."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from local.aws.resources.kind import Created, Properties, ResourceKind
from local.source.postgres import EmbeddedPostgres

SERVERS = {"postgres": EmbeddedPostgres}
"""Servers on this machine by the engine of an instance."""


class DatabaseKinds:
    """Database servers of deployed instances.

    ``folder`` holds their data, ``records`` makes, changes and deletes what DescribeDBInstances answers, ``publish``
    tells it where a server listens, and ``parameters_of`` gives a parameter group's deployed values.
    """

    def __init__(
        self,
        folder: Path,
        records: ResourceKind,
        publish: Callable[[str, str, int], None],
        parameters_of: Callable[[str], dict[str, str]],
    ) -> None:
        self._folder = folder
        self._records = records
        self._publish = publish
        self._parameters_of = parameters_of
        self._lock = threading.Lock()
        self._servers: dict[str, EmbeddedPostgres] = {}

    def kinds(self) -> dict[str, ResourceKind]:
        """The type by name."""
        kind = ResourceKind(self._create, self._delete, self._update, slow=True)
        return {"AWS::RDS::DBInstance": kind}

    def stop(self) -> None:
        """Stop every server."""
        with self._lock:
            servers, self._servers = list(self._servers.values()), {}
        for server in servers:
            server.stop()

    def _create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        if properties.get("Engine") not in SERVERS:
            raise ValueError(
                f"{logical_id}: Engine {properties.get('Engine')!r} is not emulated; {', '.join(SERVERS)} is"
            )
        record = self._records.create(logical_id, properties, stack)
        server = self._start(record.physical_id, properties, port=None)
        return self._with_endpoint(record, server)

    def _update(self, identifier: str, old: Properties, new: Properties) -> Created:
        assert self._records.update is not None
        record = self._records.update(identifier, old, new)
        server = self._servers[identifier]
        if old.get("DBParameterGroupName") != new.get("DBParameterGroupName"):
            server.stop()
            server = self._start(identifier, {**new, "MasterUserPassword": server.password}, port=server.port)
        if old.get("MasterUserPassword") != new.get("MasterUserPassword"):
            _change_password(server, new["MasterUserPassword"])
        return self._with_endpoint(record, server)

    def _delete(self, identifier: str, properties: Properties) -> None:
        if str(properties.get("DeletionProtection", "false")).lower() == "true":
            raise ValueError(f"Cannot delete protected DB Instance {identifier}, please disable deletion protection")
        with self._lock:
            server = self._servers.pop(identifier, None)
        if server is not None:
            server.stop()
        shutil.rmtree(self._folder / identifier, ignore_errors=True)
        self._records.delete(identifier, properties)

    def _with_endpoint(self, record: Created, server: EmbeddedPostgres) -> Created:
        self._publish(record.physical_id, server.host, server.port)
        endpoint = {"Endpoint.Address": server.host, "Endpoint.Port": str(server.port)}
        return Created(record.physical_id, {**record.attributes, **endpoint})

    def _start(self, identifier: str, properties: Properties, port: int | None) -> EmbeddedPostgres:
        group = properties.get("DBParameterGroupName")
        server = EmbeddedPostgres.start(
            self._folder / identifier,
            parameters=self._parameters_of(group) if group else {},
            user=properties["MasterUsername"],
            password=properties["MasterUserPassword"],
            database=properties.get("DBName", "postgres"),
            port=port,
        )
        with self._lock:
            self._servers[identifier] = server
        return server


def _change_password(server: EmbeddedPostgres, password: str) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(server.user), sql.Literal(password))
        )
    server.password = password
