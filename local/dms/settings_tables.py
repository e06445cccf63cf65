"""The tables behind settings.py: name → (default, allowed values or None for any, why a value is refused or idle)."""

from __future__ import annotations

from typing import Any

Line = tuple[Any, ...]

_IDLE = "Without effect here: "
_POLICIES = ("LOG_ERROR", "IGNORE_RECORD", "SUSPEND_TABLE", "STOP_TASK")

TASK_SECTIONS_OFF: dict[str, tuple[Any, ...]] = {
    "PostProcessingRules": (None,),
    "CharacterSetSettings": (None,),
    "LoopbackPreventionSettings": (None,),
    "BeforeImageSettings": (None,),
    "FailTaskWhenCleanTaskResourceFailed": (False, None),
    "TTSettings": (None, {"EnableTT": False}),
}
"""Sections that may be there only with these values."""

TASK: dict[str, dict[str, Line]] = {
    "TargetMetadata": {
        "TargetSchema": ("", ("", None), "S3 folders are named after the source"),
        "SupportLobs": (True, (True,), "without LOBs the columns would be missing"),
        "FullLobMode": (False, (False,), "S3 knows limited LOB mode only"),
        "LobChunkSize": (64, None, _IDLE + "full LOB mode only"),
        "LimitedSizeLobMode": (True, (True,), "S3 knows limited LOB mode only"),
        "LobMaxSize": (32,),
        "InlineLobMaxSize": (0, (0,), "inline LOB mode is not for S3"),
        "LoadMaxFileSize": (0, None, _IDLE + "not for S3"),
        "ParallelLoadThreads": (0, (0,), "not for S3"),
        "ParallelLoadBufferSize": (0, (0,), "not for S3"),
        "ParallelLoadQueuesPerThread": (0, None, _IDLE + "needs ParallelLoadThreads"),
        "ParallelApplyThreads": (0, (0,), "not for S3"),
        "ParallelApplyBufferSize": (0, (0,), "not for S3"),
        "ParallelApplyQueuesPerThread": (0, None, _IDLE + "needs ParallelApplyThreads"),
        "BatchApplyEnabled": (False, (False,), "batch apply loses data on S3"),
        "TaskRecoveryTableEnabled": (False, (False,), "not for S3"),
    },
    "FullLoadSettings": {
        "TargetTablePrepMode": ("DO_NOTHING", ("DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD")),
        "CreatePkAfterFullLoad": (False, None, _IDLE + "S3 has no keys"),
        "StopTaskCachedChangesApplied": (False, (False,)),
        "StopTaskCachedChangesNotApplied": (False, (False,)),
        "MaxFullLoadSubTasks": (8, None, _IDLE + "tables are loaded one after the other"),
        "TransactionConsistencyTimeout": (600, None, _IDLE + "the slot's snapshot is consistent"),
        "CommitRate": (10000, None, _IDLE + "rows are moved by size"),
    },
    "Logging": {
        "EnableLogging": (False, None, "The log is a file beside the task's state"),
        "EnableLogContext": (False, None, _IDLE + "one level of log"),
        "LogComponents": ([], None, _IDLE + "one level of log"),
    },
    "ControlTablesSettings": {
        "ControlSchema": ("", None, _IDLE + "no control tables"),
        "HistoryTimeslotInMinutes": (5, None, _IDLE + "no control tables"),
        "historyTimeslotInMinutes": (5, None, _IDLE + "no control tables"),
        "HistoryTableEnabled": (False, (False,)),
        "SuspendedTablesTableEnabled": (False, (False,)),
        "StatusTableEnabled": (False, (False,)),
        "FullLoadExceptionTableEnabled": (False, (False,)),
        "CommitPositionTableEnabled": (False, (False,)),
    },
    "StreamBufferSettings": {
        name: (default, None, _IDLE + "buffers are the emulator's own")
        for name, default in {"StreamBufferCount": 3, "StreamBufferSizeInMB": 8, "CtrlStreamBufferSizeInMB": 5}.items()
    },
    "ChangeProcessingDdlHandlingPolicy": {
        "HandleSourceTableDropped": (True, None, "PostgreSQL says nothing of a dropped table: its files stay"),
        "HandleSourceTableTruncated": (True, (True, False)),
        "HandleSourceTableAltered": (True, (True,), "an altered table's new columns are always written"),
    },
    "ErrorBehavior": {
        "DataErrorPolicy": ("LOG_ERROR", _POLICIES),
        "DataMaskingErrorPolicy": ("STOP_TASK", None, _IDLE + "no masking"),
        "EventErrorPolicy": ("IGNORE", None, _IDLE + "no custom events"),
        "DataTruncationErrorPolicy": ("LOG_ERROR", _POLICIES),
        "DataErrorEscalationPolicy": ("SUSPEND_TABLE", None, _IDLE + "needs DataErrorEscalationCount"),
        "DataErrorEscalationCount": (0, (0,)),
        "TableErrorPolicy": ("SUSPEND_TABLE", ("SUSPEND_TABLE", "STOP_TASK")),
        "TableErrorEscalationPolicy": ("STOP_TASK", None, _IDLE + "needs TableErrorEscalationCount"),
        "TableErrorEscalationCount": (0, (0,)),
        "RecoverableErrorCount": (-1, None, _IDLE + "a task that lost its source stops as failed; resume it"),
        "RecoverableErrorInterval": (5, None, _IDLE + "as RecoverableErrorCount"),
        "RecoverableErrorThrottling": (True, None, _IDLE + "as RecoverableErrorCount"),
        "RecoverableErrorThrottlingMax": (1800, None, _IDLE + "as RecoverableErrorCount"),
        "RecoverableErrorStopRetryAfterThrottlingMax": (False, None, _IDLE + "as RecoverableErrorCount"),
        "ApplyErrorDeletePolicy": ("IGNORE_RECORD", None, _IDLE + "files take any row"),
        "ApplyErrorInsertPolicy": ("LOG_ERROR", None, _IDLE + "files take any row"),
        "ApplyErrorUpdatePolicy": ("LOG_ERROR", None, _IDLE + "files take any row"),
        "ApplyErrorEscalationPolicy": ("LOG_ERROR", None, _IDLE + "files take any row"),
        "ApplyErrorEscalationCount": (0, None, _IDLE + "files take any row"),
        "ApplyErrorFailOnTruncationDdl": (False, (True, False)),
        "FullLoadIgnoreConflicts": (True, None, _IDLE + "files take any row"),
        "FailOnTransactionConsistencyBreached": (False, None, _IDLE + "Oracle only"),
        "FailOnNoTablesCaptured": (True, (True, False)),
    },
    "ChangeProcessingTuning": {
        name: (default, None, _IDLE + why)
        for name, default, why in (
            ("BatchApplyPreserveTransaction", True, "batch apply only"),
            ("BatchApplyTimeoutMin", 1, "batch apply only"),
            ("BatchApplyTimeoutMax", 30, "batch apply only"),
            ("BatchApplyMemoryLimit", 500, "batch apply only"),
            ("BatchSplitSize", 0, "batch apply only"),
            ("MinTransactionSize", 1000, "changes are batched by CdcMaxBatchInterval and CdcMinFileSize"),
            ("CommitTimeout", 1, "changes are batched by CdcMaxBatchInterval and CdcMinFileSize"),
            ("MemoryLimitTotal", 1024, "the server sends whole transactions"),
            ("MemoryKeepTime", 60, "the server sends whole transactions"),
            ("StatementCacheSize", 50, "no statements on S3"),
            ("RecoveryTimeout", -1, "resume goes on from the slot"),
        )
    },
    "ValidationSettings": {
        "EnableValidation": (False, (False,), "DMS's own validation needs Athena"),
        **{
            name: (None, None, _IDLE + "needs EnableValidation")
            for name in (
                "ThreadCount",
                "ValidationMode",
                "ValidationOnly",
                "FailureMaxCount",
                "TableFailureMaxCount",
                "HandleCollationDiff",
                "RecordFailureDelayLimitInMinutes",
                "RecordFailureDelayInMinutes",
                "RecordSuspendDelayInMinutes",
                "MaxKeyColumnSize",
                "PartitionSize",
                "SkipLobColumns",
                "ValidationPartialLobSize",
                "ValidationQueryCdcDelaySeconds",
                "ValidationS3Mask",
                "ValidationS3Time",
            )
        },
    },
}
"""ReplicationTaskSettings by section."""

