"""What makes a PostgreSQL database a source of DMS (AWS DMS User Guide, CHAP_Source.PostgreSQL).

DMS reads ``test_decoding``, which needs no publication, and makes and drops its slot itself. It makes what it captures
DDL with itself as well, if its user may make event triggers; for any other user it is made here, as the guide's
"without using the master user account" has it.
"""

from __future__ import annotations

from catchment.engines.base import Query
from catchment.engines.postgresql import catalog, server_checks
from catchment.engines.postgresql.catalog import ARTIFACTS, ON_RDS, User, full_name, quoted
from catchment.engines.readiness import STAND_IN, Step, Wanted

AUDIT_TABLE = (
    f"CREATE TABLE IF NOT EXISTS {ARTIFACTS}.awsdms_ddl_audit (c_key bigserial PRIMARY KEY, c_time timestamp,"
    " c_user varchar(64), c_txn varchar(16), c_tag varchar(24), c_oid integer, c_name varchar(64),"
    " c_schema varchar(64), c_ddlqry text)"
)
# The definer's rights: whoever changes a table has none on what is DMS's.
AUDIT_FUNCTION = (
    f"CREATE OR REPLACE FUNCTION {ARTIFACTS}.awsdms_intercept_ddl() RETURNS event_trigger"
    " LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN"
    " IF tg_tag IN ('CREATE TABLE', 'ALTER TABLE', 'DROP TABLE') THEN"
    f" INSERT INTO {ARTIFACTS}.awsdms_ddl_audit VALUES (DEFAULT, current_timestamp, session_user,"
    " txid_current()::varchar(16), tg_tag, 0, '', current_schema, current_query());"
    f" DELETE FROM {ARTIFACTS}.awsdms_ddl_audit; END IF; END $$"
)
AUDIT_TRIGGER = (
    f"CREATE EVENT TRIGGER awsdms_intercept_ddl ON ddl_command_end EXECUTE FUNCTION {ARTIFACTS}.awsdms_intercept_ddl()"
)
IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
IDENTITIES = {"d": "DEFAULT", "n": "NOTHING"}


def plan(query: Query, wanted: Wanted) -> list[Step]:
    """What is still to be done, in order; nothing where all is as wanted."""
    who = catalog.reader(query, wanted)
    user = catalog.user(query, who)
    steps, made = [], user is None
    if user is None:
        steps.append(_user(query, who))
        user = User(superuser=False, replicates=True, rds_superuser=False, bypasses_row_security=False)
    if wanted.user is not None:
        steps += right_steps(query, wanted, who, user, made=made)
    if wanted.follows:
        steps += capture_steps(query, wanted, who, user)
        steps += _server(query)
        steps += _full_rows(query, wanted)
    return steps


def _user(query: Query, who: str) -> Step:
    name = quoted(who)
    made = (
        (f"CREATE ROLE {name} LOGIN PASSWORD '{STAND_IN}'", f"GRANT rds_replication TO {name}")
        if query(ON_RDS)
        else (f"CREATE ROLE {name} LOGIN REPLICATION PASSWORD '{STAND_IN}'",)
    )
    return Step(
        what=f"make the user {who}, who may replicate",
        why="DMS logs in as a user of its own, with no more rights than it needs.",
        sql=made,
        # What DMS made as this user, its heartbeat table, goes with it.
        undo=(f"GRANT {name} TO CURRENT_USER", f"DROP OWNED BY {name}", f"DROP ROLE {name}"),
    )


