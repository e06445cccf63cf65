"""The protections, and how each is switched off. A mutant's ``old`` text must stand in its file exactly once."""

from __future__ import annotations

from tests.mutants.commits import COMMITS
from tests.mutants.meaning import MEANING
from tests.mutants.mutant import Mutant
from tests.mutants.tables import TABLES

MUTANTS: tuple[Mutant, ...] = (*MEANING, *COMMITS, *TABLES)
