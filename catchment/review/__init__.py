"""What deploying a change will do, told from the templates alone: offline, without credentials, worst first."""

from catchment.review.assembly import Assembly, Resource, Stack, read_assembly
from catchment.review.effects import Effect, Level
from catchment.review.findings import review

__all__ = ["Assembly", "Effect", "Level", "Resource", "Stack", "read_assembly", "review"]
