"""Small pieces of SQL text."""

from __future__ import annotations

import re


def identifier(name: str) -> str:
    """A name as SQL wants it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


def one_file(path: object) -> str:
    """A literal for exactly this file: DuckDB would take ``[``, ``*`` and ``?`` in a path for a pattern."""
    return text(re.sub(r"([\[*?])", r"[\1]", str(path)))
