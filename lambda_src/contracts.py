"""The contracts of every table, as the stack published them."""

from __future__ import annotations

import json
from typing import Any

from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName


def fetch_contracts(s3: Any, url: str) -> dict[str, dict[TableName, TableContract]]:
    """Each source's tables, read from ``s3://bucket/key``. Raises SettingsError for what is no tables file."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    published = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return {
        source: load_contracts(json.dumps(tables, ensure_ascii=False), source_name=f"{url} ({source})")
        for source, tables in published.items()
    }
