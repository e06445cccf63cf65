"""The Spark job: its arguments, the stores and the lease they name, and one call of the applier."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from catchment.apply import Account, Budget, apply_table
from catchment.apply.loads import LoadStates, UnwatchedLoads
from catchment.apply.measures import Measures
from catchment.errors import CatchmentError, SettingsError
from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName
from catchment.leases import HandedOver, Lease, MemoryLease
from catchment.leases.file import FileLease
from catchment.spark.engine import spark_engine
from catchment.spark.start import start_spark
from catchment.storage import LocalStore, open_store

LOG = logging.getLogger(__name__)

LEASE_SECONDS = 900
"""How long a lease outlives a job that died. It is renewed before every look at the landing zone, and a commit that
took longer is checked against it before it is put."""

BUDGET = Budget(commit_bytes=16 * 1024**3, commit_files=20_000, memory_mb=1024)
"""Bytes and files of one commit, and DuckDB's memory in each task."""


def main(arguments: Sequence[str]) -> int:
    """Apply one table; 0 once it is up to date, 2 where the arguments are wrong. Raises what apply_table raises.

    The last line on standard output is the account, or the error's kind and message, as JSON.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    given = _parse(arguments)
    began = time.monotonic()
    try:
        account = run(given)
    except SettingsError as error:
        print(f"catchment: {error}", file=sys.stderr)
        return 2
    except CatchmentError as error:
        said = {"kind": type(error).__name__, "message": str(error)}
        print(json.dumps({"source": given.source, "error": said}, ensure_ascii=False))
        _measure(given, Measures({"Failures": 1}, {}))
        raise
    print(json.dumps({"source": given.source, **account.to_json()}, ensure_ascii=False))
    _measure(given, Measures.of(account, time.monotonic() - began, datetime.now(UTC)))
    return 0


def run(given: argparse.Namespace) -> Account:
    """Apply the table the arguments name."""
    contract = _contract(given)
    prefix = f"/{given.source}" if given.source else ""
    lake = open_store(f"{given.silver_url}{prefix}")
    spark = start_spark(f"catchment {given.source} {contract.name}")
    return apply_table(
        contract=contract,
        landing=open_store(f"{given.landing_url}{prefix}"),
        lake=lake,
        quarantine=open_store(f"{given.quarantine_url}{prefix}"),
        lease=_lease(given, lake.root if isinstance(lake, LocalStore) else None),
        budget=BUDGET,
        now=lambda: datetime.now(UTC),
        loads=_loads(given),
        open_engine=spark_engine(spark),
    )


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="apply", allow_abbrev=False)
    parser.add_argument("--source", default="", help="folder below each of the URLs; left out: the URLs themselves")
    for name, text in _REQUIRED.items():
        parser.add_argument(f"--{name}", required=True, help=text)
    parser.add_argument("--control_table", help="DynamoDB table of the leases; left out: locks in the lake's folder")
    parser.add_argument("--tasks_prefix", help="of the parameters that name DMS tasks; left out: none is asked")
    parser.add_argument("--metric_namespace", help="of CloudWatch, for what is measured; left out: nothing is put")
    parser.add_argument("--lease_token", help="what the lease was handed over to")
    given, others = parser.parse_known_args(arguments)
    if others:
        LOG.info("arguments of the platform: %s", " ".join(others))
    return given


_REQUIRED = {
    "schema": "schema of the table",
    "table": "name of the table",
    "landing_url": "folder or s3:// URL of the landing zone; so with the next two",
    "silver_url": "the lake",
    "quarantine_url": "where bad rows go",
    "contracts_url": "file or s3:// URL of the tables files by source, as JSON; without a source, one tables file",
}


def _contract(given: argparse.Namespace) -> TableContract:
    """The table's contract. Raises SettingsError where the file does not name the table."""
    folder, slash, file = str(given.contracts_url).rpartition("/")
    text = open_store(folder or slash or ".").read_bytes(file).decode()
    if given.source:
        published = json.loads(text)
        if given.source not in published:
            raise SettingsError("apply", "--source", given.source, f"allowed are {', '.join(published)}")
        text = json.dumps(published[given.source], ensure_ascii=False)
    contracts = load_contracts(text, source_name=given.contracts_url)
    name = TableName(given.schema, given.table)
    if name not in contracts:
        raise SettingsError("apply", "--table", str(name), f"allowed are {', '.join(map(str, contracts))}")
    return contracts[name]


def _measure(given: argparse.Namespace, measures: Measures) -> None:
    """Put what was measured, where a namespace is given."""
    if given.metric_namespace:
        from catchment.spark.metrics import put_measures

        put_measures(given.metric_namespace, given.source, f"{given.schema}.{given.table}", measures)


def _loads(given: argparse.Namespace) -> LoadStates:
    if not given.tasks_prefix:
        return UnwatchedLoads()
    import boto3

    from catchment.reload.dms import TaskLoads

    return TaskLoads(boto3.client("dms"), boto3.client("ssm"), given.tasks_prefix, given.source)


def _lease(given: argparse.Namespace, lake: Path | None) -> Lease:
    lease: Lease
    if given.control_table:
        import boto3

        from catchment.leases.dynamodb import DynamoLease

        prefix = f"{given.source}/" if given.source else ""
        lease = DynamoLease(boto3.client("dynamodb"), given.control_table, prefix=prefix, seconds=LEASE_SECONDS)
    elif lake is not None:
        lease = FileLease(lake / "_catchment", wait=True)
    else:
        lease = MemoryLease()
    return HandedOver(lease, given.lease_token) if given.lease_token else lease
