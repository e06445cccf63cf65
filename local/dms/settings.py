"""Every task and endpoint setting of DMS, and what the emulator does about it.

A setting is *emulated*; or *without effect* here, for the reason given; or *fixed*: only the values named may be
set, anything else is refused by name rather than quietly ignored. Names that are in none of the tables are refused.
Defaults: AWS DMS User Guide (task settings) and the API model (endpoint settings).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.dms.settings_tables import MYSQL, POSTGRES, S3, TASK, TASK_SECTIONS_OFF

_SOURCES = {"PostgreSQLSettings": POSTGRES, "MySQLSettings": MYSQL}

SOURCE_SETTINGS = {
    "postgres": "PostgreSQLSettings",
    "aurora-postgresql": "PostgreSQLSettings",
    "mysql": "MySQLSettings",
    "mariadb": "MySQLSettings",
}
"""The engine's part of an endpoint, by EngineName."""


@dataclass(frozen=True)
class Setting:
    """One line of a table: the default, and the values allowed (None: any) with the reason where one is needed."""

    default: Any
    allowed: tuple[Any, ...] | None = None
    note: str = ""


class SettingRefused(ValueError):
    """A setting that DMS would refuse or the emulator does not do."""

    def __init__(self, name: str, value: object, why: str) -> None:
        super().__init__(name, value, why)
        self.name, self.value, self.why = name, value, why

    def __str__(self) -> str:
        return f"{self.name}: {self.value!r}: {self.why}"


def task_settings(text: str | None) -> dict[str, dict[str, Any]]:
    """A ReplicationTaskSettings document with every default filled in. Raises SettingRefused."""
    try:
        said = json.loads(text) if text else {}
    except ValueError as error:
        raise SettingRefused("ReplicationTaskSettings", text, f"not JSON ({error})") from error
    for section, value in said.items():
        if section not in TASK and not (section in TASK_SECTIONS_OFF and value in TASK_SECTIONS_OFF[section]):
            raise SettingRefused(section, value, "this section is not emulated")
    return {section: _fill(table, said.get(section) or {}, f"{section}.") for section, table in TASK.items()}


def s3_settings(said: Mapping[str, Any]) -> dict[str, Any]:
    """S3Settings of a target endpoint with every default filled in. Raises SettingRefused."""
    filled = _fill(S3, said, "S3Settings.")
    if not filled["BucketName"]:
        raise SettingRefused("S3Settings.BucketName", filled["BucketName"], "must be given")
    if filled["EncryptionMode"] == "sse-kms" and not filled["ServerSideEncryptionKmsKeyId"]:
        raise SettingRefused("S3Settings.ServerSideEncryptionKmsKeyId", None, "must be given with sse-kms")
    return filled


def source_settings(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's settings of a source endpoint with every default filled in. Raises SettingRefused."""
    name = SOURCE_SETTINGS[endpoint["EngineName"]]
    return _fill(_SOURCES[name], endpoint.get(name) or {}, f"{name}.")


def _fill(table: Mapping[str, tuple[Any, ...]], said: Mapping[str, Any], where: str) -> dict[str, Any]:
    filled = {name: Setting(*line).default for name, line in table.items()}
    for name, value in said.items():
        if name not in table:
            raise SettingRefused(where + name, value, "no such setting is emulated")
        setting = Setting(*table[name])
        if isinstance(setting.default, str) and isinstance(value, str) and setting.allowed is not None:
            value = _as_allowed(value, setting.allowed)
        if setting.allowed is not None and value not in setting.allowed:
            allowed = ", ".join(map(repr, setting.allowed))
            raise SettingRefused(where + name, value, f"emulated: {allowed}. {setting.note}".strip())
        filled[name] = value
    return filled


def _as_allowed(value: str, allowed: tuple[Any, ...]) -> str:
    # CloudFormation and the API take enumerated words in either spelling (parquet, PARQUET; sse-kms, SSE_KMS)
    plain = value.lower().replace("_", "-")
    return next((a for a in allowed if isinstance(a, str) and a.lower().replace("_", "-") == plain), value)
