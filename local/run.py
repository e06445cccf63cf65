"""The main job on one machine: deploy, load, change, catch up, prove.

Nothing here knows a bucket, a queue or a mapping: all of it is read from the deployed stacks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from local.aws import LocalAws, deploy
from local.errors import RunFailed
from local.folder import RunFolder
from local.memory import MemoryWatch
from local.pipeline import SOURCE, Pipeline
from local.processes import start_guarded
from local.progress import Progress, Step
from local.reload import Healer
from local.report import RunReport
from local.source.sales import seed
from local.source.workload import TRUNCATED
from local.verdict import compare, report_of
from stacks.assembly import synthesis


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

    @property
    def environment(self) -> str:
        """What is synthesized, of cdk.json."""
        return "laptop-spark" if self.spark else "laptop"


def run(options: Options, folder: RunFolder, progress: Progress) -> RunReport:
    """Do the main job; what is kept of it lies in ``folder.kept`` afterwards.

    Raises RunFailed, DeploymentFailed, WorkloadFailed; a difference between source and lake is no error but a verdict.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        memory = stack.enter_context(MemoryWatch())
        assembly, aws = _prepare(options, folder, progress, stack)
        with progress.step("Deploy Network, Lake, Sources") as step:
            outputs = _deploy(aws, assembly, ["Network", "Lake", "Sources"], step)
        dsn = _dsn(aws, outputs)
        with progress.step("Seed the source database") as step:
            made = seed(dsn, options.rows, options.seed)
            step.result = f"{sum(made.values()):,} rows in {len(made)} tables"
        with progress.step("Deploy Apply, Replication, Monitoring") as step:
            outputs |= _deploy(aws, assembly, ["Apply", "Replication", "Monitoring"], step)
        pipeline = Pipeline(aws, outputs, dsn)
        healer = Healer(aws, options.environment, TRUNCATED, folder.work) if options.truncate else None
        with progress.step("Full load into the lake") as step:
            pipeline.load(step)
            loaded, load_seconds = pipeline.watch.rows, step.seconds
        with progress.step(f"Live workload at {options.rate:,.0f} changes a second") as step:
            done = pipeline.work(step, rate=options.rate, seconds=options.seconds, seed=options.seed, healer=healer)
        with progress.step("Catch up with the source") as step:
            pipeline.catch_up(step)
        with progress.step("Compare source and lake, value by value") as step:
            verdicts = compare(dsn, pipeline.lake, pipeline.contracts, folder.work)
            step.result = f"{sum(verdict.rows_source for verdict in verdicts):,} rows"
        spark = pipeline.spark_runs() if options.spark else None
        with progress.step("Stop everything") as step:
            aws.stop()
    folder.keep(
        lake=aws.folder / "s3" / outputs["SilverBucket"],
        landing=aws.folder / "s3" / outputs["LandingBucket"],
        quarantine=aws.folder / "s3" / outputs["QuarantineBucket"],
        templates=assembly,
        source=SOURCE,
    )
    return report_of(
        verdicts,
        pipeline.watch,
        done,
        loaded_rows=loaded,
        load_seconds=load_seconds,
        steps=progress.seconds,
        seconds=time.monotonic() - began,
        peak_memory_mb=memory.peak_mb,
        reload=healer.result if healer is not None else None,
        spark=spark,
    )


def _prepare(options: Options, folder: RunFolder, progress: Progress, stack: ExitStack) -> tuple[Path, LocalAws]:
    settings = {"CATCHMENT_CHAOS": str(options.seed)} if options.chaos else {}
    with (
        progress.step(f"Synthesize the app (env={options.environment}), start the local AWS") as step,
        ThreadPoolExecutor(1) as pool,
    ):
        starting = pool.submit(LocalAws.start, folder.work / "aws", settings=settings)
        try:
            assembly = _synthesize(options.environment, folder.work)
        finally:
            aws = stack.enter_context(starting.result())
        step.result = aws.endpoint
    return assembly, aws


def _synthesize(environment: str, work: Path) -> Path:
    assembly = work / "cdk.out"
    command = synthesis(environment, assembly)
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


def _dsn(aws: LocalAws, outputs: dict[str, str]) -> str:
    secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs[f"{SOURCE}SecretArn"])
    login = json.loads(secret["SecretString"])
    return make_conninfo(
        host=login["host"], port=login["port"], user=login["username"], password=login["password"], dbname=SOURCE
    )
