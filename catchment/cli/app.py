"""The commands and their options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from catchment.errors import CatchmentError, SettingsError

CDK_JSON = Path("cdk.json")
"""The app's settings, where a command is given in the app's folder."""

app = typer.Typer(
    name="catchment",
    help="Many databases, one lake: bring Delta tables up to date with the files AWS DMS wrote, and look at them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class EngineName(StrEnum):
    """What applies the files."""

    duckdb = "duckdb"
    spark = "spark"


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    csv = "csv"
    json = "json"


class DiffFormat(StrEnum):
    """How effects are printed."""

    text = "text"
    markdown = "markdown"
    json = "json"


LakeOption = Annotated[
    str | None,
    typer.Option("--lake", metavar="PATH", help="Folder or s3:// URL of the lake. Default: the lake of the last run."),
]

PrefixOption = Annotated[
    str | None,
    typer.Option(
        "--stack-prefix", metavar="NAME", help="What stacks are named after. Default: as cdk.json says, or catchment."
    ),
]


@app.command("apply")
def apply_command(
    landing: Annotated[str, typer.Argument(metavar="LANDING", help="Folder or s3:// URL with the files DMS wrote.")],
    lake: Annotated[
        str,
        typer.Argument(
            metavar="LAKE", help="Folder or s3:// URL of the Delta tables, or postgresql:// URL of a replica."
        ),
    ],
    tables: Annotated[
        Path,
        typer.Option("--tables", metavar="FILE", help="YAML or JSON: what DMS was told to write, and keys."),
    ],
    json_to: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="The account as JSON; without FILE on standard output."),
    ] = None,
    quarantine: Annotated[
        str | None,
        typer.Option("--quarantine", metavar="URL", help="Where bad rows go. Default: LAKE/_quarantine."),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table; may be given again.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="spark: for what is too large for one process; make setup-spark.")
    ] = EngineName.duckdb,
) -> None:
    """Bring the tables of LAKE up to date with the landing files in LANDING.

    Running it again changes nothing; new files are picked up, in whatever order they come.
    Every row read is counted: applied, superseded (a later change came along), stale (the table has it already)
    or quarantined.

    Exit code 1: a table failed, the others are done all the same. 2: the tables file or an option is wrong.
    """
    from catchment.cli.apply import apply

    on_spark = engine is EngineName.spark
    code = apply(landing, lake, tables, quarantine=quarantine, only=table or [], json_to=json_to, on_spark=on_spark)
    raise typer.Exit(code)


@app.command("maintain")
def maintain_command(
    lake: Annotated[str, typer.Argument(metavar="LAKE", help="Folder or s3:// URL of the Delta tables.")],
    tables: Annotated[
        Path, typer.Option("--tables", metavar="FILE", help="YAML or JSON: the tables and their keys, as for apply.")
    ],
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table; may be given again.")
    ] = None,
    file_days: Annotated[
        int, typer.Option("--file-days", metavar="DAYS", help="How long files that no version needs any more are kept.")
    ] = 7,
    log_days: Annotated[
        int, typer.Option("--log-days", metavar="DAYS", help="How long commits and checkpoints are kept.")
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, and why.")] = False,
    json_to: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="The report as JSON; without FILE on standard output.")
    ] = None,
) -> None:
    """Do what keeps the tables of LAKE cheap to read, where a table's own figures say that it pays.

    Small files are merged and put in key order, masked rows purged, checkpoints written, and what no version of the
    last days needs is removed. Rows stay as they are.

    Exit code 1: a table failed, the others are done all the same. 2: the tables file or an option is wrong.
    """
    from catchment.cli.maintain import maintain

    code = maintain(
        lake, tables, only=table or [], file_days=file_days, log_days=log_days, dry_run=dry_run, json_to=json_to
    )
    raise typer.Exit(code)


@app.command("query")
def query_command(
    sql: Annotated[str | None, typer.Argument(help="For example: select count(*) from sales.clients")] = None,
    lake: LakeOption = None,
    format_: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.table,
) -> None:
    """Ask the lake in SQL (DuckDB over the live Delta files); without SQL: what tables there are."""
    from catchment.cli.query import query

    query(sql, lake, format_.value)


@app.command("history")
def history_command(
    table: Annotated[str | None, typer.Argument(help="schema.table; left out: the last commit of every table.")] = None,
    lake: LakeOption = None,
    format_: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.table,
) -> None:
    """Show a table's commits: watermark, files, and what became of the rows of each."""
    from catchment.cli.history import history

    history(table, lake, format_.value)


@app.command("types")
def types_command(
    engine: Annotated[str, typer.Argument(metavar="ENGINE", help="postgresql, mysql, sqlserver or oracle.")],
    declared: Annotated[
        list[str] | None, typer.Argument(metavar="TYPE", help="As the column is declared; left out: all.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.table,
) -> None:
    """Show what becomes of a source's types: in DMS, in the lake, and what is lost on the way."""
    from catchment.cli.types import types

    types(engine, declared or [], format_.value)


@app.command("settings")
def settings_command(
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="The environment, as in the file.")] = "dev",
    file: Annotated[Path, typer.Option("--file", metavar="FILE", help="The app's cdk.json.")] = CDK_JSON,
    form: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.table,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the file instead, for editors.")
    ] = False,
) -> None:
    """Show the effective settings of an environment, and which part of cdk.json each comes from."""
    from catchment.cli import settings as settings_cli

    if schema:
        settings_cli.schema()
    else:
        settings_cli.settings(file, env, form.value)


