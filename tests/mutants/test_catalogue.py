"""The catalogue of mutants does not rot: every protection it switches off is where it says, and so are its tests."""

from __future__ import annotations

import pytest

from tests.mutants.__main__ import ROOT, mutated
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.protection)
def test_a_mutant_can_be_made(mutant: Mutant) -> None:
    made = mutated(mutant, (ROOT / mutant.file).read_text())
    compile(made, mutant.file, "exec")
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert (ROOT / path).exists()
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / path).read_text()


def test_the_table_in_the_docs_names_every_mutant() -> None:
    page = (ROOT / "docs/mutants.md").read_text()
    assert [mutant.protection for mutant in MUTANTS if f"| {mutant.protection} |" not in page] == []
    assert "**none**" not in page
