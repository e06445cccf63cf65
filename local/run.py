"""The main job on one machine: deploy, load, change, catch up, prove.

Nothing here knows a bucket, a queue or a mapping: all of it is read from the deployed stacks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from catchment.errors import SettingsError
from catchment.reconcile.verdict import TableVerdict
from catchment.settings import load_settings
from local.aws import LocalAws, deploy
from local.errors import RunFailed
from local.folder import RunFolder
from local.histories import History
from local.memory import MemoryWatch
from local.pipeline import Pipeline
from local.processes import start_guarded
from local.progress import Progress, Step
from local.reload import Healer
from local.replica import RunReplica
from local.replicated import ReplicatedSource
from local.report import RunReport, TableReport
from local.sources import Source, deployed_sources
from local.verdict import Outcome, compare, report_of
from stacks.assembly import ROOT, synthesis

DEFAULT_ENGINES = ("postgresql",)
WRITTEN = ("sqlserver", "oracle")
"""Engines whose history is written: no server of theirs runs here."""
HISTORIES = "histories"
"""The folder of what is made of them."""


@dataclass(frozen=True)
class Options:
    """What may be asked of a run. ``rate`` is row changes a second, ``seconds`` the length of the live workload.

    ``truncate``: one table is truncated on the way, and healed by a reload.
    """

    rows: int
    rate: float
    seconds: float
    seed: int
    chaos: bool
    truncate: bool = True
    spark: bool = False
    """Whether one table is applied by the Spark job: the environment laptop-spark instead of laptop."""
    engines: tuple[str, ...] = DEFAULT_ENGINES
    """Of which the sources are."""
    replica: bool = False
    """Whether a replica in another database is kept beside the lake: the environment laptop-replica."""

    @property
    def deployed(self) -> tuple[str, ...]:
        """The engines of the sources that are deployed."""
        return tuple(engine for engine in self.engines if engine not in WRITTEN)

    @property
    def written(self) -> tuple[str, ...]:
        """The engines whose written histories are played."""
        return tuple(engine for engine in self.engines if engine in WRITTEN)

    @property
    def environment(self) -> str:
        """What is synthesized, of cdk.json."""
        if self.replica:
            return "laptop-replica"
        if self.deployed != DEFAULT_ENGINES:
            return "laptop-sources"
        return "laptop-spark" if self.spark else "laptop"

    @property
    def flags(self) -> dict[str, bool | str]:
        """What the environment's settings are overridden with. Raises SettingsError for an engine without a source."""
        if (self.spark or self.replica) and self.deployed != DEFAULT_ENGINES:
            allowed = "allowed with --spark and --replica: postgresql"
            raise SettingsError("command line", "--source", ",".join(self.engines), allowed)
        if self.spark and self.replica:
            raise SettingsError("command line", "--spark", True, "allowed without --replica")
        sources = load_settings(ROOT / "cdk.json", self.environment).sources
        engines = {source.engine for source in sources.values()}
        strange = [engine for engine in self.deployed if engine not in engines]
        if strange:
            allowed = f"allowed: {', '.join(sorted({*engines, *WRITTEN}))}, or several of them separated by commas"
            raise SettingsError("command line", "--source", ",".join(strange), allowed)
        return {"sources": ",".join(name for name, source in sources.items() if source.engine in self.deployed)}


@dataclass(frozen=True)
class Deployed:
    """What the part of a run came to that was deployed."""

    outcomes: Sequence[Outcome] = ()
    loaded_rows: int = 0
    load_seconds: float = 0.0
    spark: dict[str, int] | None = None


def run(options: Options, folder: RunFolder, progress: Progress) -> RunReport:
    """Do the main job; what is kept of it lies in ``folder.kept`` afterwards.

    Raises RunFailed, DeploymentFailed, WorkloadFailed; a difference between source and lake is no error but a verdict.
    """
    began = time.monotonic()
    with MemoryWatch() as memory:
        deployed = _run_deployed(options, folder, progress) if options.deployed else Deployed()
        played = [_play(engine, folder, progress) for engine in options.written]
    if not options.deployed:
        histories = folder.work / HISTORIES / options.written[0]
        folder.keep(
            lake=histories / "lake",
            landing=histories / "landing",
            quarantine=histories / "quarantine",
            templates=folder.work / "cdk.out",
            source="",
        )
    if options.written:
        os.rename(folder.work / HISTORIES, folder.kept / HISTORIES)
    return report_of(
        deployed.outcomes,
        [table for tables in played for table in tables],
        loaded_rows=deployed.loaded_rows,
        load_seconds=deployed.load_seconds,
        steps=progress.seconds,
        seconds=time.monotonic() - began,
        peak_memory_mb=memory.peak_mb,
        spark=deployed.spark,
    )


def _play(engine: str, folder: RunFolder, progress: Progress) -> list[TableReport]:
    with progress.step(f"Play the written history of {engine}, apply and compare") as step:
        history = History(engine, folder.work / HISTORIES / engine)
        history.play()
        tables = history.tables()
        step.result = (
            f"{history.files} files, {sum(table.rows_source for table in tables)} rows in {len(tables)} tables"
        )
    return tables


