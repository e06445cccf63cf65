"""``python -m local``: the main job on this machine. ``make run`` calls it."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from psycopg import Error as PostgresError
from pymysql import MySQLError
from rich.console import Console
from rich.markup import escape

from catchment.errors import CatchmentError
from local.aws import DeploymentFailed
from local.errors import RunFailed
from local.folder import run_folder
from local.progress import Progress
from local.report import show
from local.run import DEFAULT_ENGINES, WRITTEN, Options, run
from local.source.database import WorkloadFailed
from local.source.workload import DEFAULT_RATE
from local.sources import DATABASES

DEFAULT_ROWS = 500_000
DEFAULT_SECONDS = 12.0
PLAIN_WIDTH = 190

DEFAULT = ",".join(DEFAULT_ENGINES)
ALLOWED = ", ".join((*DATABASES, *WRITTEN))

NEXT = """What to try next
  .venv/bin/catchment query "select segment, count(*) from sales.clients group by 1 order by 2 desc"
  .venv/bin/catchment history sales.clients        the table's commits, with watermark and counts
  ls .catchment/last-run/cdk.out/*.template.json   the templates that were deployed
  make run SECONDS=60 RATE=5000 CHAOS=1            longer, faster, and with an adversary in between"""


def main(
    rows: Annotated[int, typer.Option(min=1000, help="Rows of the source database, about")] = DEFAULT_ROWS,
    rate: Annotated[float, typer.Option(min=1, help="Row changes a second of the live workload")] = DEFAULT_RATE,
    seconds: Annotated[float, typer.Option(min=0, help="How long the live workload runs")] = DEFAULT_SECONDS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same data and the same workload")] = 7,
    chaos: Annotated[bool, typer.Option("--chaos", help="Duplicate, delay, split and re-deliver files")] = False,
    truncate: Annotated[bool, typer.Option(help="Truncate a table on the way, and heal it by a reload")] = True,
    spark: Annotated[bool, typer.Option("--spark", help="Let the Spark job apply one table, hard.swaps")] = False,
    source: Annotated[str, typer.Option(help=f"Engines of the sources, by commas: {ALLOWED}")] = DEFAULT,
    replica: Annotated[bool, typer.Option("--replica", help="Keep a replica in MySQL beside the lake")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the report here, for machines")] = None,
) -> None:
    """Run the whole pipeline on this machine and prove that the lake equals its source."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job begins with SIGINT ignored
        signal.signal(number, _interrupt)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    try:
        with run_folder() as folder:
            options = Options(rows, rate, seconds, seed, chaos, truncate, spark, tuple(source.split(",")), replica)
            report = run(options, folder, Progress(console))
    except KeyboardInterrupt:
        console.print("[yellow]Interrupted; everything that was started has been stopped.[/]")
        raise typer.Exit(130) from None
    except (RunFailed, DeploymentFailed, WorkloadFailed, CatchmentError, PostgresError, MySQLError) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(1) from None
    console.print()
    show(report, console)
    if json is not None:
        report.write_json(json)
    report.write_json(folder.kept / "report.json")
    console.print(f"\nDone in {report.seconds:.1f} s." + (f"\n\n{escape(NEXT)}" if options.deployed else ""))
    raise typer.Exit(0 if report.equal else 1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    typer.run(main)
