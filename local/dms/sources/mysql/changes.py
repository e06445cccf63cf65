"""The row-based binary log as a stream, handed to a writer."""

from __future__ import annotations

import logging
import queue
import socket
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn
from zlib import crc32

import pymysql
import sqlglot
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import MariadbGtidEvent, QueryEvent, RotateEvent, XAPrepareEvent, XidEvent
from pymysqlreplication.row_event import DeleteRowsEvent, RowsEvent, TableMapEvent, UpdateRowsEvent, WriteRowsEvent
from sqlglot import exp

from catchment.errors import TypeRefused
from local.dms.address import SourceAddress
from local.dms.changes import ChangeWriter
from local.dms.policies import ErrorPolicy, TableSuspended, TaskFailed
from local.dms.shapes import TableShape
from local.dms.sources.mysql.database import Catalog, arguments, format_position, parse_position
from local.dms.sources.mysql.row_image import Value, read_row
from local.dms.sources.mysql.table_map import TableMap, understand
from local.dms.state import Position

log = logging.getLogger("dms")

EVENTS_AT_ONCE = 2000
EVENTS_AHEAD = 4000
"""Events read before they are wanted."""
STANDALONE = 1
"""Flag of a GTID event: no commit follows, the one event is the transaction."""
LOG_GONE = 1236
"""The server's error for a log, or a place in it, that is not there any more."""

# it warns of a reconnection, which is not allowed here, when its connection is closed
logging.getLogger("pymysqlreplication").setLevel(logging.ERROR)

_OPERATIONS = {WriteRowsEvent: ord("I"), UpdateRowsEvent: ord("U"), DeleteRowsEvent: ord("D")}


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row of the log: the letter of what happened, the row (of a delete: the old one), the old row of an update."""

    operation: int
    values: list[Value]
    old: list[Value] | None = None


class MySqlChanges:
    """Reads the binary log from a position, in a thread of its own. ``server_id`` is told from the task's name."""

    def __init__(
        self, address: SourceAddress, task: str, start: Position, base: str, catalog: Catalog, policy: ErrorPolicy
    ) -> None:
        self._catalog, self._policy = catalog, policy
        self._charsets = catalog.charsets()
        self._maps: dict[Hashable, TableMap] = {}
        self._tables: dict[int, Hashable] = {}
        file, _, place = format_position(base, start.lsn).rpartition(":")
        self._reader = BinLogStreamReader(
            arguments(address),
            server_id=2 + crc32(task.encode()) % (2**32 - 3),
            blocking=True,
            resume_stream=True,
            log_file=file,
            log_pos=int(place),
            filter_non_implemented_events=False,
            enable_logging=False,
            pymysql_wrapper=_connect_once(),
        )
        self._events: queue.Queue[Any] = queue.Queue(EVENTS_AHEAD)
        self._signal, self._bell = socket.socketpair()
        self._signal.setblocking(False)
        self._bell.setblocking(False)
        self._over = False
        self._thread = threading.Thread(target=self._read_ahead, name="binlog", daemon=True)
        self._thread.start()

    def read(self, writer: ChangeWriter) -> bool:
        """Feed what has come, a portion at most; whether that was all.

        Raises TaskFailed where the log is gone, pymysql.MySQLError where the source is.
        """
        for _ in range(EVENTS_AT_ONCE):
            try:
                event, lsn = self._events.get_nowait()
            except queue.Empty:
                self._hush()
                if self._events.empty():
                    writer.limit_memory()
                    return True
                continue
            if isinstance(event, Exception):
                _fail(event)
            self._take(writer, event, lsn)
        writer.limit_memory()
        return False

    def confirm(self, position: Position) -> None:
        """Nothing: the server keeps its log by the hour, whoever reads it."""

    def keep_alive(self) -> None:
        """Nothing: the server sends, and waits as long as it has to."""

    def waits_on(self) -> socket.socket:
        """Rings when an event has come."""
        return self._signal

    def close(self) -> None:
        """Hang up."""
        self._over = True
        stream = getattr(self._reader, "_stream_connection", None)
        if stream is not None and stream._sock is not None:
            stream._sock.shutdown(socket.SHUT_RDWR)
        while self._thread.is_alive():
            self._empty()
            self._thread.join(0.02)
        self._reader.close()
        self._signal.close()
        self._bell.close()

    def _empty(self) -> None:
        while True:
            try:
                self._events.get_nowait()
            except queue.Empty:
                return

    def _hush(self) -> None:
        try:
            self._signal.recv(4096)
        except BlockingIOError:
            return

    def _read_ahead(self) -> None:
        try:
            while not self._over:
                event = self._reader.fetchone()
                if event is None:
                    raise pymysql.OperationalError(2013, "the server ended the binary log")
                self._put(event, parse_position(f"{self._reader.log_file}:{self._reader.log_pos}"))
        except Exception as error:  # whatever it is, the task's own thread has to hear of it
            self._put(error, 0)

    def _put(self, event: Any, lsn: int) -> None:
        self._events.put((event, lsn))
        try:
            self._bell.send(b"!")
        except BlockingIOError:  # it rings already
            return

    def _take(self, writer: ChangeWriter, event: Any, lsn: int) -> None:
        if isinstance(event, RowsEvent):
            self._rows(writer, event)
        elif isinstance(event, TableMapEvent):
            self._map(writer, event)
        elif isinstance(event, MariadbGtidEvent):
            if not event.flags & STANDALONE:
                writer.begin(event.timestamp * 1_000_000)
        elif isinstance(event, XidEvent):
            writer.commit(lsn)
        elif isinstance(event, QueryEvent):
            self._query(writer, event, lsn)
        elif isinstance(event, XAPrepareEvent):
            raise TaskFailed("the source uses XA transactions, which are not emulated")
        elif isinstance(event, RotateEvent):
            self._tables.clear()  # a server that was started anew counts its tables anew
            writer.caught_up(lsn)
        else:
            writer.caught_up(lsn)

    def _query(self, writer: ChangeWriter, event: QueryEvent, lsn: int) -> None:
        words = event.query.strip().upper()
        if words == "COMMIT":
            writer.commit(lsn)
            return
        if writer.in_transaction:  # a savepoint, or what a table without transactions logs
            return
        truncated, dropped = _emptied(event.query, event.schema.decode())
        for schema, table in truncated:
            self._truncate(writer, schema, table)
        for schema, table in dropped:
            writer.drop(schema, table)
        writer.caught_up(lsn)

    def _truncate(self, writer: ChangeWriter, schema: str, table: str) -> None:
        name = f"{schema}.{table}"
        if not writer.relations_of(name):
            # nothing has been said of it yet: it is as it is now, or its next row says how it is
            found = self._catalog.read(schema, table)
            if found is None:
                return
            writer.define(name, schema, table, lambda: found.shape)
        writer.truncate([name])

    def _map(self, writer: ChangeWriter, event: TableMapEvent) -> None:
        # tables are known to the writer by their names: the log's numbers for them come and go
        relation = f"{event.schema}.{event.table}"
        if self._tables.get(event.table_id) == relation:  # another definition would have another number
            return
        self._tables[event.table_id] = relation
        self._maps.pop(relation, None)
        writer.define(relation, event.schema, event.table, lambda: self._shape(relation, event))
        if not writer.wants(relation) and relation in writer.suspended:
            with suppress(TableSuspended):  # one whose types are refused has never been read
                self._shape(relation, event)

    def _shape(self, relation: Hashable, event: TableMapEvent) -> TableShape:
        try:
            self._maps[relation] = understand(event, self._catalog.known(event.schema, event.table, self._charsets))
        except TypeRefused as error:
            self._policy.suspend(str(relation), str(error))
        return self._maps[relation].shape

    def _rows(self, writer: ChangeWriter, event: RowsEvent) -> None:
        relation = self._tables[event.table_id]
        if not writer.wants(relation):
            writer.pass_over(relation, lambda: len(self._changes(relation, event)) if relation in self._maps else 0)
            return
        if not _whole(event):
            why = f"{relation}: a row is logged without all its columns (binlog_row_image is not FULL)"
            try:
                self._policy.suspend(str(relation), why)
            except TableSuspended as error:
                writer.suspend(error)
            return
        for change, size in self._changes(relation, event):
            writer.row(relation, change, size)

    def _changes(self, relation: Hashable, event: RowsEvent) -> list[tuple[RowChange, int]]:
        """The rows of an event, each with its bytes in the log."""
        table, operation = self._maps[relation], _OPERATIONS[type(event)]
        data = event.packet.read(event.event_size - event.packet.read_bytes)
        at, found = 0, []
        while at < len(data):
            begin, old = at, None
            if operation == ord("U"):
                old, at = _row(data, at, table)
            values, at = _row(data, at, table)
            found.append((RowChange(operation, values, old), at - begin))
        return found