def _run_deployed(options: Options, folder: RunFolder, progress: Progress) -> Deployed:
    with ExitStack() as stack:
        assembly, aws = _prepare(options, folder, progress, stack)
        with progress.step("Deploy Network, Lake, Sources") as step:
            outputs = _deploy(aws, assembly, ["Network", "Lake", "Sources"], step)
        sources = deployed_sources(aws, options.environment, options.flags, outputs)
        with progress.step(_many("Seed the source database", sources)) as step:
            made = [source.database.seed(options.rows // len(sources), options.seed) for source in sources]
            step.result = f"{sum(sum(each.values()) for each in made):,} rows in {sum(map(len, made))} tables"
        rest = ["Apply", *(["Replica"] if options.replica else []), "Replication", "Monitoring"]
        with progress.step(f"Deploy {', '.join(rest)}") as step:
            outputs |= _deploy(aws, assembly, rest, step)
        replicated = [_replicated(options, aws, outputs, source, folder.work) for source in sources]
        replica = _replica(options, aws, outputs, replicated, folder.work)
        pipeline = Pipeline(aws, outputs, replicated, replica)
        with progress.step("Full load into the lake") as step:
            pipeline.load(step)
            loaded, load_seconds = pipeline.rows, step.seconds
        with progress.step(f"Live workload at {options.rate:,.0f} changes a second") as step:
            done = pipeline.work(step, rate=options.rate, seconds=options.seconds, seed=options.seed)
        with progress.step(_many("Catch up with the source", sources)) as step:
            pipeline.catch_up(step)
        with progress.step(_many("Compare source", sources) + " and lake, value by value") as step:
            verdicts = [compare(each, folder.work) for each in replicated]
            step.result = f"{sum(verdict.rows_source for each in verdicts for verdict in each):,} rows"
        in_replica = _compare_replica(replica, progress)
        spark = pipeline.spark_runs() if options.spark else None
        with progress.step("Stop everything") as step:
            aws.stop()
    folder.keep(
        lake=aws.folder / "s3" / outputs["SilverBucket"],
        landing=aws.folder / "s3" / outputs["LandingBucket"],
        quarantine=aws.folder / "s3" / outputs["QuarantineBucket"],
        templates=assembly,
        source=sources[0].name,
    )
    outcomes = [
        Outcome(source, work, found, in_replica if replica is not None and source is replica.source else ())
        for source, work, found in zip(replicated, done, verdicts, strict=True)
    ]
    return Deployed(outcomes, loaded, load_seconds, spark)


def _many(title: str, sources: Sequence[Source]) -> str:
    return title if len(sources) == 1 else f"{title}s"


def _replicated(
    options: Options, aws: LocalAws, outputs: Mapping[str, str], source: Source, folder: Path
) -> ReplicatedSource:
    truncated = source.database.work.truncated if options.truncate else None
    task = outputs[f"{source.name}TaskArn"]
    healer = Healer(aws, options.environment, source.name, task, truncated, folder) if truncated else None
    return ReplicatedSource(aws, outputs, source, healer)


def _replica(
    options: Options, aws: LocalAws, outputs: Mapping[str, str], sources: Sequence[ReplicatedSource], folder: Path
) -> RunReplica | None:
    said = load_settings(ROOT / "cdk.json", options.environment, options.flags).replica
    if said is None:
        return None
    source = next(each for each in sources if each.source.name == said.source)
    return RunReplica(aws, outputs, said, source, folder)


def _compare_replica(replica: RunReplica | None, progress: Progress) -> list[TableVerdict]:
    if replica is None:
        return []
    with progress.step(f"Compare source and replica ({replica.engine}), value by value") as step:
        found = replica.compare()
        step.result = f"{sum(verdict.rows_lake for verdict in found):,} rows"
    return found


def _prepare(options: Options, folder: RunFolder, progress: Progress, stack: ExitStack) -> tuple[Path, LocalAws]:
    settings = {"CATCHMENT_CHAOS": str(options.seed)} if options.chaos else {}
    flags = options.flags
    with (
        progress.step(f"Synthesize the app (env={options.environment}), start the local AWS") as step,
        ThreadPoolExecutor(1) as pool,
    ):
        starting = pool.submit(LocalAws.start, folder.work / "aws", settings=settings)
        try:
            assembly = _synthesize(options.environment, flags, folder.work)
        finally:
            aws = stack.enter_context(starting.result())
        step.result = aws.endpoint
    return assembly, aws


def _synthesize(environment: str, flags: Mapping[str, bool | str], work: Path) -> Path:
    assembly = work / "cdk.out"
    command = synthesis(environment, assembly, flags=flags)
    with start_guarded(command.arguments, log=work / "synth.log", env=command.environment, cwd=command.folder) as app:
        if app.wait() != 0:
            raise RunFailed("synthesis", app.log.read_text(errors="replace").strip()[-3000:])
    return assembly


def _deploy(aws: LocalAws, assembly: Path, stacks: Sequence[str], step: Step) -> dict[str, str]:
    def on_event(stack: str, status: str, seconds: float) -> None:
        step.say(f"{stack} {status.lower().replace('_', ' ')}")

    deployed = deploy(aws, assembly, stacks, on_event)
    step.result = f"{len(stacks)} stacks"
    return {key: value for outputs in deployed.values() for key, value in outputs.items()}
