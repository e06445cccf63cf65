"""``python -m local.dms.scripted HISTORY FOLDER``: plays a written history into a folder, to be applied from there.

HISTORY is a file, or the name of one of those that come along (sqlserver, oracle, worked_example).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catchment.errors import CatchmentError
from local.dms.scripted.database import ScriptError
from local.dms.scripted.script import HISTORIES, load_script
from local.dms.scripted.task import ScriptedTask


def main(
    history: Annotated[str, typer.Argument(help="A YAML file, or one of " + ", ".join(sorted(HISTORIES)))],
    folder: Annotated[Path, typer.Argument(help="Where landing files and tables.json are written")],
) -> None:
    """Play a history."""
    try:
        script = load_script(HISTORIES.get(history, Path(history)))
        task = ScriptedTask(script, folder / "landing")
        for step in task.run():
            for file in step.files:
                typer.echo(f"{step.at:%Y-%m-%d %H:%M:%S}  {file}")
    except (CatchmentError, ScriptError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    (folder / "tables.json").write_text(task.contract + "\n", encoding="utf-8")
    for name, table in task.tables.items():
        typer.echo(f"{name}: the source holds {len(table.rows)} rows")
    typer.echo(f"\ncatchment apply {folder}/landing {folder}/lake --tables {folder}/tables.json")


typer.run(main)