S3: dict[str, Line] = {
    "ServiceAccessRoleArn": (None,),
    "BucketName": (None,),
    "BucketFolder": ("",),
    "DataFormat": ("csv", ("csv", "parquet")),
    "CompressionType": ("none", ("none", "gzip")),
    "CsvDelimiter": (",",),
    "CsvRowDelimiter": ("\\n", ("\\n", "\n")),
    "CsvNullValue": ("",),
    "AddColumnName": (False,),
    "Rfc4180": (True, (True,)),
    "MaxFileSize": (1048576,),
    "EncryptionMode": ("sse-s3", ("sse-s3", "sse-kms")),
    "ServerSideEncryptionKmsKeyId": (None,),
    "ExpectedBucketOwner": (None,),
    "EncodingType": ("rle-dictionary", ("plain", "plain-dictionary", "rle-dictionary")),
    "DictPageSizeLimit": (1048576,),
    "RowGroupLength": (10000,),
    "DataPageSize": (1048576,),
    "ParquetVersion": ("parquet-1-0", ("parquet-1-0", "parquet-2-0")),
    "EnableStatistics": (True,),
    "ParquetTimestampInMillisecond": (False,),
    "IncludeOpForFullLoad": (False,),
    "CdcInsertsOnly": (False, (False,), "it drops updates and deletes"),
    "CdcInsertsAndUpdates": (False, (False,), "it drops deletes"),
    "TimestampColumnName": (None,),
    "UseTaskStartTimeForFullLoadTimestamp": (False,),
    "DatePartitionEnabled": (False,),
    "DatePartitionSequence": ("YYYYMMDD", ("YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY")),
    "DatePartitionDelimiter": ("SLASH", ("SLASH", "UNDERSCORE", "DASH", "NONE")),
    "DatePartitionTimezone": (None, (None, "UTC"), "it shifts the time in file names"),
    "CdcMaxBatchInterval": (60,),
    "CdcMinFileSize": (32000,),
    "PreserveTransactions": (False, (False,), "one folder for all tables"),
    "CdcPath": (None, (None, ""), "belongs to PreserveTransactions"),
    "CannedAclForObjects": ("none", ("none",), "buckets here have no ACLs"),
    "ExternalTableDefinition": (None, (None,), "S3 sources only"),
    "IgnoreHeaderRows": (0, (0,), "S3 sources only"),
    "UseCsvNoSupValue": (False, (False,), "supplemental logging of Oracle"),
    "CsvNoSupValue": (None, (None,), "supplemental logging of Oracle"),
    "AddTrailingPaddingCharacter": (False, (False,)),
    "GlueCatalogGeneration": (False, (False,)),
}
"""S3Settings of a target endpoint."""

