"""Records that could not be used, kept with their file, number and reason."""

from __future__ import annotations

import json
from collections.abc import Sequence

from catchment.landing.names import LandingFile
from catchment.landing.rejects import Reject
from catchment.storage import ObjectStore


def write_rejects(store: ObjectStore, file: LandingFile, etag: str, rejects: Sequence[Reject]) -> str:
    """Write a file's rejected records as JSON Lines; returns the path.

    The name follows from the file's name and content, so that a second attempt overwrites the first.
    """
    stem = file.path.rsplit("/", 1)[-1].removesuffix(f".{file.suffix}")
    path = f"{file.table.schema}/{file.table.table}/{stem}-{etag[:8]}.jsonl"
    lines = [
        json.dumps(
            {
                "table": str(file.table),
                "file": file.path,
                "row": reject.row,
                "field": reject.field,
                "reason": reject.reason,
                "raw": reject.raw,
            },
            ensure_ascii=False,
        )
        for reject in rejects
    ]
    store.write_bytes(path, ("\n".join(lines) + "\n").encode())
    return path
