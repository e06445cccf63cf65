"""Sources by the EngineName of their endpoints."""

from __future__ import annotations

from collections.abc import Mapping

from local.dms.sources import mysql, postgresql
from local.dms.sources.base import SourceKind

KINDS: Mapping[str, SourceKind] = {
    "postgres": postgresql,
    "aurora-postgresql": postgresql,
    "mysql": mysql,
    "mariadb": mysql,
}

ERRORS: tuple[type[Exception], ...] = tuple({error for kind in KINDS.values() for error in kind.ERRORS})
"""What any of their drivers raises."""
LOST: tuple[type[Exception], ...] = tuple({error for kind in KINDS.values() for error in kind.LOST})
"""Those of them after which a task may be resumed."""
