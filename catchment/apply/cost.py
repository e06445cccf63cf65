"""What applying costs in time, memory and money, on either engine.

Two data files beside this module are all there is to change: ``cost.json``, what a megabyte takes (fitted to
measurements, see ``measured`` in it), and ``prices.json``, what AWS asks for it, with the date.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat

MB = 1024 * 1024
VCPU_MB = 1769
"""Memory at which a function has one processor's time (AWS Lambda Developer Guide, "Configure memory")."""
THREADS = 2
"""Of a function's engine: more processors than that are paid for and not used."""
WORKER_CORES = {"G.1X": 4, "G.2X": 8}
WORKER_DPUS = {"G.1X": 1.0, "G.2X": 2.0}


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Prices(_Data):
    """AWS list prices in US dollars, each for one of what its name says."""

    region: str
    date: str
    note: str
    function_gb_second: PositiveFloat
    function_request: PositiveFloat
    function_disk_gb_second: PositiveFloat
    function_disk_free_mb: PositiveFloat
    job_dpu_hour: PositiveFloat
    job_minimum_seconds: PositiveFloat
    s3_put: PositiveFloat
    """PUT, COPY, POST and LIST; DELETE is free."""
    s3_get: PositiveFloat
    queue_request: PositiveFloat
    event: PositiveFloat
    """An S3 event delivered by EventBridge."""
    lease_write: PositiveFloat
    """A write to DynamoDB on demand."""


class Rates(_Data):
    """Processor seconds of an engine per MB, besides what it takes to start.

    Landing files count by their decoded size (see ``Model.decoded``), the table's files by their stored size:
    ``touched`` is reading and rewriting them. ``transfer`` is elapsed time per stored MB moved from or to S3.
    """

    start_seconds: NonNegativeFloat
    """Elapsed: for a function each commit, for a job each run."""
    transfer_seconds_per_mb: NonNegativeFloat
    parquet_seconds_per_mb: PositiveFloat
    csv_seconds_per_mb: PositiveFloat
    touched_seconds_per_mb: PositiveFloat


class FunctionRates(Rates):
    """And what a function holds at a time.

    It keeps ``working_per_mb`` for each decoded MB of a batch: in its engine's memory as long as that lasts, the rest
    on its disk. ``memory_mb`` is what everything but the engine takes.
    """

    memory_mb: PositiveFloat
    working_per_mb: PositiveFloat
    disk_per_touched_mb: NonNegativeFloat
    """Copies of the table's files that lie on its disk at a time."""


class Model(_Data):
    """What a megabyte takes. ``measured`` says how, when and on what machine."""

    measured: str
    decoded: dict[str, PositiveFloat]
    """By a landing file's suffix, how many times its size its rows are in memory."""
    function: FunctionRates
    job: Rates


@cache
def prices() -> Prices:
    """Those of ``prices.json``."""
    return Prices.model_validate_json(files(__package__).joinpath("prices.json").read_bytes())


@cache
def model() -> Model:
    """That of ``cost.json``."""
    return Model.model_validate_json(files(__package__).joinpath("cost.json").read_bytes())


@dataclass(frozen=True)
class Function:
    """The apply function as deployed, with what one commit may take of landing files."""

    memory_mb: int
    engine_mb: int
    """The engine's part of the memory."""
    disk_mb: int
    commit_seconds: float
    """How long one commit may last, so that the call that makes it ends in time."""
    commit_mb: float
    commit_files: int

    streams = 1
    """Machines that move bytes."""

    @property
    def processors(self) -> float:
        """What its engine can use."""
        return min(self.memory_mb / VCPU_MB, THREADS)


@dataclass(frozen=True)
class Job:
    """The Glue job as deployed. One of its workers is the driver."""

    worker_type: str
    workers: int

    @property
    def streams(self) -> int:
        """Executors: machines that move bytes."""
        return max(self.workers - 1, 1)

    @property
    def processors(self) -> float:
        """Those of the executors."""
        return WORKER_CORES[self.worker_type] * self.streams

    @property
    def dpus(self) -> float:
        """What is paid for."""
        return WORKER_DPUS[self.worker_type] * self.workers


