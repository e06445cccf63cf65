"""The two sides of ``catchment validate``: given by URLs, or deployed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catchment.cli.source_database import Address
from catchment.deployed import replica_login, source_login, source_trust
from catchment.engines import engine
from catchment.engines.trust import RDS_CERTIFICATES, Login, Trust
from catchment.errors import SettingsError
from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName
from catchment.reconcile.replica import replica_table
from catchment.reconcile.stored import StoredTable
from catchment.reconcile.tables import TargetSide
from catchment.reload.deployed import Deployment
from catchment.settings import load_settings
from catchment.sinks.replica.connect import is_replica, open_replica, replica_url
from catchment.storage import ObjectStore, open_store

Target = Callable[[TableName, Path], TargetSide]
"""A table of the other side by its name; the folder takes what has to be fetched."""

Contracts = Mapping[TableName, TableContract]


@dataclass(frozen=True)
class Source:
    """A database and how it is reached."""

    engine: str
    login: Login
    database: str
    trust: Trust


def source_at(url: str, trust: Trust) -> Source:
    """The database of a URL. Raises SettingsError."""
    address = Address.parse(url)
    return Source(address.engine, address.login, address.database, trust)


def deployed(cdk_json: Path, env: str, stack_prefix: str, name: str | None) -> tuple[Source, Target, Contracts]:
    """A source of a deployed environment, its tables in the lake, and which they are. Raises SettingsError."""
    found = Deployment(env, name, stack_prefix)
    settings = load_settings(cdk_json, env).sources[found.source]
    login = source_login(env, stack_prefix, found.source)
    source = Source(settings.engine, login, settings.database, source_trust(settings))
    return source, target_in(found.lake), found.tables()


def replica_of(cdk_json: Path, env: str, stack_prefix: str, listed: Contracts) -> tuple[str, Contracts]:
    """The URL of a deployed environment's replica, and which of the source's tables it has. Raises SettingsError."""
    replica = load_settings(cdk_json, env).replica
    if replica is None:
        raise SettingsError("command line", "--replica", env, "allowed where the settings name a replica")
    feeding = engine(replica.engine).replica
    assert feeding is not None, "settings name engines that a replica can be kept in"
    certificates = Path(replica.certificate_file) if replica.certificate_file is not None else RDS_CERTIFICATES
    url = replica_url(feeding.scheme, replica_login(env, stack_prefix), replica.database, certificates)
    names = set(replica.names(tuple(map(str, listed))))
    return url, {name: contract for name, contract in listed.items() if str(name) in names}


def tables_of(file: Path | None, cdk_json: Path, env: str, source: str | None) -> Contracts:
    """The tables that a file names, or the settings of a source. Raises SettingsError."""
    if file is not None:
        return load_contracts(file)
    files = load_settings(cdk_json, env).tables_files()
    chosen = source if source is not None or len(files) > 1 else next(iter(files))
    if chosen not in files:
        raise SettingsError("command line", "SOURCE", source, f"allowed are {', '.join(files)}; or name --tables")
    return load_contracts(json.dumps(files[chosen]), source_name=f"{cdk_json} ({env})")


@contextmanager
def target_at(place: str) -> Iterator[Target]:
    """The lake or the replica at a place. Raises SettingsError."""
    if not is_replica(place):
        yield target_in(open_store(place))
        return
    replica = open_replica(place)
    try:
        yield lambda name, scratch: replica_table(replica, name, scratch)
    finally:
        replica.close()


def target_in(lake: ObjectStore) -> Target:
    """The tables of a lake."""
    return lambda name, scratch: StoredTable(lake, name, scratch)
