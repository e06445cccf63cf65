"""Scope: the live workload on MySQL: every kind of work on every table, the same for the same seed."""

from pathlib import Path
from threading import Event

from local.source.mariadb import EmbeddedMariaDb
from local.source.mysql_hard import TABLES
from local.source.on_mysql import WORK, MySqlDatabase
from local.source.workload import Workload

PARAMETERS = {"binlog_format": "ROW", "binlog_row_image": "FULL"}


def test_every_kind_of_work_is_done_on_every_table(tmp_path: Path) -> None:
    with EmbeddedMariaDb.start(tmp_path, parameters=PARAMETERS, user="owner", password="p", database="sales") as server:
        login = {"host": server.host, "port": server.port, "username": "owner", "password": "p"}
        database = MySqlDatabase(login, "sales")
        made = database.seed(4000, 7)
        done = Workload(database, rate=1e9, transactions=260, seed=7, truncates=True).run(Event())
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM hard.`order`")
            refilled = cursor.fetchone()
            cursor.execute("SELECT data_type FROM information_schema.columns WHERE column_name = 'channel'")
            added = cursor.fetchall()
    kinds = {kind.__name__ for kind in (*WORK.kinds, *WORK.definitions.values(), WORK.truncation) if kind is not None}
    assert set(done.kinds) == kinds
    assert set(done.by_table()) == set(made)
    assert {f"hard.{table}" for table in TABLES} < set(made)
    assert sum(made.values()) > 3900
    assert refilled == (30,)
    assert ("varchar",) in added
    assert done.rolled_back > 0
