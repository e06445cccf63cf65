"""A Trino of one's own on a free port, with one catalog of Delta tables in folders of this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_JVM = (
    "-Xmx1G",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djdk.nio.maxCachedBufferSize=2000000",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
_START_SECONDS = 180


class QueryFailed(Exception):
    """Trino's own words."""


class Trino:
    """Asks a server over its REST protocol."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows by column, values as its JSON has them. Raises QueryFailed, URLError."""
        request = urllib.request.Request(
            f"{self._url}/v1/statement",
            sql.encode(),
            {"X-Trino-User": "tests", "X-Trino-Catalog": "lake", "X-Trino-Time-Zone": "UTC"},
        )
        rows: list[dict[str, Any]] = []
        while True:
            with urllib.request.urlopen(request) as answer:
                page = json.load(answer)
            if "error" in page:
                raise QueryFailed(page["error"]["message"])
            names = [column["name"] for column in page.get("columns", [])]
            rows += [dict(zip(names, row, strict=True)) for row in page.get("data", [])]
            if "nextUri" not in page:
                return rows
            request = urllib.request.Request(page["nextUri"], headers={"X-Trino-User": "tests"})


@contextlib.contextmanager
def running(home: Path, java: Path, folder: Path) -> Iterator[Trino]:
    """A server of the Trino in ``home``, which keeps its files in ``folder``; it sees every folder of this machine."""
    port = _free_port()
    etc = folder / "etc"
    (etc / "catalog").mkdir(parents=True)
    _write(
        etc / "config.properties",
        {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": port,
            "discovery.uri": f"http://127.0.0.1:{port}",
            "node.internal-address": "127.0.0.1",
            "query.max-memory": "400MB",
            "query.max-memory-per-node": "400MB",
            "plugin.dir": home / "plugin",
            "catalog.config-dir": etc / "catalog",
        },
    )
    _write(
        etc / "catalog/lake.properties",
        {
            "connector.name": "delta_lake",
            "hive.metastore": "file",
            "hive.metastore.catalog.dir": f"local:///{folder.relative_to('/')}/metastore",
            "fs.native-local.enabled": "true",
            "local.location": "/",
            "delta.register-table-procedure.enabled": "true",
        },
    )
    _write(etc / "log.properties", {"io.trino": "WARN"})
    told = {"node.data-dir": folder / "data", "config": etc / "config.properties", "node.environment": "tests"}
    told["log.levels-file"] = etc / "log.properties"
    options = [*_JVM, *(f"-D{name}={value}" for name, value in told.items()), "-cp", f"{home}/lib/*"]
    command = [str(java / "bin/java"), *options, "io.trino.server.TrinoServer"]
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        trino = Trino(f"http://127.0.0.1:{port}")
        _await(trino, server, folder / "server.log")
        yield trino
    finally:
        server.terminate()
        server.wait()


def _await(trino: Trino, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until a query is answered; a server says that it is ready too early."""
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            trino.query("SHOW SCHEMAS")
        except (urllib.error.URLError, ConnectionError, QueryFailed) as error:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Trino does not answer ({error}):\n{log.read_text()[-3000:]}") from error
            time.sleep(0.2)
        else:
            return


def _write(path: Path, lines: Mapping[str, object]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
