"""Applying: which landing files are new, what they mean together, and one atomic commit after the other."""

from catchment.apply.account import Account
from catchment.apply.applier import apply_table
from catchment.apply.budget import Budget

__all__ = ["Account", "Budget", "apply_table"]
