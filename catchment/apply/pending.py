"""Which landing files the table does not contain yet.

A file is its path and its content: a touched or copied folder is not new, a file written again is.

A folder of many files is not listed whole each time: DMS's names sort by time, so what is new is found behind a place
shortly before the newest file the table contains. Whatever landed further back is found by the name its event gives,
or by the next listing of the whole folder; being late, it is applied as exactly then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from catchment.apply.budget import Budget
from catchment.landing.names import Kind, LandingFile, TableName, parse
from catchment.sinks.ledger import AppliedFile, Ledger
from catchment.storage import ObjectStore, StoredObject

_STAMP_DIGITS = 17
_LOOK_BACK = timedelta(hours=2)
_NAMED_AT_MOST = 8
_MONTHS = {f"{month:02d}" for month in range(1, 13)}


@dataclass(frozen=True)
class Listing:
    """The landing folder of a table: ``new`` files in order, all recognised ones by path, and what else lies there.

    ``rewritten`` are load files that the table contains with other content. ``whole``: the folder was looked at whole.
    """

    new: Sequence[LandingFile]
    present: dict[str, LandingFile]
    unrecognised: Sequence[str]
    rewritten: dict[str, LandingFile] = field(default_factory=dict)
    whole: bool = True

    @property
    def loads(self) -> bool:
        """Whether there are load files that the table does not contain as they are."""
        return bool(self.rewritten) or any(file.kind is Kind.LOAD for file in self.new)


class Lookout:
    """What one call of the applier sees of a table's landing folder, look after look.

    ``named`` are paths that events gave; None has the first look list the whole folder. Later looks are short ones.
    """

    def __init__(self, landing: ObjectStore, table: TableName, named: Collection[str] | None) -> None:
        self._landing, self._table = landing, table
        self._folder = f"{table.schema}/{table.table}"
        self._named = named
        self._seen: dict[str, LandingFile] = {}
        self._others: dict[str, None] = {}
        self._waiting: dict[str, LandingFile] = {}
        self._gone: set[str] = set()
        self._whole = False

    def look(self, ledger: Ledger) -> Listing:
        """List what may be new."""
        named, self._named = self._named, ()
        begin = None if named is None or len(named) > _NAMED_AT_MOST else _begin(self._folder, ledger)
        if begin is None:
            self._whole = False
            return self.whole(ledger)
        self._see(found for path in named or () if (found := self._find(path)) is not None)
        self._see(self._landing.list(self._folder, after=begin))
        return self._listing(ledger, whole=False)

    def whole(self, ledger: Ledger) -> Listing:
        """List the whole folder, unless a look has done so; what later looks found is known besides."""
        if not self._whole:
            self._seen, self._others, self._waiting = {}, {}, {}
            self._see(self._landing.list(self._folder))
            self._gone = ledger.files.keys() - self._seen.keys()
            self._whole = True
        return self._listing(ledger, whole=True)

    def start_over(self) -> None:
        """Have the next look list the whole folder: somebody else has been at work."""
        self._named, self._whole = None, False

    @property
    def gone(self) -> set[str]:
        """Applied files that a look at the whole folder did not find, and no look since."""
        return self._gone - self._seen.keys()

    def _see(self, found: Iterable[StoredObject]) -> None:
        for each in found:
            file = parse(each)
            if file is None or file.table != self._table:
                self._others[each.path] = None
            else:
                self._seen[each.path] = self._waiting[each.path] = file

    def _find(self, path: str) -> StoredObject | None:
        """A file by its name, as a listing shows it."""
        if not path.startswith(f"{self._folder}/"):
            return None
        behind = self._landing.list(path.rpartition("/")[0], after=path[:-1])
        return next((found for found in _until(behind, path) if found.path == path), None)

    def _listing(self, ledger: Ledger, *, whole: bool) -> Listing:
        new: dict[str, LandingFile] = {}
        rewritten: dict[str, LandingFile] = {}
        for path, file in self._waiting.items():
            known = ledger.files.get(path)
            if known is not None and _same(self._landing, file.object, known):
                continue
            if known is not None and file.kind is Kind.LOAD and not known.unreadable:
                rewritten[path] = file
            else:
                new[path] = file
        self._waiting = {**new, **rewritten}
        ordered = sorted(new.values(), key=lambda file: file.position)
        return Listing(ordered, self._seen, list(self._others), rewritten, whole)


def _until(found: Iterator[StoredObject], path: str) -> Iterator[StoredObject]:
    for each in found:
        if each.path > path:
            return
        yield each


def _begin(folder: str, ledger: Ledger) -> str | None:
    """The path behind which new files are to be expected; None where the table's names do not tell.

    Folders of days are understood where the year comes first, as in DMS's default; load files sort behind all of them.
    """
    if ledger.newest is None:
        return None
    stamp = re.sub(r"\D", "", ledger.newest.rpartition("/")[2])
    day = ledger.newest.removeprefix(f"{folder}/").rpartition("/")[0]
    written = re.sub(r"\D", "", day)
    if written and (written[:4] != stamp[:4] or written[4:6] not in _MONTHS or len(written) > len("yyyymmddhh")):
        return None
    try:
        moment = datetime.strptime(stamp[:14], "%Y%m%d%H%M%S") - _LOOK_BACK
    except (ValueError, OverflowError):  # a name like DMS's, but no time
        return None
    digits = moment.strftime("%Y%m%d%H%M%S")
    shown = iter(digits)
    begin = "".join(next(shown) if character.isdigit() else character for character in day)
    return f"{folder}/{begin}{'/' if begin else ''}{digits[:8]}-{digits[8:]}"


def take(files: Sequence[LandingFile], budget: Budget, most: int | None = None) -> list[LandingFile]:
    """The first files that fit into one commit, at least one and at most ``most``; load files are never parted."""
    taken: list[LandingFile] = []
    size = 0
    for file in files:
        size += file.object.size
        full = (
            len(taken) >= (most or budget.commit_files)
            or len(taken) >= budget.commit_files
            or size > budget.commit_bytes
        )
        if taken and full and file.kind is not Kind.LOAD:
            break
        taken.append(file)
    return taken


def watermark(files: Sequence[LandingFile]) -> int:
    """The newest change file's stamp as a number of 17 digits (``20240809192717787``), 0 where there is none."""
    stamps = [int(file.stamp[:_STAMP_DIGITS]) for file in files if file.kind is Kind.CHANGES]
    return max(stamps, default=0)


def _same(landing: ObjectStore, found: StoredObject, known: AppliedFile) -> bool:
    if found.size != known.size:
        return False
    if found.etag is None and found.modified_ns == known.modified_ns:
        return True  # a local file nobody has touched: its content need not be read again
    return landing.etag(found) == known.etag
