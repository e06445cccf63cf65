"""The files of a Delta table's log, read: commits, and what a listing of ``_delta_log`` says.

Delta protocol: a commit is ``_delta_log/<20 digits>.json``, one action a line. Beside the commits lie checkpoints, and
files that say nothing the commits do not (compacted commits, checksums, a writer's temporary files): they are not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catchment.errors import LogBroken
from catchment.sinks.delta_actions import Action, Add, Remove, parse
from catchment.storage import ObjectStore, StoredObject

METADATA_KEY = "catchment"
APP_ID = "catchment"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(
    r"(\d{20})\.checkpoint(?:\.(?P<part>\d{10})\.(?P<parts>\d{10})|\.(?P<unique>[0-9a-fA-F-]{36}))?\.(?:parquet|json)"
)


@dataclass(frozen=True)
class LogEntry:
    """One commit: ``record`` is what Catchment wrote into it, None for anybody else's.

    ``actions`` are those that say what the table is; ``timestamp_ms`` is milliseconds since the epoch.
    """

    version: int
    timestamp_ms: int
    operation: str
    record: Mapping[str, Any] | None
    changes_data: bool
    actions: Sequence[Action] = ()


@dataclass(frozen=True)
class LogFiles:
    """What a listing found: commits by version, and the files of each whole checkpoint by version."""

    commits: Mapping[int, StoredObject] = field(default_factory=dict)
    checkpoints: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @property
    def newest(self) -> int | None:
        """The newest version that a commit or a checkpoint tells of."""
        return max([*self.commits, *self.checkpoints], default=None)


def commit_path(path: str, version: int) -> str:
    """The file of a commit of the table at ``path``."""
    return f"{path}/_delta_log/{version:020d}.json"


def read_entry(store: ObjectStore, path: str, version: int) -> LogEntry:
    """The commit ``version`` of the table at ``path``.

    Raises FileNotFoundError where there is none (any more), LogBroken where it is no commit.
    """
    where = commit_path(path, version)
    said: list[tuple[str, Any]] = []
    for number, text in enumerate(store.read_bytes(where).splitlines(), start=1):
        if text.strip():
            try:
                said += json.loads(text).items()
            except (ValueError, AttributeError) as error:
                raise LogBroken(where, f"line {number} is no action: {error}") from error
    return entry_of(where, version, said)


def entry_of(where: str, version: int, said: Sequence[tuple[str, Any]]) -> LogEntry:
    """The commit whose lines are ``said``: names of actions and their bodies. Raises LogBroken."""
    try:
        info: Mapping[str, Any] = next((body for name, body in said if name == "commitInfo"), {})
        actions = [action for name, body in said if (action := parse(name, body)) is not None]
        return LogEntry(
            version,
            int(info.get("timestamp", 0)),
            str(info.get("operation", "")),
            _record(info),
            any(action.data_change for action in actions if isinstance(action, Add | Remove)),
            actions,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LogBroken(where, f"an action is not what the protocol says: {error!r}") from error


def list_log(store: ObjectStore, path: str, since: int) -> LogFiles:
    """The commits and whole checkpoints from version ``since`` on."""
    commits: dict[int, StoredObject] = {}
    found: dict[int, list[tuple[re.Match[str], str]]] = {}
    # '-' sorts before '.', so nothing of the version itself is left out
    for stored in store.list(f"{path}/_delta_log", after=f"{path}/_delta_log/{since:020d}-"):
        name = stored.path.removeprefix(f"{path}/_delta_log/")
        if not name[:1].isdigit():
            break  # names that begin otherwise sort behind: _last_checkpoint, side files
        if commit := _COMMIT.fullmatch(name):
            commits[int(commit[1])] = stored
        elif checkpoint := _CHECKPOINT.fullmatch(name):
            found.setdefault(int(checkpoint[1]), []).append((checkpoint, stored.path))
    whole = {version: files for version, named in found.items() if (files := _whole(named))}
    return LogFiles(commits, whole)


def _whole(found: Sequence[tuple[re.Match[str], str]]) -> list[str]:
    """The files of one checkpoint among those of a version: one file, or all parts of a number of parts."""
    for match, path in found:
        if match["part"] is None:
            return [path]
    by_total: dict[str, list[str]] = {}
    for match, path in found:
        by_total.setdefault(match["parts"], []).append(path)
    return next((sorted(paths) for total, paths in by_total.items() if len(paths) == int(total)), [])


def _record(info: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Catchment's record: a field of the commit's information, or of the user's metadata where Spark commits."""
    raw = info.get(METADATA_KEY)
    if raw is None and METADATA_KEY in str(info.get("userMetadata") or ""):
        try:
            said = json.loads(info["userMetadata"])
        except ValueError:
            return None  # somebody's words, which only happen to name us
        raw = said.get(METADATA_KEY) if isinstance(said, dict) else None
    record = json.loads(raw) if isinstance(raw, str) else raw
    return record if isinstance(record, dict) else None
