"""The ledger: which landing files a table contains, and how far its order has come.

It is no store of its own. Every commit carries the files it adds (``CommitRecord`` in the commit's metadata); the
ledger is their sum, and may be saved as a digest so that the log's beginning can be cleaned up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from catchment.landing.names import Kind, parse
from catchment.storage import StoredObject

FORMAT = 1


class Place(NamedTuple):
    """A place in a table's history: token first, then the file's position; both ends of a file have one."""

    token: str
    position: tuple[int, str, str]

    def is_before(self, end: Place) -> bool:
        """Whether a file that starts here has to be seen together with one that ends there.

        Equal tokens in two files are one change delivered twice; load rows have none, so there the file counts.
        """
        return self.token <= end.token if self.token else self <= end


@dataclass(frozen=True)
class AppliedFile:
    """One landing file that a table contains.

    ``first`` and ``last`` are the lowest and highest tokens of its good rows (None: it has none), ``first_commit``
    and ``last_commit`` source commit times (ISO, UTC). ``unreadable``: it was quarantined whole.
    """

    path: str
    etag: str
    size: int
    modified_ns: int
    rows: int
    first: str | None = None
    last: str | None = None
    first_commit: str | None = None
    last_commit: str | None = None
    unreadable: bool = False

    def starts(self) -> Place | None:
        """Where its first change stands in the history."""
        return None if self.first is None else Place(self.first, _position(self.path))

    def ends(self) -> Place | None:
        """Where its last change stands in the history."""
        return None if self.last is None else Place(self.last, _position(self.path))


@dataclass(frozen=True)
class Generation:
    """Which load a table is built on.

    ``floor`` is a token (35 digits, empty for the first load): its load files' rows stand there in the history, and
    changes below it are older than the load by definition. ``key`` is what the table was built with, None where its
    commits do not say.
    """

    number: int = 0
    floor: str = ""
    key: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"number": self.number, "floor": self.floor, "key": None if self.key is None else list(self.key)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Generation:
        """The generation ``to_json`` wrote; the first one for records that know of none."""
        if data is None:
            return cls()
        return cls(data["number"], data["floor"], None if data["key"] is None else tuple(data["key"]))


@dataclass
class Ledger:
    """The files a table contains, as far as they still lie in the landing zone.

    ``end`` is where the history it contains ends, ``expired`` where that of the files that have left the landing zone
    ends. ``newest`` is the path of the change file with the highest name.
    """

    files: dict[str, AppliedFile] = field(default_factory=dict)
    watermark: int = 0
    expired: Place | None = None
    end: Place | None = None
    newest: str | None = None
    generation: Generation = Generation()

    def add(self, files: Iterable[AppliedFile], watermark: int, generation: Generation | None = None) -> None:
        """What one commit adds."""
        for file in files:
            self.files[file.path] = file
            if (place := file.ends()) is not None and (self.end is None or place > self.end):
                self.end = place
            if _is_change(file.path) and (self.newest is None or _position(file.path) > _position(self.newest)):
                self.newest = file.path
        self.watermark = max(self.watermark, watermark)
        self.generation = generation or self.generation

    def reaching(self, token: str) -> list[AppliedFile]:
        """The files with a row at ``token`` or behind it. With the floor: those the generation consists of."""
        return [file for file in self.files.values() if file.last is not None and file.last >= token]

    def forget(self, paths: Iterable[str]) -> None:
        """Leave out files that are no longer in the landing zone, but not how far they reached."""
        for path in paths:
            file = self.files.pop(path, None)
            place = file.ends() if file else None
            if place and (self.expired is None or place > self.expired):
                self.expired = place

    def to_json(self) -> dict[str, Any]:
        """Plain values, the same for the same ledger."""
        return {**self.summary(), "files": [asdict(self.files[path]) for path in sorted(self.files)]}

    def summary(self) -> dict[str, Any]:
        """The same without the files."""
        places = {"expired": self.expired, "end": self.end, "newest": self.newest}
        said = {"format": FORMAT, "watermark": self.watermark, "generation": self.generation.to_json()}
        return {**said, **places}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ledger:
        """The ledger ``to_json`` wrote."""
        expired = _place(data["expired"])
        made = cls(watermark=data["watermark"], expired=expired, end=_place(data.get("end")) or expired)
        made.newest = data.get("newest")
        made.generation = Generation.from_json(data.get("generation"))
        files = [AppliedFile(**entry) for entry in data["files"]]
        if "end" in data:
            made.files = {file.path: file for file in files}
        else:  # a digest from before these were kept
            made.add(files, 0)
        return made


def _place(said: Any) -> Place | None:
    return Place(said[0], (said[1][0], said[1][1], said[1][2])) if said else None


def _is_change(path: str) -> bool:
    return _position(path)[0] == int(Kind.CHANGES)


def _position(path: str) -> tuple[int, str, str]:
    file = parse(StoredObject(path, 0, 0))
    if file is None:
        raise ValueError(f"{path} is no landing file")
    return (int(file.position.kind), file.position.name, file.position.path)
