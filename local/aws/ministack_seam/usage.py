"""What roles are allowed and really do: each action and resource once, in a file."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import sts


def note_what_is_used(file: Path) -> None:
    """Append a line of JSON (role, action, resource) for each request of a role's session that a policy lets pass.

    To be called before anything else changes how requests are judged: so what these ask on top is noted as well.
    """
    enforce = iam_evaluator.enforce
    seen: set[tuple[str, str, str]] = set()
    lock = threading.Lock()

    def noting(access_key: str, action: str, *request: Any, resource_arn: str = "*", **details: Any) -> Any:
        denied = enforce(access_key, action, *request, resource_arn=resource_arn, **details)
        role = _role_of(access_key) if denied is None else None
        if role is not None:
            with lock:
                if (use := (role, action, resource_arn)) not in seen:
                    seen.add(use)
                    with file.open("a") as notes:
                        notes.write(json.dumps(dict(zip(("role", "action", "resource"), use, strict=True))) + "\n")
        return denied

    iam_evaluator.enforce = noting


def _role_of(access_key: str) -> str | None:
    parts = str(sts._sessions.get(access_key, {}).get("Arn", "")).split(":assumed-role/")
    return parts[1].partition("/")[0] if len(parts) == 2 else None
