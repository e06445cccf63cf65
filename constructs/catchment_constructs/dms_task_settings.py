"""The ReplicationTaskSettings of a DMS task: every key that DMS keeps, in its order, with nothing left to a default.

DMS fills in what a document leaves out, and shows the whole in its own order ever after. Said in full, what is deployed
and what DMS shows differ only where somebody changed it. Sources: AWS DMS User Guide, "Specifying task settings"; the
keys and their order are those that DescribeReplicationTasks shows for engine version 3.5.4.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

MOST_LIMITED_KB = 102_400

_LOG_COMPONENTS = (
    "TRANSFORMATION",
    "SOURCE_UNLOAD",
    "IO",
    "TARGET_LOAD",
    "PERFORMANCE",
    "SOURCE_CAPTURE",
    "SORTER",
    "REST_SERVER",
    "VALIDATOR_EXT",
    "TARGET_APPLY",
    "TASK_MANAGER",
    "TABLES_MANAGER",
    "METADATA_MANAGER",
    "FILE_FACTORY",
    "COMMON",
    "ADDONS",
    "DATA_STRUCTURE",
    "COMMUNICATION",
    "FILE_TRANSFER",
)


@dataclass(frozen=True)
class LobPolicy:
    """What becomes of large values (AWS DMS User Guide, "Setting LOB support for source databases").

    ``limited``: longer values than ``size_kb`` are **cut**; a load sets aside memory for the longest at every row.
    ``full``: none is cut, each is looked up in the source by itself, ``size_kb`` at a time; slow.
    ``inline``: up to ``size_kb`` as in ``limited``, longer ones as in ``full``.

    An S3 target takes ``limited`` only (AWS DMS User Guide, "Using Amazon S3 as a target", limitations).
    """

    mode: Literal["limited", "inline", "full"]
    size_kb: int

    def __post_init__(self) -> None:
        if not 1 <= self.size_kb <= MOST_LIMITED_KB:
            raise ValueError(f"size_kb {self.size_kb}: 1 to {MOST_LIMITED_KB}")

    def of_task(self) -> dict[str, Any]:
        """The members of TargetMetadata that say it for every table."""
        limited = self.mode == "limited"
        return {
            "SupportLobs": True,
            "FullLobMode": not limited,
            "LimitedSizeLobMode": limited,
            "LobMaxSize": self.size_kb if limited else 0,
            "InlineLobMaxSize": self.size_kb if self.mode == "inline" else 0,
            "LobChunkSize": self.size_kb if self.mode == "full" else 64,
        }

    def of_table(self) -> dict[str, str]:
        """The ``lob-settings`` of a table-settings rule."""
        if self.mode == "limited":
            return {"mode": "limited", "bulk-max-size": str(self.size_kb)}
        return {"mode": "unlimited", "bulk-max-size": str(self.size_kb if self.mode == "inline" else 0)}


def task_settings(*, lobs: LobPolicy, parallel_tables: int) -> str:
    """The document, as JSON.

    Whatever DMS would drop or cut silently suspends the table instead; a TRUNCATE or DROP never deletes landed files.
    Log group and stream are left out: DMS sets them, and refuses them on update.
    """
    settings = {
        "Logging": {
            "EnableLogging": True,
            "EnableLogContext": False,
            "LogComponents": [{"Severity": "LOGGER_SEVERITY_DEFAULT", "Id": name} for name in _LOG_COMPONENTS],
        },
        "StreamBufferSettings": {"StreamBufferCount": 3, "CtrlStreamBufferSizeInMB": 5, "StreamBufferSizeInMB": 8},
        "ErrorBehavior": _ERROR_BEHAVIOR,
        "TTSettings": None,
        "FullLoadSettings": {
            "CommitRate": 50_000,
            "StopTaskCachedChangesApplied": False,
            "StopTaskCachedChangesNotApplied": False,
            "MaxFullLoadSubTasks": parallel_tables,
            "TransactionConsistencyTimeout": 600,
            "CreatePkAfterFullLoad": False,
            "TargetTablePrepMode": "DO_NOTHING",
        },
        "TargetMetadata": _target_metadata(lobs),
        "BeforeImageSettings": None,
        "ControlTablesSettings": {
            "historyTimeslotInMinutes": 5,
            "HistoryTimeslotInMinutes": 5,
            "StatusTableEnabled": False,
            "SuspendedTablesTableEnabled": False,
            "HistoryTableEnabled": False,
            "ControlSchema": "",
            "FullLoadExceptionTableEnabled": False,
        },
        "LoopbackPreventionSettings": None,
        "CharacterSetSettings": None,
        "FailTaskWhenCleanTaskResourceFailed": False,
        "ChangeProcessingTuning": {
            "StatementCacheSize": 50,
            "CommitTimeout": 1,
            "RecoveryTimeout": -1,
            "BatchApplyPreserveTransaction": True,
            "BatchApplyTimeoutMin": 1,
            "BatchSplitSize": 0,
            "BatchApplyTimeoutMax": 30,
            "MinTransactionSize": 1000,
            "MemoryKeepTime": 60,
            "BatchApplyMemoryLimit": 500,
            "MemoryLimitTotal": 1024,
        },
        "ChangeProcessingDdlHandlingPolicy": {
            "HandleSourceTableDropped": False,
            "HandleSourceTableTruncated": False,
            "HandleSourceTableAltered": True,
        },
        "PostProcessingRules": None,
    }
    return json.dumps(settings, separators=(",", ":"))


def _target_metadata(lobs: LobPolicy) -> dict[str, Any]:
    large = lobs.of_task()
    return {
        "ParallelApplyBufferSize": 0,
        "ParallelApplyQueuesPerThread": 0,
        "ParallelApplyThreads": 0,
        "TargetSchema": "",
        "InlineLobMaxSize": large["InlineLobMaxSize"],
        "ParallelLoadQueuesPerThread": 0,
        "SupportLobs": large["SupportLobs"],
        "LobChunkSize": large["LobChunkSize"],
        "TaskRecoveryTableEnabled": False,
        "ParallelLoadThreads": 0,
        "LobMaxSize": large["LobMaxSize"],
        "BatchApplyEnabled": False,
        "FullLobMode": large["FullLobMode"],
        "LimitedSizeLobMode": large["LimitedSizeLobMode"],
        "LoadMaxFileSize": 0,
        "ParallelLoadBufferSize": 0,
    }


_ERROR_BEHAVIOR = {
    "FailOnNoTablesCaptured": True,
    "ApplyErrorUpdatePolicy": "LOG_ERROR",
    "FailOnTransactionConsistencyBreached": False,
    "RecoverableErrorThrottlingMax": 1800,
    "DataErrorEscalationPolicy": "SUSPEND_TABLE",
    "ApplyErrorEscalationCount": 0,
    "RecoverableErrorStopRetryAfterThrottlingMax": True,
    "RecoverableErrorThrottling": True,
    "ApplyErrorFailOnTruncationDdl": True,
    "DataMaskingErrorPolicy": "STOP_TASK",
    "DataTruncationErrorPolicy": "SUSPEND_TABLE",
    "ApplyErrorInsertPolicy": "LOG_ERROR",
    "EventErrorPolicy": "IGNORE",
    "ApplyErrorEscalationPolicy": "LOG_ERROR",
    "RecoverableErrorCount": -1,
    "DataErrorEscalationCount": 0,
    "TableErrorEscalationPolicy": "STOP_TASK",
    "RecoverableErrorInterval": 5,
    "ApplyErrorDeletePolicy": "IGNORE_RECORD",
    "TableErrorEscalationCount": 0,
    "FullLoadIgnoreConflicts": True,
    "DataErrorPolicy": "SUSPEND_TABLE",
    "TableErrorPolicy": "SUSPEND_TABLE",
}
