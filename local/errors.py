"""What can keep a run from its report."""

from __future__ import annotations


class RunFailed(RuntimeError):
    """The run could not get to its report; ``where`` names the step, ``why`` what was seen."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"