def right_steps(query: Query, wanted: Wanted, who: str, user: User, *, made: bool = False) -> list[Step]:
    """The rights that DMS's user lacks. ``made``: it is not there yet, and lacks them all."""
    if user.superuser:
        return []
    steps, name = [], quoted(who)
    if wanted.follows and not user.replicates:
        grant = f"GRANT rds_replication TO {name}" if query(ON_RDS) else f"ALTER ROLE {name} REPLICATION"
        back = f"REVOKE rds_replication FROM {name}" if query(ON_RDS) else f"ALTER ROLE {name} NOREPLICATION"
        steps.append(
            Step(what=f"let {who} replicate", why="DMS reads changes from a slot.", sql=(grant,), undo=(back,))
        )
    found = catalog.tables(query, wanted.tables)
    grants, backs = [], []
    for schema in dict.fromkeys(table.schema for table in wanted.tables if str(table) in found):
        if made or not catalog.is_true(query, catalog.SCHEMA_RIGHT, [who, schema, "USAGE"]):
            grants.append(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {name}")
            backs.append(f"REVOKE USAGE ON SCHEMA {quoted(schema)} FROM {name}")
    for table in wanted.tables:
        if str(table) in found and (made or not catalog.is_true(query, catalog.MAY_READ, [who, found[str(table)].oid])):
            grants.append(f"GRANT SELECT ON TABLE {full_name(table)} TO {name}")
            backs.append(f"REVOKE SELECT ON TABLE {full_name(table)} FROM {name}")
    if grants:
        what = f"let {who} read {len(grants)} schemas and tables"
        # A user that goes takes its rights along.
        steps.append(Step(what=what, why="DMS loads them.", sql=grants, undo=[] if made else backs[::-1]))
    if made or catalog.is_true(query, catalog.IDLE_SECONDS, [who]):
        steps.append(_never_idle(who, made))
    return steps


def _never_idle(who: str, made: bool) -> Step:
    name = quoted(who)
    return Step(
        what=f"let transactions of {who} be idle",
        why="DMS leaves a transaction idle while it writes; one that is ended then fails the task.",
        sql=(f"ALTER ROLE {name} SET {catalog.IDLE_TIMEOUT} = 0",),
        undo=() if made else (f"ALTER ROLE {name} RESET {catalog.IDLE_TIMEOUT}",),
    )


def capture_steps(query: Query, wanted: Wanted, who: str, user: User) -> list[Step]:
    """What DMS captures DDL with, and a place for its heartbeat, where its user may not make them."""
    if not wanted.follows or user.superuser or user.rds_superuser:
        return []
    steps, name = [], quoted(who)
    if not query(catalog.AUDIT):
        steps.append(
            Step(
                what="make what DMS captures DDL with (awsdms_ddl_audit, awsdms_intercept_ddl)",
                why=f"{who} may not make an event trigger; without, new columns are not seen in time.",
                sql=(
                    AUDIT_TABLE,
                    AUDIT_FUNCTION,
                    AUDIT_TRIGGER,
                    f"GRANT ALL ON {ARTIFACTS}.awsdms_ddl_audit TO {name}",
                ),
                undo=(
                    "DROP EVENT TRIGGER IF EXISTS awsdms_intercept_ddl",
                    f"DROP FUNCTION IF EXISTS {ARTIFACTS}.awsdms_intercept_ddl()",
                    f"DROP TABLE IF EXISTS {ARTIFACTS}.awsdms_ddl_audit",
                ),
            )
        )
    has_user = catalog.user(query, who) is not None
    if not has_user or not catalog.is_true(query, catalog.SCHEMA_RIGHT, [who, ARTIFACTS, "CREATE"]):
        steps.append(
            Step(
                what=f"let {who} make its heartbeat table in {ARTIFACTS}",
                why="Without a heartbeat the slot of an idle database keeps the log of all the others.",
                sql=(f"GRANT USAGE, CREATE ON SCHEMA {ARTIFACTS} TO {name}",),
                undo=(f"REVOKE CREATE ON SCHEMA {ARTIFACTS} FROM {name}",) if has_user else (),
            )
        )
    return steps


def _server(query: Query) -> list[Step]:
    """Settings of a server that is its owner's; on RDS they are the parameter group's."""
    if query(ON_RDS) or not catalog.is_true(query, IS_SUPERUSER):
        return []
    steps = []
    found, (least, most) = int(catalog.setting(query, "wal_sender_timeout") or 0), server_checks.SENDER_MS
    if found and not least <= found <= most:
        steps.append(
            Step(
                what="set wal_sender_timeout to 300 s",
                why="DMS wants 0 or 10 to 300 seconds.",
                sql=("ALTER SYSTEM SET wal_sender_timeout = '300s'", "SELECT pg_reload_conf()"),
                undo=(f"ALTER SYSTEM SET wal_sender_timeout = '{found}ms'", "SELECT pg_reload_conf()"),
            )
        )
    level = catalog.setting(query, "wal_level")
    if level != "logical":
        steps.append(
            Step(
                what="set wal_level to logical, from the next start of the server on",
                why="Row changes can be read from the log only where it is logical.",
                sql=("ALTER SYSTEM SET wal_level = 'logical'",),
                undo=(f"ALTER SYSTEM SET wal_level = '{level}'",),
            )
        )
    return steps


def _full_rows(query: Query, wanted: Wanted) -> list[Step]:
    found = catalog.tables(query, wanted.tables)
    steps = []
    for table in wanted.tables:
        each = found.get(str(table))
        if each is None or each.identity == "f" or not catalog.wants_full_rows(table, each):
            continue
        before = IDENTITIES.get(each.identity) or f"USING INDEX {quoted(each.identity_index or '')}"
        steps.append(
            Step(
                what=f"log the whole old row of {table}",
                why="An update that leaves a large value alone would carry NULL for it.",
                sql=(f"ALTER TABLE {full_name(table)} REPLICA IDENTITY FULL",),
                undo=(f"ALTER TABLE {full_name(table)} REPLICA IDENTITY {before}",),
            )
        )
    return steps
