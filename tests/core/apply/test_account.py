"""The account of a commit. Scope: catchment.apply.account."""

from __future__ import annotations

import pytest

from catchment.apply.account import Counts


def test_rows_that_are_not_accounted_for_are_an_error() -> None:
    with pytest.raises(ArithmeticError, match="3 rows read, but 2 accounted for"):
        Counts(read=3, applied=1, stale=1)
