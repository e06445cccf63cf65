"""Which engine applies what is waiting for a table: decided from sizes alone, before anything is read.

Spark gets what the function cannot hold or end in time, what would take the function too long in all, and what it
does for less money. It never gets less work than that: of two piles of files the larger one is never the function's
where the smaller one is Spark's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from catchment.apply.cost import (
    MB,
    Function,
    Job,
    Model,
    break_even_mb,
    function_dollars,
    job_dollars,
    model,
    seconds_per_mb,
)
from catchment.landing.contract import EngineName

OVERHEAD = {"parquet": 4096}
"""Bytes of a landing file that are no rows: a file of Parquet with a dozen columns and one row has as many."""

Engine = Literal["lambda", "spark"]


@dataclass(frozen=True)
class Waiting:
    """A landing file that is not applied yet: its ``suffix`` (parquet, csv, csv.gz) and size in bytes.

    The files of a ``load`` are applied in one commit, however many.
    """

    suffix: str
    size: int
    load: bool = False


@dataclass(frozen=True)
class Stored:
    """The table as it stands: bytes, data files and rows; all 0 where there is none. ``rewritten`` is False where
    changed rows do not make whole files be written anew (deletion vectors)."""

    size: int = 0
    files: int = 0
    rows: int = 0
    rewritten: bool = True


@dataclass(frozen=True)
class Estimate:
    """What an engine would need for all that is waiting. Memory and disk are the largest at one time."""

    seconds: float
    commits: float
    dollars: float
    memory_mb: float = 0
    disk_mb: float = 0


@dataclass(frozen=True)
class Decision:
    """The engine, why, how many of the waiting files the function takes into its next commit, and both estimates."""

    engine: Engine
    reason: str
    take: int
    function: Estimate
    job: Estimate

    def to_json(self) -> dict[str, Any]:
        """For a log line: numbers rounded to what they are worth."""
        estimates = {name: {k: float(f"{v:.3g}") for k, v in asdict(getattr(self, name)).items()} for name in _BOTH}
        return {"engine": self.engine, "reason": self.reason, **estimates}


_BOTH = ("function", "job")


@dataclass(frozen=True)
class Router:
    """Decides for one table. ``longest_minutes`` is what the function may need in all before Spark takes over.

    Example: ``Router(function, job, longest_minutes=60).decide(waiting, stored).engine``
    """

    function: Function
    job: Job | None
    """None: there is no Spark job, and the function does everything."""
    longest_minutes: float
    setting: EngineName = "auto"
    known: Model | None = None

    def decide(self, waiting: Sequence[Waiting], stored: Stored) -> Decision:
        """The engine for ``waiting``, the files in the order they are applied in; there is at least one."""
        take = self._prefix(waiting, stored)
        function, job = self._by_function(waiting, stored), self._by_job(waiting, stored)
        engine, reason = self._choose(waiting, stored, function)
        return Decision(engine, reason, take, function, job)

    def needs(self, batch: Sequence[Waiting], stored: Stored) -> Estimate:
        """What one commit of the function needs for a batch. An upper bound: changes are taken to lie scattered."""
        rates, touched = self._model.function, touched_mb(batch, stored)
        working, engine = rates.working_per_mb * self._decoded(batch), self.function.engine_mb
        memory = rates.memory_mb + min(working, engine)
        disk = _landed(batch) + rates.disk_per_touched_mb * touched + max(working - engine, 0)
        seconds = rates.start_seconds + self._seconds(batch, touched, self.function)
        return Estimate(seconds, 1, self._function_dollars(seconds, 1), memory, disk)

    @property
    def _model(self) -> Model:
        return self.known or model()

    def _choose(self, waiting: Sequence[Waiting], stored: Stored, function: Estimate) -> tuple[Engine, str]:
        if self.setting != "auto":
            return self.setting, f"the table's setting is {self.setting}"
        if self.job is None:
            return "lambda", "there is no Spark job"
        for batch in self._least(waiting):
            if lack := self._lack(batch, stored):
                return "spark", lack
        if function.seconds > 60 * self.longest_minutes:
            return "spark", f"the function would need {function.seconds / 60:.0f} minutes, more than the setting allows"
        pile, from_mb = self._pile(waiting), self._break_even(waiting, stored)
        if pile > from_mb:
            return "spark", f"it is cheaper from {from_mb:.0f} MB on; {pile:.0f} MB are waiting"
        return "lambda", "it fits, and costs less"

    def _lack(self, batch: Sequence[Waiting], stored: Stored) -> str:
        """What a batch would need more of than the function has, in words; empty where it fits."""
        need, limits = self.needs(batch, stored), self.function
        if need.memory_mb > limits.memory_mb:
            return f"a commit needs {need.memory_mb:.0f} MB of memory, the function has {limits.memory_mb}"
        if need.disk_mb > limits.disk_mb:
            return f"a commit needs {need.disk_mb:.0f} MB of disk, the function has {limits.disk_mb}"
        if need.seconds > limits.commit_seconds:
            return f"a commit needs {need.seconds:.0f} s, the function has {limits.commit_seconds:.0f}"
        return ""

    def _prefix(self, waiting: Sequence[Waiting], stored: Stored) -> int:
        """How many files fit into one commit, from the first on; at least one."""
        low = max(1, sum(each.load for each in waiting))
        high = max(low, min(len(waiting), self.function.commit_files))
        while low < high:  # what fits with a file more fits without it
            middle = (low + high + 1) // 2
            if self._lack(waiting[:middle], stored):
                high = middle - 1
            else:
                low = middle
        return low

    def _least(self, waiting: Sequence[Waiting]) -> list[list[Waiting]]:
        """What cannot be cut any further: the load, and each file of changes."""
        load = [each for each in waiting if each.load]
        return [*([load] if load else []), *([each] for each in waiting if not each.load)]

    def _by_function(self, waiting: Sequence[Waiting], stored: Stored) -> Estimate:
        commits = max(1.0, self._pile(waiting) / self.function.commit_mb)
        touched = touched_mb(waiting, stored)
        seconds = self._seconds(waiting, commits * touched, self.function)
        seconds += commits * self._model.function.start_seconds
        most = [self.needs(batch, stored) for batch in self._least(waiting)]
        return Estimate(
            seconds,
            commits,
            self._function_dollars(seconds, commits),
            max(need.memory_mb for need in most),
            max(need.disk_mb for need in most),
        )

    def _by_job(self, waiting: Sequence[Waiting], stored: Stored) -> Estimate:
        if self.job is None:
            return Estimate(float("inf"), 1, float("inf"))
        seconds = self._model.job.start_seconds + self._seconds(waiting, touched_mb(waiting, stored), self.job)
        return Estimate(seconds, 1, job_dollars(seconds, dpus=self.job.dpus))

    def _function_dollars(self, seconds: float, calls: float) -> float:
        limits = self.function
        return function_dollars(seconds, memory_mb=limits.memory_mb, disk_mb=limits.disk_mb, calls=calls)

    def _seconds(self, batch: Sequence[Waiting], touched: float, where: Function | Job) -> float:
        rates = self._model.function if isinstance(where, Function) else self._model.job
        per_landed = {each.suffix: seconds_per_mb(self._model, rates, where, each.suffix) for each in batch}
        landed = sum(each.size / MB * per_landed[each.suffix][0] for each in batch)
        return landed + touched * seconds_per_mb(self._model, rates, where, "parquet")[1]

    def _decoded(self, batch: Sequence[Waiting]) -> float:
        return sum(each.size / MB * self._model.decoded[each.suffix] for each in batch)

    def _pile(self, waiting: Sequence[Waiting]) -> float:
        """What is waiting, as MB of which ``commit_mb`` make a commit: many small files, or rows that take much
        room, fill a commit as well."""
        limits, rates = self.function, self._model.function
        room = (limits.engine_mb + limits.disk_mb) / rates.working_per_mb
        filled = max(
            _landed(waiting) / limits.commit_mb,
            len(waiting) / limits.commit_files,
            self._decoded(waiting) / room,
        )
        return filled * limits.commit_mb

    def _break_even(self, waiting: Sequence[Waiting], stored: Stored) -> float:
        assert self.job is not None
        function, job, touched = self.function, self.job, touched_mb(waiting, stored)
        # of the kinds of files there are, the one that Spark is soonest cheaper for
        return min(
            break_even_mb(function, job, touched_mb=touched, suffix=suffix, known=self._model)
            for suffix in {each.suffix for each in waiting}
        )


def touched_mb(batch: Sequence[Waiting], stored: Stored) -> float:
    """How much of the table changes would rewrite at most: a whole file for each row, up to the whole table."""
    if not stored.files or not stored.rewritten:
        return 0.0
    filled = sum(max(each.size - OVERHEAD.get(each.suffix, 0), 0) for each in batch)
    rows = filled * stored.rows / max(stored.size, 1) + len(batch)
    return min(rows, stored.files) / stored.files * stored.size / MB


def _landed(batch: Sequence[Waiting]) -> float:
    return sum(each.size for each in batch) / MB
