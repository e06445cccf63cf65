"""What the apply function is told by its environment, read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt


class Environment(BaseModel):
    """The function's environment variables, by their names in small letters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    landing_url: str
    """``s3://bucket``; below it lies a folder for each source. So with the next two."""
    silver_url: str
    quarantine_url: str
    contracts_url: str
    """``s3://bucket/key`` of the tables files of every source, as one JSON object by source."""
    control_table: str
    queue_url: str
    dead_letters_url: str
    metric_namespace: str
    tasks_prefix: str
    """``<prefix>/<source>/task-arn`` is the SSM parameter with the ARN of a source's replication task."""
    commit_mb: PositiveInt
    commit_files: PositiveInt
    disk_mb: PositiveInt
    file_days: PositiveInt
    log_days: PositiveInt
    timeout_seconds: PositiveInt
    spark_job: str
    """The Glue job that takes what is too much for the function; the rest says how it is deployed."""
    spark_worker_type: Literal["G.1X", "G.2X"]
    spark_workers: PositiveInt
    spark_after_minutes: PositiveInt

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """From ``os.environ``. Raises pydantic.ValidationError naming the variables that are missing or wrong."""
        return cls.model_validate({name.lower(): value for name, value in variables.items()})
