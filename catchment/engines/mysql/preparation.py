"""What makes a MySQL or MariaDB server a source of DMS (AWS DMS User Guide, CHAP_Source.MySQL).

On RDS what the binary log holds is the parameter group's, and how long it is kept a procedure's; elsewhere both are
variables of the server.
"""

from __future__ import annotations

from collections.abc import Sequence

from catchment.engines.base import Query
from catchment.engines.mysql import catalog, upkeep
from catchment.engines.mysql.catalog import Account, full_name
from catchment.engines.mysql.server_checks import (
    keep_for,
    log_misfits,
    retention_hours,
    setting_statement,
    wanted_hours,
)
from catchment.engines.readiness import STAND_IN, Step, Wanted, WantedTable


def plan(query: Query, wanted: Wanted) -> list[Step]:
    """What is still to be done, in order; nothing where all is as wanted."""
    steps = _user(query, wanted) if wanted.user is not None else []
    return [*steps, *_log(query), *_retention(query, wanted)] if wanted.follows else steps


def _user(query: Query, wanted: Wanted) -> list[Step]:
    account = catalog.reader(query, wanted)
    found = catalog.tables(query, wanted.tables)
    there = [table for table in wanted.tables if str(table) in found]
    if query(catalog.USER_IS_THERE, [account.user, account.host]):
        return right_steps(query, wanted, account, there)
    secure = " REQUIRE SSL" if wanted.encrypted else ""
    made = Step(
        what=f"make the user {account}",
        why="DMS logs in as a user of its own, with no more rights than it needs.",
        sql=(f"CREATE USER {account} IDENTIFIED BY '{STAND_IN}'{secure}",),
        undo=(f"DROP USER {account}",),
    )
    return [made, *right_steps(query, wanted, account, there, made=True)]


def right_steps(
    query: Query, wanted: Wanted, account: Account, there: Sequence[WantedTable], *, made: bool = False
) -> list[Step]:
    """The rights that DMS's user lacks. ``made``: it is not there yet, lacks them all, and takes them along."""
    rights = catalog.rights(query, account)
    steps = []
    lacking = rights.lacks_of_log() if wanted.follows else []
    if lacking:
        listed = ", ".join(lacking)
        steps.append(
            Step(
                what=f"let {account} read the binary log",
                why="Changes are read from it, as a replica does.",
                sql=(f"GRANT {listed} ON *.* TO {account}",),
                undo=() if made else (f"REVOKE {listed} ON *.* FROM {account}",),
            )
        )
    unread = [full_name(table) for table in there if not rights.reads(table)]
    if unread:
        steps.append(
            Step(
                what=f"let {account} read {len(unread)} tables",
                why="DMS loads them.",
                sql=[f"GRANT SELECT ON {name} TO {account}" for name in unread],
                undo=[] if made else [f"REVOKE SELECT ON {name} FROM {account}" for name in unread],
            )
        )
    return steps


def _log(query: Query) -> list[Step]:
    if query(upkeep.ON_RDS):
        return []
    known = catalog.variables(query)
    if known["log_bin"] != "ON":
        return []
    return [
        Step(
            what=f"set {name} to {value or 'nothing'}",
            why=why,
            sql=(setting_statement(known, name, f"'{value}'"),),
            undo=(setting_statement(known, name, f"'{known[name]}'"),),
        )
        for name, (value, why) in log_misfits(known).items()
    ]


def _retention(query: Query, wanted: Wanted) -> list[Step]:
    known = catalog.variables(query)
    hours, needed = retention_hours(query, known), wanted_hours(wanted)
    if hours is None or hours >= needed or known["log_bin"] != "ON":
        return []
    before = keep_for(query, known, int(hours)) if hours else upkeep.FORGET_RETENTION
    return [
        Step(
            what=f"keep the binary log for {needed} hours",
            why="A task that stood still goes on where it was, if the log is still there.",
            sql=(keep_for(query, known, needed),),
            undo=(before,),
        )
    ]
