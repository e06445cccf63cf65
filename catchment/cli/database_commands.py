"""Commands that look into databases."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from catchment.cli.options import CDK_JSON, DiffFormat, PrefixOption, app
from catchment.cli.source_commands import CaOption, UnverifiedOption, UrlOption
from catchment.errors import SettingsError


@app.command("connect")
def connect_command(
    name: Annotated[str | None, typer.Argument(metavar="SOURCE", help="A source of the settings, or replica.")] = None,
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="A deployed environment: dev, prod …")] = "dev",
    url: UrlOption = None,
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="NAME", help="psql, mysql, sqlcmd, jdbc, odbc or python. Default: each."),
    ] = None,
    with_password: Annotated[
        bool, typer.Option("--with-password", help="With the password, which the secret has.")
    ] = False,
    ca: CaOption = None,
    prefix: PrefixOption = None,
) -> None:
    """Print how a tool is told where a database is: a command, a connection string, or Python.

    What has to be there besides is said on standard error. Without --with-password a tool asks for the password.
    """
    from catchment.cli.connect import connect, connect_by_url
    from catchment.settings import load_settings, stack_prefix

    if (name is None) == (url is None):
        raise SettingsError("command line", "SOURCE or --url", name, "name one of the two")
    if url is not None:
        connect_by_url(url, tool, with_password=with_password, certificate=ca)
        return
    settings = load_settings(CDK_JSON, env)
    connect(settings, prefix or stack_prefix(CDK_JSON, env), str(name), tool, with_password=with_password)


@app.command("validate")
def validate_command(
    name: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="A source of the settings; left out: the only one.")
    ] = None,
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="An environment: dev, prod …")] = "dev",
    url: UrlOption = None,
    lake: Annotated[
        str | None,
        typer.Option("--lake", metavar="PATH", help="Folder or s3:// URL of its tables, or the URL of a replica."),
    ] = None,
    replica: Annotated[bool, typer.Option("--replica", help="With the deployed replica, instead of the lake.")] = False,
    tables: Annotated[
        Path | None, typer.Option("--tables", metavar="FILE", help="The tables file of `apply`, with --url.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table; may be given again.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=0, help="How many rows to show of each table.")] = 5,
    form: Annotated[DiffFormat, typer.Option("--format", help="How the answer is printed.")] = DiffFormat.text,
    ca: CaOption = None,
    unverified: UnverifiedOption = False,
    prefix: PrefixOption = None,
) -> None:
    """Compare a source with its tables in the lake or in a replica: rows counted, the first shown, all values compared.

    Deployed: SOURCE and --env, from a machine that reaches the database. Anywhere: --url and --lake, with the tables
    of --tables or those that cdk.json lists for SOURCE. Changes that are under way count as differences.

    Exit code 1: a table differs.
    """
    from catchment.cli.apply import chosen
    from catchment.cli.validate import validate
    from catchment.cli.validate_sides import deployed, replica_of, source_at, tables_of, target_at
    from catchment.engines.trust import Trust
    from catchment.settings import stack_prefix

    if replica and (url is not None or lake is not None):
        raise SettingsError("command line", "--replica", True, "allowed without --url and --lake")
    if url is None:
        named = prefix or stack_prefix(CDK_JSON, env)
        source, target, listed = deployed(CDK_JSON, env, named, name)
        if replica:
            lake, listed = replica_of(CDK_JSON, env, named, listed)
    elif lake is None:
        raise SettingsError("command line", "--lake", None, "with --url it has to be given")
    else:
        source, listed = source_at(url, Trust(not unverified, ca)), tables_of(tables, CDK_JSON, env, name)
    kept = chosen(dict(listed), table or [], str(tables or CDK_JSON))
    with target_at(lake) if lake is not None else nullcontext(target) as compared:
        raise typer.Exit(validate(source, compared, kept, rows=rows, form=form.value))