POSTGRES: dict[str, Line] = {
    "PluginName": ("no-preference", ("test-decoding", "pglogical", "no-preference")),
    "SlotName": (None,),
    "CaptureDdls": (True, (True,), "without it a changed table would be read wrongly"),
    "DdlArtifactsSchema": ("public",),
    "FailTasksOnLobTruncation": (False,),
    "TrimSpaceInChar": (True, (True,)),
    "MapBooleanAsBoolean": (False, (False,), "it needs the same setting at the target; S3 has none"),
    "MapJsonbAsClob": (False, None, _IDLE + "CLOB and NCLOB are the same text in files"),
    "MapLongVarcharAs": ("wstring", ("wstring",)),
    "HeartbeatEnable": (False, None, _IDLE + "the slot moves with the server's keep-alive messages"),
    "HeartbeatSchema": ("public", None, _IDLE + "as HeartbeatEnable"),
    "HeartbeatFrequency": (5, None, _IDLE + "as HeartbeatEnable"),
    "ExecuteTimeout": (60, None, _IDLE + "the source is on the same machine"),
    "MaxFileSize": (32768, None, _IDLE + "PostgreSQL targets only"),
    "AfterConnectScript": (None, (None,)),
    "DatabaseName": (None,),
    "ServerName": (None,),
    "Port": (None,),
    "Username": (None,),
    "Password": (None,),
    "SecretsManagerAccessRoleArn": (None,),
    "SecretsManagerSecretId": (None,),
    "DatabaseMode": ("default", ("default",)),
    "BabelfishDatabaseName": (None, (None,)),
    "DisableUnicodeSourceFilter": (False, None, _IDLE + "text is UTF-8 throughout"),
    "ServiceAccessRoleArn": (None, (None,), "IAM authentication"),
    "AuthenticationMethod": ("password", ("password",)),
}
"""PostgreSQLSettings of a source endpoint."""

MYSQL: dict[str, Line] = {
    "AfterConnectScript": (None, (None,)),
    "CleanSourceMetadataOnMismatch": (False, None, _IDLE + "a table's definition is read from the log"),
    "DatabaseName": (None, (None, ""), "DMS wants none for MySQL: the table mappings say which"),
    "EventsPollInterval": (5, None, _IDLE + "the server sends changes as they come"),
    "ServerTimezone": ("UTC", ("UTC", None), "the embedded server runs in UTC"),
    "TargetDbType": (None, None, _IDLE + "targets only"),
    "MaxFileSize": (32768, None, _IDLE + "targets only"),
    "ParallelLoadThreads": (1, None, _IDLE + "targets only"),
    "ExecuteTimeout": (60, None, _IDLE + "the source is on the same machine"),
    "ServerName": (None,),
    "Port": (None,),
    "Username": (None,),
    "Password": (None,),
    "SecretsManagerAccessRoleArn": (None,),
    "SecretsManagerSecretId": (None,),
    "ServiceAccessRoleArn": (None, (None,), "IAM authentication"),
    "AuthenticationMethod": ("password", ("password",)),
}
"""MySQLSettings of a source endpoint, of MySQL and of MariaDB."""
