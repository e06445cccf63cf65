"""What makes an Oracle database a source of DMS (AWS DMS User Guide, CHAP_Source.Oracle).

Every column of a table is logged: of an update DMS writes what is in the log, and NULL for the rest. On RDS what takes
SYSDBA elsewhere is done by procedures of ``rdsadmin``.
"""

from __future__ import annotations

from catchment.engines.base import Query
from catchment.engines.oracle import catalog
from catchment.engines.oracle.catalog import full_name, quoted
from catchment.engines.readiness import STAND_IN, Step, Wanted

SYSTEM_RIGHTS = ("CREATE SESSION", "SELECT ANY TRANSACTION")
READER_RIGHTS = {"logminer": ("LOGMINING",), "binary": ("CREATE ANY DIRECTORY",)}
"""What each way to read the log takes besides."""
READER_VIEWS = {"logminer": ("V_$LOGMNR_LOGS", "V_$LOGMNR_CONTENTS"), "binary": ("DBA_DIRECTORIES",)}
VIEWS = (
    "V_$ARCHIVED_LOG", "V_$LOG", "V_$LOGFILE", "V_$DATABASE", "V_$THREAD", "V_$PARAMETER", "V_$NLS_PARAMETERS",
    "V_$TIMEZONE_NAMES", "V_$TRANSACTION", "V_$CONTAINERS", "DBA_REGISTRY", "OBJ$", "DBA_TABLESPACES", "DBA_OBJECTS",
)  # fmt: skip
"""What DMS's user reads of SYS; the ALL_ views are everybody's already."""
READS_ARCHIVES = (
    "BEGIN rdsadmin.rdsadmin_master_util.create_archivelog_dir; END;",
    "BEGIN rdsadmin.rdsadmin_master_util.create_onlinelog_dir; END;",
)


def plan(query: Query, wanted: Wanted) -> list[Step]:
    """What is still to be done, in order; nothing where all is as wanted."""
    steps = right_steps(query, wanted) if wanted.user is not None else []
    return [*steps, *log_steps(query, wanted), *retention_steps(query, wanted)] if wanted.follows else steps


def right_steps(query: Query, wanted: Wanted) -> list[Step]:
    """The rights that DMS's user lacks, and the user, where there is none."""
    who, steps = catalog.reader(query, wanted), list[Step]()
    name, made = quoted(who), not query(catalog.USER_IS_THERE, [who])
    if made:
        steps.append(
            Step(
                what=f"make the user {who}",
                why="DMS logs in as a user of its own, with no more rights than it needs.",
                sql=(f'CREATE USER {name} IDENTIFIED BY "{STAND_IN}"',),
                undo=(f"DROP USER {name}",),
            )
        )
    system, objects = catalog.rights(query, who)
    reader = wanted.log_reader or "logminer"
    needed = (*SYSTEM_RIGHTS, *(READER_RIGHTS[reader] if wanted.follows else ()))
    grants = [f"GRANT {right} TO {name}" for right in needed if right not in system]
    backs = [f"REVOKE {right} FROM {name}" for right in needed if right not in system]
    on_rds = bool(query(catalog.ON_RDS))
    for view in (*VIEWS, *READER_VIEWS[reader]) if wanted.follows else ():
        if view not in objects["SYS"]:
            grants.append(_grant_view(view, who, on_rds))
            backs.append(_revoke_view(view, who, on_rds))
    there = catalog.tables(query, wanted.tables)
    for table in wanted.tables:
        readable = "SELECT ANY TABLE" in system or table.name in objects[table.schema] or table.schema == who
        if str(table) in there and not readable:
            grants.append(f"GRANT SELECT ON {full_name(table)} TO {name}")
            backs.append(f"REVOKE SELECT ON {full_name(table)} FROM {name}")
    if grants:
        why = "It loads the tables, and reads the redo log and the dictionary."
        steps.append(Step(what=f"grant {len(grants)} rights to {who}", why=why, sql=grants, undo=() if made else backs))
    if reader == "binary" and on_rds and wanted.follows and made:
        what = "make the directories of the redo logs"
        steps.append(Step(what=what, why="Binary Reader reads their files.", sql=READS_ARCHIVES))
    return steps


def log_steps(query: Query, wanted: Wanted) -> list[Step]:
    """Supplemental logging of the database, and of every column of the tables that have less."""
    [(_, least, everything, _)] = query(catalog.DATABASE)
    steps = []
    if least == "NO":
        on_rds = bool(query(catalog.ON_RDS))
        steps.append(
            Step(
                what="log supplementally in the whole database",
                why="Without, DMS cannot tell which row was changed.",
                sql=(_supplemental("ADD", on_rds),),
                undo=(_supplemental("DROP", on_rds),),
            )
        )
    logged, there = catalog.logged_whole(query, wanted.tables), catalog.tables(query, wanted.tables)
    for table in wanted.tables if everything == "NO" else ():
        if str(table) in there and str(table) not in logged:
            steps.append(
                Step(
                    what=f"log every column of {table}",
                    why="An update would deliver NULL for each column that is not logged.",
                    sql=(f"ALTER TABLE {full_name(table)} ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS",),
                    undo=(f"ALTER TABLE {full_name(table)} DROP SUPPLEMENTAL LOG DATA (ALL) COLUMNS",),
                )
            )
    return steps


def retention_steps(query: Query, wanted: Wanted) -> list[Step]:
    """How long RDS keeps archived logs. Elsewhere whoever backs the database up removes them."""
    if not query(catalog.ON_RDS):
        return []
    rows = query(catalog.RETENTION)
    hours, needed = int(rows[0][0] or 0) if rows else 0, max(24, wanted.outage_hours)
    if hours >= needed:
        return []
    return [
        Step(
            what=f"keep archived logs for {needed} hours",
            why="A task that stood still goes on where it was, if the log is still there.",
            sql=(_keep(needed),),
            undo=(_keep(hours),),
        )
    ]


def _keep(hours: int) -> str:
    return f"BEGIN rdsadmin.rdsadmin_util.set_configuration('archivelog retention hours', '{hours}'); END;"


def _supplemental(verb: str, on_rds: bool) -> str:
    if on_rds:
        return f"BEGIN rdsadmin.rdsadmin_util.alter_supplemental_logging('{verb}'); END;"
    return f"ALTER DATABASE {verb} SUPPLEMENTAL LOG DATA"


def _grant_view(view: str, who: str, on_rds: bool) -> str:
    if on_rds:
        return f"BEGIN rdsadmin.rdsadmin_util.grant_sys_object('{view}', '{who}', 'SELECT'); END;"
    return f"GRANT SELECT ON SYS.{view} TO {quoted(who)}"


def _revoke_view(view: str, who: str, on_rds: bool) -> str:
    if on_rds:
        return f"BEGIN rdsadmin.rdsadmin_util.revoke_sys_object('{view}', '{who}', 'SELECT'); END;"
    return f"REVOKE SELECT ON SYS.{view} FROM {quoted(who)}"
