"""Pokes: messages that say "look at this table", from S3 events and from the sweep."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Poke(NamedTuple):
    """A table to look at, named as in the source."""

    source: str
    schema: str
    table: str
    maintain: bool = False
    """Whether maintenance is asked for, rather than new files looked for."""

    def __str__(self) -> str:
        return f"{'maintenance of ' if self.maintain else ''}{self.source} {self.schema}.{self.table}"

    def message(self, file: str | None = None) -> str:
        """The body of a queue message that ``parse`` reads; ``file`` is the landing file to look for."""
        said: dict[str, Any] = {"source": self.source, "schema": self.schema, "table": self.table}
        said |= {"maintain": True} if self.maintain else {}
        return json.dumps({**said, **({"file": file} if file else {})}, ensure_ascii=False)


def parse(body: str) -> tuple[Poke, str | None] | None:
    """The poke in a message, and the landing file it names: an S3 event of EventBridge, or what ``Poke.message`` wrote.

    The file's path begins with the schema; None has the whole folder looked at. There is no poke at all (None) for an
    object that lies where no table's files are. Raises ValueError for anything else.
    Keys in EventBridge events are not URL-encoded (Amazon S3 User Guide, "Using EventBridge").
    """
    message: Any = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError(f"neither an event nor a poke: {body[:200]}")
    if "detail" in message:
        source, *path = str(message["detail"]["object"]["key"]).split("/")
        return (Poke(source, path[0], path[1]), "/".join(path)) if len(path) > 2 else None
    file, maintain = message.pop("file", None), message.pop("maintain", False)
    if set(message) != {"source", "schema", "table"} or not isinstance(maintain, bool):
        raise ValueError(f"neither an event nor a poke: {body[:200]}")
    names = {name: str(value) for name, value in message.items()}
    return Poke(**names, maintain=maintain), str(file) if file else None
