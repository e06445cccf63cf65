"""AWS::RDS::DBInstance: PostgreSQL is a real PostgreSQL on this machine, MySQL and MariaDB a real MariaDB.

Any other engine is refused.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local.aws.resources.kind import Created, Properties, ResourceKind
from local.source.mariadb import EmbeddedMariaDb
from local.source.postgres import EmbeddedPostgres


class Server(Protocol):
    """A running database server."""

    host: str
    port: int
    password: str

    def change_password(self, password: str) -> None:
        """Give the master user another password."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What an instance says of its server. ``backups``: whether they are automated; ``port``: None for any."""

    parameters: Mapping[str, str]
    user: str
    password: str
    database: str | None
    backups: bool
    port: int | None


def _postgresql(folder: Path, wanted: Wanted) -> Server:
    return EmbeddedPostgres.start(
        folder,
        parameters=wanted.parameters,
        user=wanted.user,
        password=wanted.password,
        database=wanted.database or "postgres",
        port=wanted.port,
    )


def _mariadb(folder: Path, wanted: Wanted) -> Server:
    return EmbeddedMariaDb.start(
        folder,
        parameters=wanted.parameters,
        user=wanted.user,
        password=wanted.password,
        database=wanted.database,
        port=wanted.port,
        binary_log=wanted.backups,
    )


SERVERS: Mapping[str, Callable[[Path, Wanted], Server]] = {
    "postgres": _postgresql,
    "mysql": _mariadb,
    "mariadb": _mariadb,
}
"""Starts a server on this machine, by the engine of an instance."""

RESTARTS = ("DBParameterGroupName", "BackupRetentionPeriod")
"""Properties whose change is the server's, and takes a restart."""


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
        self._servers: dict[str, Server] = {}

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
                f"{logical_id}: Engine {properties.get('Engine')!r} is not emulated; {', '.join(SERVERS)} are"
            )
        record = self._records.create(logical_id, properties, stack)
        server = self._start(record.physical_id, properties, port=None)
        return self._with_endpoint(record, server)

    def _update(self, identifier: str, old: Properties, new: Properties) -> Created:
        assert self._records.update is not None
        record = self._records.update(identifier, old, new)
        server = self._servers[identifier]
        if any(old.get(name) != new.get(name) for name in RESTARTS):
            server.stop()
            server = self._start(identifier, {**new, "MasterUserPassword": server.password}, port=server.port)
        if old.get("MasterUserPassword") != new.get("MasterUserPassword"):
            server.change_password(new["MasterUserPassword"])
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

    def _with_endpoint(self, record: Created, server: Server) -> Created:
        self._publish(record.physical_id, server.host, server.port)
        endpoint = {"Endpoint.Address": server.host, "Endpoint.Port": str(server.port)}
        return Created(record.physical_id, {**record.attributes, **endpoint})

    def _start(self, identifier: str, properties: Properties, port: int | None) -> Server:
        group = properties.get("DBParameterGroupName")
        wanted = Wanted(
            parameters=self._parameters_of(group) if group else {},
            user=properties["MasterUsername"],
            password=properties["MasterUserPassword"],
            database=properties.get("DBName"),
            backups=int(properties.get("BackupRetentionPeriod", 1)) > 0,
            port=port,
        )
        server = SERVERS[properties["Engine"]](self._folder / identifier, wanted)
        with self._lock:
            self._servers[identifier] = server
        return server
