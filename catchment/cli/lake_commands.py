"""Commands on a lake of its own: files in, tables kept and looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catchment.cli.options import EngineName, Format, LakeOption, app


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
    engine: Annotated[str, typer.Argument(metavar="ENGINE", help="postgresql, mysql, mariadb, sqlserver or oracle.")],
    declared: Annotated[
        list[str] | None, typer.Argument(metavar="TYPE", help="As the column is declared; left out: all.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.table,
) -> None:
    """Show what becomes of a source's types: in DMS, in the lake, and what is lost on the way."""
    from catchment.cli.types import types

    types(engine, declared or [], format_.value)


@app.command("samples")
def samples_command(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Folder or s3:// URL.")],
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, max=100_000, help="About how many in all.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another seed, other rows.")] = 7,
) -> None:
    """Write sample files into PLACE: the tables of a sales database and of people, as CSV and as JSON lines."""
    from catchment.samples.files import sample_files
    from catchment.storage import open_store

    store = open_store(place)
    for name, content in sample_files(rows, seed):
        store.write_bytes(name, content)
        print(f"{name}  {len(content):,} bytes")
