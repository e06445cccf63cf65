"""EC2, called in the process: over HTTP the server would wait for itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import ec2 as ec2_service


def ec2(action: str, parameters: dict[str, Any]) -> Callable[[str], str]:
    """Call an EC2 action; gives a reader of elements of the answer. Raises ValueError with the answer's text."""
    status, _, body = ec2_service._ACTION_MAP[action]({name: [str(value)] for name, value in parameters.items()})
    text = body.decode() if isinstance(body, bytes) else body
    if status != 200:
        raise ValueError(text)

    def element(name: str) -> str:
        found = re.search(f"<{name}>([^<]*)<", text)
        return found.group(1) if found else ""

    return element
