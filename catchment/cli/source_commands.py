"""The commands that make a source ready for its task, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catchment.cli.options import Format, PrefixOption, app

if TYPE_CHECKING:
    from catchment.engines.trust import Trust

SourceArgument = Annotated[
    str | None, typer.Argument(metavar="[SOURCE]", help="A source of the settings. Left out: every table of --url.")
]
EnvOption = Annotated[str, typer.Option("--env", metavar="ENV", help="The environment, as in cdk.json.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The database itself, ENGINE://user[:password]@host[:port]/database; left out: as it is deployed.",
    ),
]
UserOption = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="DMS's user there. Default: the user of --url.")
]
CaOption = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="PEM file of who signed the database's certificate.")
]
UnverifiedOption = Annotated[bool, typer.Option("--unverified", help="Take anybody's certificate.")]


@app.command("prepare")
def prepare_command(
    source: SourceArgument = None,
    env: EnvOption = "dev",
    url: UrlOption = None,
    user: UserOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only show the plan.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was done.")] = False,
    record: Annotated[
        Path, typer.Option("--record", metavar="FILE", help="With --url: where is kept what takes it back.")
    ] = Path("catchment-prepared.json"),
    ca: CaOption = None,
    unverified: UnverifiedOption = False,
    prefix: PrefixOption = None,
) -> None:
    """Make a database a source of DMS: user, rights, log, capture. Shows its plan; --yes carries it out.

    A deployed source is prepared by the function beside it. With --url, the password of the user in it is asked for, or
    taken from CATCHMENT_PASSWORD, where the URL has none; that of --user from CATCHMENT_DMS_PASSWORD.
    """
    from catchment.cli.prepare import show_or_do, take_back
    from catchment.cli.source_database import Address, ask_password, deployed, wanted_at
    from catchment.prepare.record import FileRecord

    if url is None:
        known, wanted = deployed(env, prefix, source, user)
        if undo:
            raise typer.Exit(take_back(known.side, known.record, really=yes))
        raise typer.Exit(show_or_do(known.side, known.record, wanted, really=yes))
    address = Address.parse(url)
    password = ask_password("CATCHMENT_DMS_PASSWORD", f"Password of {user}") if user and yes and not undo else None
    kept = FileRecord(record, str(address))
    with address.side(_trust(ca, unverified), password) as side:
        if undo:
            raise typer.Exit(take_back(side, kept, really=yes))
        raise typer.Exit(show_or_do(side, kept, wanted_at(address, side, env, source, user), really=yes))


@app.command("preflight")
def preflight_command(
    source: SourceArgument = None,
    env: EnvOption = "dev",
    url: UrlOption = None,
    user: UserOption = None,
    form: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.table,
    ca: CaOption = None,
    unverified: UnverifiedOption = False,
    prefix: PrefixOption = None,
) -> None:
    """Look whether a source is fit for its task: each finding with what it means and what mends it.

    Exit code 1: something keeps a task from starting.
    """
    from catchment.cli.preflight import report
    from catchment.cli.source_database import Address, deployed, wanted_at
    from catchment.engines.findings import unreachable
    from catchment.errors import SourceUnreachable

    try:
        if url is None:
            known, wanted = deployed(env, prefix, source, user)
            findings = known.side.findings(wanted)
        else:
            address = Address.parse(url)
            with address.side(_trust(ca, unverified)) as side:
                findings = side.findings(wanted_at(address, side, env, source, user))
    except SourceUnreachable as error:
        findings = [unreachable(error)]
    raise typer.Exit(report(findings, form.value))


def _trust(ca: Path | None, unverified: bool) -> Trust:
    from catchment.engines.trust import Trust

    return Trust(not unverified, ca)
