"""The command line's Typer app, and options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
