"""Commands that look into databases."""

from __future__ import annotations

from typing import Annotated

import typer

from catchment.cli.options import CDK_JSON, PrefixOption, app


@app.command("connect")
def connect_command(
    name: Annotated[str, typer.Argument(metavar="SOURCE", help="A source of the settings.")],
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="A deployed environment: dev, prod …")] = "dev",
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="NAME", help="psql, mysql, sqlcmd, jdbc, odbc or python. Default: each."),
    ] = None,
    with_password: Annotated[
        bool, typer.Option("--with-password", help="With the password, which the secret has.")
    ] = False,
    prefix: PrefixOption = None,
) -> None:
    """Print how a tool is told where a database is: a command, a connection string, or Python.

    What has to be there besides is said on standard error. Without --with-password a tool asks for the password.
    """
    from catchment.cli.connect import connect
    from catchment.settings import load_settings, stack_prefix

    connect(
        load_settings(CDK_JSON, env), prefix or stack_prefix(CDK_JSON, env), name, tool, with_password=with_password
    )
