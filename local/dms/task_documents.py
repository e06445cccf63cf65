"""A task's documents: what a request may say, what its process is told, what it leaves in the source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.dms.access import AwsAccess
from local.dms.faults import invalid_value
from local.dms.mappings import MappingRefused, parse_mappings
from local.dms.settings import SettingRefused, source_settings, task_settings
from local.dms.sources import KINDS

UNSUPPORTED = ("CdcStartTime", "CdcStartPosition", "CdcStopPosition", "TaskData")
"""Parameters of tasks that are refused."""


@dataclass(frozen=True)
class TaskEnds:
    """What a task lies between: the source endpoint's record, the target's S3Settings with defaults, its instance.

    A serverless replication has no instance.
    """

    source: Mapping[str, Any]
    s3: Mapping[str, Any]
    instance: Mapping[str, Any] | None


def plan_document(record: Mapping[str, Any], ends: TaskEnds, folder: Path, target_url: str) -> dict[str, Any]:
    """What local.dms.plan.TaskPlan reads, but for the switches."""
    if ends.instance is None:
        account = str(record["ReplicationTaskArn"]).split(":")[4]
        dimensions = {"ReplicationConfigId": f"{account}:{last_part(record)}"}
    else:
        dimensions = {
            "ReplicationInstanceIdentifier": ends.instance["ReplicationInstanceIdentifier"],
            "ReplicationTaskIdentifier": last_part(record),
        }
    return {
        "kind": record["MigrationType"],
        "slot": source_settings(ends.source).get("SlotName") or slot_name(record),
        "folder": str(folder),
        "target_url": target_url,
        "source": {name: value for name, value in ends.source.items() if not name.startswith("_")},
        "mappings": record["_mappings"],
        "settings": record["ReplicationTaskSettings"],
        "s3": dict(ends.s3),
        "dimensions": dimensions if target_url.startswith("s3:") else {},
    }


def clean_source(access: AwsAccess, source: Mapping[str, Any], slot: str) -> None:
    """Remove what a deleted task left in its source. Raises what drivers and AWS calls raise."""
    named = source_settings(source).get("SlotName")
    KINDS[source["EngineName"]].clean(access.source_address(source), slot, named)


def check_task(params: Mapping[str, Any]) -> None:
    """Refuse what a task may not say: migration type, mappings, settings. Raises DmsFault."""
    refuse_unsupported(params)
    if params["MigrationType"] not in ("full-load", "cdc", "full-load-and-cdc"):
        raise invalid_value(f"MigrationType {params['MigrationType']!r}")
    try:
        parse_mappings(params["TableMappings"])
        task_settings(params.get("ReplicationTaskSettings"))
    except (SettingRefused, MappingRefused) as error:
        raise invalid_value(str(error)) from error


def refuse_unsupported(params: Mapping[str, Any]) -> None:
    """Refuse parameters of the API that are not emulated. Raises DmsFault."""
    for name in UNSUPPORTED:
        if params.get(name):
            raise invalid_value(f"{name} is not emulated")


def mappings_in_effect(record: Mapping[str, Any], *, resume: bool) -> str:
    """A resumed task takes newly selected tables and keeps the transformations it was started with."""
    if not resume or "_mappings" not in record:
        return str(record["TableMappings"])
    selected = [r for r in json.loads(record["TableMappings"])["rules"] if r["rule-type"] != "transformation"]
    kept = [r for r in json.loads(record["_mappings"])["rules"] if r["rule-type"] == "transformation"]
    return json.dumps({"rules": [*selected, *kept]})


def last_part(record: Mapping[str, Any]) -> str:
    """The last part of a task's ARN, by which metrics and folders know it."""
    return str(record["ReplicationTaskArn"]).rsplit(":", 1)[1]


def slot_name(record: Mapping[str, Any]) -> str:
    """The replication slot a task makes for itself, within PostgreSQL's 63 characters with what is appended to it."""
    return f"awsdms_{last_part(record).lower().replace('-', '_')}"[:55]
