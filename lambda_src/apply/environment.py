"""What the apply function is told by its environment, read once."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from lambda_src.feeding import Feeding


class Environment(Feeding):
    """The function's environment variables, by their names in small letters."""

    disk_mb: PositiveInt
    file_days: PositiveInt
    log_days: PositiveInt
    timeout_seconds: PositiveInt
    spark_job: str
    """The Glue job that takes what is too much for the function; the rest says how it is deployed."""
    spark_worker_type: Literal["G.1X", "G.2X"]
    spark_workers: PositiveInt
    spark_after_minutes: PositiveInt
