"""Running the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from catchment.cli import database_commands, environment_commands, lake_commands, source_commands
from catchment.cli.options import app
from catchment.errors import CatchmentError, SettingsError

COMMANDS = (lake_commands, environment_commands, database_commands, source_commands)
"""The modules that have the commands, which they add to the app; in the order in which its help lists them."""


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