@dataclass(frozen=True)
class Requests:
    """Requests to AWS, counted."""

    s3_puts: float = 0
    """With lists."""
    s3_gets: float = 0
    queue: float = 0
    events: float = 0
    lease_writes: float = 0


def function_dollars(seconds: float, *, memory_mb: float, disk_mb: float = 512, calls: float = 1) -> float:
    """``calls`` of a function that together lasted ``seconds``."""
    paid = prices()
    disk = max(disk_mb - paid.function_disk_free_mb, 0) / 1024 * paid.function_disk_gb_second
    return seconds * (memory_mb / 1024 * paid.function_gb_second + disk) + calls * paid.function_request


def job_dollars(seconds: float, *, dpus: float) -> float:
    """One run of a Glue job."""
    return max(seconds, prices().job_minimum_seconds) * dpus * prices().job_dpu_hour / 3600


def request_dollars(requests: Requests) -> float:
    """What the requests cost."""
    paid = prices()
    return (
        requests.s3_puts * paid.s3_put
        + requests.s3_gets * paid.s3_get
        + requests.queue * paid.queue_request
        + requests.events * paid.event
        + requests.lease_writes * paid.lease_write
    )


def per_million(dollars: float, changes: int) -> float:
    """Dollars per million changes."""
    return dollars / changes * 1e6


def break_even_mb(
    function: Function, job: Job, *, touched_mb: float, suffix: str = "parquet", known: Model | None = None
) -> float:
    """From how many waiting MB of landing files on a Spark run is the cheaper one; infinite where it never is.

    ``touched_mb`` of the table are rewritten by each commit of the function, but once by Spark. That is what
    makes Spark cheaper some day: the function cuts what waits into commits of ``commit_mb``.
    """
    known = known or model()
    f_fixed, f_landing, f_touched = _dollars_per_mb(known, known.function, function, suffix)
    j_fixed, j_landing, j_touched = _dollars_per_mb(known, known.job, job, suffix)
    one_commit = _root(f_landing - j_landing, j_fixed - f_fixed + touched_mb * (j_touched - f_touched))
    if one_commit <= function.commit_mb:
        return one_commit
    again = (f_fixed + touched_mb * f_touched) / function.commit_mb
    return max(_root(f_landing - j_landing + again, j_fixed + touched_mb * j_touched), function.commit_mb)


def _dollars_per_mb(known: Model, rates: Rates, where: Function | Job, suffix: str) -> tuple[float, float, float]:
    """Of a start, of a landed MB and of a touched MB."""
    if isinstance(where, Function):
        second = function_dollars(1, memory_mb=where.memory_mb, disk_mb=where.disk_mb, calls=0)
    else:
        second = where.dpus * prices().job_dpu_hour / 3600
    landing, touched = seconds_per_mb(known, rates, where, suffix)
    return rates.start_seconds * second, landing * second, touched * second


def seconds_per_mb(known: Model, rates: Rates, where: Function | Job, suffix: str) -> tuple[float, float]:
    """Elapsed seconds for a MB of landing files of that kind, and for a MB of the table rewritten."""
    decoding = rates.parquet_seconds_per_mb if suffix == "parquet" else rates.csv_seconds_per_mb
    transfer = rates.transfer_seconds_per_mb / where.streams
    landing = known.decoded[suffix] * decoding / where.processors + transfer
    touched = rates.touched_seconds_per_mb / where.processors + 2 * transfer
    return landing, touched


def _root(slope: float, wanted: float) -> float:
    """Where ``slope * x`` reaches ``wanted``, for x of 0 and more."""
    if wanted <= 0:
        return 0.0
    return wanted / slope if slope > 0 else float("inf")