@app.command("diff")
def diff_command(
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="The environment, as in cdk.json.")] = "dev",
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="REV", help="Compare with this revision. Default: where HEAD left main."),
    ] = None,
    assemblies: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--assemblies", metavar="BEFORE AFTER", help="Two folders that cdk synth wrote, instead."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="A reconciliation report (JSON): how many rows tables have."),
    ] = None,
    form: Annotated[DiffFormat, typer.Option("--format", help="How the answer is printed.")] = DiffFormat.text,
    fail_on: Annotated[
        str | None,
        typer.Option("--fail-on", metavar="LEVEL", help="End with 1 where something is as bad: data-loss, reload …"),
    ] = None,
    sources: Annotated[bool, typer.Option("--sources", help="Say where AWS says so.")] = False,
) -> None:
    """Say what deploying a change will do, worst first: from the templates of two revisions, without credentials.

    Levels, worst first: data-loss, reload, interruption, security, cost, none.

    Exit code 1: something is as bad as --fail-on. 2: an option is wrong, or a revision does not synthesize.
    """
    from catchment.cli.diff import diff

    raise typer.Exit(
        diff(env, base=base, assemblies=assemblies, report=report, form=form, fail_on=fail_on, sources=sources)
    )


@app.command("reload")
def reload_command(
    tables: Annotated[list[str], typer.Argument(metavar="TABLE...", help="schema.table, one or more.")],
    env: Annotated[str | None, typer.Option("--env", metavar="ENV", help="A deployed environment: dev, prod …")] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="The source, where the environment has several.")
    ] = None,
    lake: Annotated[
        str | None, typer.Option("--lake", metavar="PATH", help="Instead of --env: a lake that `apply` keeps.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept with the request.")] = "",
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="The load began then and is complete: swap in what is there."),
    ] = None,
    clock_skew: Annotated[
        float, typer.Option("--clock-skew", metavar="SECONDS", min=0, help="How far the source's clock may be off.")
    ] = 1.0,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait for the swap.")
    ] = 3600.0,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the new load is in.")] = True,
    json_to: Annotated[str | None, typer.Option("--json", metavar="FILE", help="What was swapped in, as JSON.")] = None,
    prefix: PrefixOption = None,
) -> None:
    """Load tables again, and put the new load in the old one's place: as a difference, in one commit.

    The cure for a TRUNCATE at the source, a suspended table, a backfilled default, a lost log position, another key.
    The tables can be read all the time, as they were; changes go on.
    """
    from catchment.cli.reload import Options, reload_deployed, request_in_folder
    from catchment.settings import stack_prefix

    if (env is None) == (lake is None):
        raise SettingsError("command line", "--env or --lake", env or lake, "name one of the two")
    options = Options(reason, since, clock_skew, timeout, wait, json_to)
    if env is not None:
        reload_deployed(env, prefix or stack_prefix(CDK_JSON, env), source, tables, options)
    else:
        request_in_folder(str(lake), tables, options)


@app.command("teardown")
def teardown_command(
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="A deployed environment: dev, prod …")],
    prefix: PrefixOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")] = False,
    poll_seconds: Annotated[
        int, typer.Option("--poll-seconds", metavar="SECONDS", min=1, help="How often AWS is asked how far it is.")
    ] = 15,
) -> None:
    """Take an environment out of the account: tasks stopped, slots dropped, stacks removed, what stays listed.

    Without --yes nothing is done. Only buckets whose two keys allow it are emptied. A step that failed can be repeated.
    """
    from catchment.cli.teardown import teardown
    from catchment.settings import stack_prefix

    teardown(env, prefix or stack_prefix(CDK_JSON, env), really=yes, poll_seconds=poll_seconds)


def _with_json_target(arguments: Sequence[str]) -> list[str]:
    """``--json`` may stand alone: what follows is its file only if it is ``-`` or ends in ``.json``."""
    given = list(arguments)
    if "--json" in given:
        place = given.index("--json") + 1
        if place == len(given) or not (given[place] == "-" or given[place].endswith(".json")):
            given.insert(place, "-")
    return given


def run(arguments: Sequence[str]) -> int:
    """Run one command; every error of the tree is one line on standard error."""
    try:
        app(_with_json_target(arguments), prog_name="catchment")
    except SystemExit as done:  # how Typer ends a command, and how it says that the usage was wrong
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader (head, less) has seen enough
        sys.stderr.close()
        return 0
    except SettingsError as error:
        print(f"catchment: {error}", file=sys.stderr)
        return 2
    except CatchmentError as error:
        print(f"catchment: {error}", file=sys.stderr)
        return 1
    return 0
