"""``catchment reload``: load tables again, and swap the new load in."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catchment.cli.lake import find_table
from catchment.cli.show import new_console
from catchment.errors import SettingsError
from catchment.landing.names import TableName
from catchment.reload.operation import Clock, Swapped, reload_tables, request_done, request_reload
from catchment.storage import open_store


@dataclass(frozen=True)
class Options:
    """What may be said besides where. ``since`` is ISO, UTC where it names no offset; times are in seconds."""

    reason: str
    since: str | None
    clock_skew: float
    timeout: float
    wait: bool
    json_to: str | None


def reload_deployed(
    environment: str, stack_prefix: str, source: str | None, names: Sequence[str], options: Options
) -> None:
    """Reload tables of a deployed environment through its DMS task. Raises SettingsError, ReloadFailed, …"""
    from catchment.reload.deployed import Deployment  # boto3 takes its time to import

    deployed = Deployment(environment, source, stack_prefix)
    tables = [_listed(name, list(deployed.tables())) for name in names]
    clock = _clock(options)
    if options.since is not None:
        request_done(deployed.lake, tables, clock, _moment(options.since), options.reason)
        for table in tables:
            deployed.poke(table)
        return
    console = new_console(stderr=options.json_to is not None)
    swapped = reload_tables(
        deployed.lake,
        deployed.task,
        tables,
        clock=clock,
        reason=options.reason,
        timeout=options.timeout,
        tell=lambda table, text: console.print(f"{table}: {text}", highlight=False, markup=False),
        poke=deployed.poke,
        wait=options.wait,
    )
    if options.json_to is not None:
        _write_json(options.json_to, swapped)


def request_in_folder(lake: str, names: Sequence[str], options: Options) -> None:
    """Ask for reloads in a plain lake: whoever loads its landing folder begins afterwards."""
    store = open_store(lake)
    tables = [find_table(store, name) for name in names]
    console, clock = new_console(), _clock(options)
    if options.since is not None:
        request_done(store, tables, clock, _moment(options.since), options.reason)
        then = "The next `catchment apply` swaps in the load files that are there."
    else:
        request_reload(store, tables, clock, options.reason)
        then = "Load the tables again now; the next `catchment apply` with all new load files swaps them in."
    for table in tables:
        console.print(f"{table}: requested", highlight=False, markup=False)
    console.print(then)


def _clock(options: Options) -> Clock:
    return Clock(lambda: datetime.now(UTC), time.sleep, timedelta(seconds=options.clock_skew))


def _listed(text: str, tables: Sequence[TableName]) -> TableName:
    for same in (lambda name: name, str.casefold):
        for table in tables:
            if same(str(table)) == same(text):
                return table
    raise SettingsError("command line", "table", text, f"allowed are {', '.join(map(str, tables))}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        allowed = "allowed is a time such as 2026-03-01T09:05:10Z"
        raise SettingsError("command line", "--since", text, allowed) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _write_json(target: str, swapped: Sequence[Swapped]) -> None:
    body = json.dumps([each.to_json() for each in swapped], indent=2) + "\n"
    if target == "-":
        sys.stdout.write(body)
    else:
        with open(target, "w", encoding="utf-8") as file:
            file.write(body)
