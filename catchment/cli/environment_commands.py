"""Commands on an environment: its settings, what deploying it will do, and what is done to it deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catchment.cli.options import CDK_JSON, DiffFormat, Format, PrefixOption, app
from catchment.errors import SettingsError


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
