"""When maintenance pays, and how old a thing must be before it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

_MB = 1024 * 1024


@dataclass(frozen=True)
class Horizons:
    """How long what no version needs any more is kept, in days.

    ``file_days``: data files and deletion vectors, since they were removed from the table (or written, where no commit
    ever named them). ``log_days``: commits and checkpoints, since they were written.
    """

    file_days: int = 7
    log_days: int = 30

    def __post_init__(self) -> None:
        if not 1 <= self.file_days <= self.log_days:
            raise ValueError("file_days has to be at least 1, and log_days at least file_days")

    @property
    def files(self) -> timedelta:
        """The age at which an unneeded file goes."""
        return timedelta(days=self.file_days)

    @property
    def log(self) -> timedelta:
        """The age at which an unneeded part of the log goes."""
        return timedelta(days=self.log_days)


@dataclass(frozen=True)
class Policy:
    """From when on a table's own statistics say that writing files again pays.

    ``target_bytes`` is the size of files written, ``unit_bytes`` how much is written again in one commit at most.
    Files below ``target_bytes`` / 4 are small. They are merged where ``small_files`` of them are neighbours; they are
    merged into the large files they overlap where they hold ``layer_share`` of those files' rows. A file is purged of
    a deletion vector that masks ``masked_share`` of it. A checkpoint is written after ``commits``.
    """

    target_bytes: int = 24 * _MB
    unit_bytes: int = 256 * _MB
    small_files: int = 4
    layer_share: float = 0.1
    masked_share: float = 0.05
    commits: int = 10

    @property
    def small(self) -> int:
        """Bytes below which a file is small."""
        return self.target_bytes // 4
