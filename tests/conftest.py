"""Common to all suites: nobody's credentials or account are seen, and properties try the same examples every time."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from local.source.mariadb import EmbeddedMariaDb

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("unshrunk", derandomize=True, phases=(Phase.explicit, Phase.generate))
settings.register_profile("fuzz", derandomize=False)
settings.load_profile("repeatable")

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    AWS_DEFAULT_REGION="us-east-1",
)


def pytest_configure(config: pytest.Config) -> None:
    """Spark's gateway to its JVM leaves its sockets to the garbage collector."""
    if find_spec("pyspark") is not None:
        config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMariaDb]:
    """One server with a row-based binary log, for databases of the tests' own."""
    from local.source.mariadb import EmbeddedMariaDb
    from local.source.mariadb_programs import supported

    if not supported():
        pytest.skip("no MariaDB is built for this machine")
    with EmbeddedMariaDb.start(
        tmp_path_factory.mktemp("mariadb"),
        parameters={"binlog_format": "ROW", "binlog_row_image": "FULL"},
        user="owner",
        password="owner",
    ) as server:
        yield server


def pytest_unconfigure() -> None:
    """Let go of DuckDB's types, else nanobind reports them as leaked below the results.

    Hypothesis keeps modules of the code under test alive beyond the interpreter's own clearing up.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("duckdb", "_duckdb"):
            vars(module).clear()
    gc.collect()