def _row(data: bytes, at: int, table: TableMap) -> tuple[list[Value], int]:
    values, at = read_row(data, at, table.readers)
    return (values if len(table.kept) == len(values) else [values[place] for place in table.kept]), at


def _whole(event: RowsEvent) -> bool:
    whole = (1 << event.number_of_columns) - 1
    images = [event.columns_present_bitmap, getattr(event, "columns_present_bitmap2", None)]
    return all(int.from_bytes(image, "little") & whole == whole for image in images if image is not None)


def _emptied(query: str, schema: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The tables, schema and name, that a statement empties at a stroke, and those it drops."""
    first = query.split(None, 1)[0].upper() if query.strip() else ""
    if first not in ("TRUNCATE", "DROP"):
        return [], []
    statement = sqlglot.parse_one(query, read="mysql")
    names = [(table.db or schema, table.name) for table in statement.find_all(exp.Table)]
    if isinstance(statement, exp.TruncateTable):
        return names, []
    return [], names if isinstance(statement, exp.Drop) and statement.args.get("kind") == "TABLE" else []


def _connect_once() -> Callable[..., Any]:
    """Connects for the stream and for questions, and not again: going on in mid-transaction would lose its tables."""
    left = [2]

    def connect(**options: Any) -> Any:
        if not left[0]:
            raise pymysql.InterfaceError(2013, "the connection to the binary log was lost")
        left[0] -= 1
        return pymysql.connect(database=options.pop("db", None), **options)

    return connect


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, pymysql.MySQLError) and error.args and error.args[0] == LOG_GONE:
        raise TaskFailed(
            f"Error {LOG_GONE} reading binary log: {error.args[1]}. The position to go on from is no longer in the log:"
            " start the task anew, with a full load"
        ) from error
    raise error
