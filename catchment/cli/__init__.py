"""The command line: ``catchment apply``, ``catchment reload``, ``catchment query``, ``catchment history``.

Holds no logic of its own: each command calls one function of the core and shows its answer.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code: 0, 1 (something failed) or 2 (a wrong setting or usage)."""
    from catchment.cli.app import run  # imported here so that `import catchment.cli` costs nothing

    sys.exit(run(sys.argv[1:]))
