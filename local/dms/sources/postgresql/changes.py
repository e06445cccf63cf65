"""The stream of pgoutput messages from a slot, handed to a writer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from local.dms.changes import ChangeWriter
from local.dms.sources.postgresql import pgoutput
from local.dms.sources.postgresql.database import Catalog, format_lsn, when_free
from local.dms.sources.postgresql.publication import publication_names
from local.dms.state import Position

MESSAGES_AT_ONCE = 2000

_INSERT, _UPDATE, _DELETE = b"IUD"
_BEGIN, _COMMIT, _RELATION, _TRUNCATE = b"BCRT"
_ROWS = frozenset((_INSERT, _UPDATE, _DELETE))


class PostgresChanges:
    """Reads a slot on a replication session, which it ends."""

    def __init__(self, session: Any, slot: str, start: Position, catalog: Catalog) -> None:
        self._session, self._catalog = session, catalog
        self._confirmed = start
        self._cursor = session.cursor()
        names = ",".join(f'"{name}"' for name in publication_names(slot))
        when_free(
            lambda: self._cursor.start_replication(
                slot_name=slot,
                start_lsn=format_lsn(start.lsn),
                decode=False,
                options={"proto_version": "1", "publication_names": names},
            )
        )

    def read(self, writer: ChangeWriter) -> bool:
        """Feed what has come, a portion at most; whether that was all."""
        read = self._cursor.read_message
        messages: list[bytes] = []
        while len(messages) < MESSAGES_AT_ONCE:
            message = read()
            if message is None:
                break
            messages.append(message.payload)
        drained = len(messages) < MESSAGES_AT_ONCE
        if messages:
            feed(writer, messages, self._catalog)
        if drained:
            writer.caught_up(self._cursor.wal_end)
        return drained

    def confirm(self, position: Position) -> None:
        """Let the server forget what is in files."""
        self._confirmed = position
        at = position.lsn
        self._cursor.send_feedback(write_lsn=at, flush_lsn=at, apply_lsn=at, force=True)

    def keep_alive(self) -> None:
        """Tell the server that we are here."""
        self._cursor.send_feedback(flush_lsn=self._confirmed.lsn, force=True)

    def waits_on(self) -> Any:
        """The session."""
        return self._session

    def close(self) -> None:
        """End the session."""
        self._session.close()


def feed(writer: ChangeWriter, messages: Iterable[bytes], catalog: Catalog) -> None:
    """Hand messages to a writer in their order. Raises TaskFailed when one of them ends the task, StreamCut."""
    row = writer.row
    for message in messages:
        kind = message[0]
        if kind in _ROWS:
            row(message[1:5], message, len(message))
        elif kind == _BEGIN:
            writer.begin(pgoutput.begin_commit_time(message))
        elif kind == _COMMIT:
            writer.commit(pgoutput.commit_end(message))
        elif kind == _RELATION:
            relation = pgoutput.parse_relation(message)
            shape = partial(catalog.shape_of, relation)
            writer.define(relation.relation_id, relation.schema, relation.table, shape)
        elif kind == _TRUNCATE:
            writer.truncate(pgoutput.truncated_relations(message))
    writer.limit_memory()
