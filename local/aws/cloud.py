"""What the server process is made of: ministack, and what it lacks, tied together.

Alarms are kept as records only. Neither ministack nor this module evaluates them against metrics.
"""

from __future__ import annotations

import socket
from pathlib import Path

from local.aws import ministack_seam as seam
from local.aws.functions.pool import FunctionPool


class Cloud:
    """Everything that lives in the server process.

    ``folder`` holds its files, ``endpoint`` is the URL it serves.
    """

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder = folder
        self.endpoint = endpoint
        self.functions = FunctionPool(folder, endpoint)
        seam.keep_objects_on_disk()
        seam.run_functions_with(self.functions.invoke)

    def serve(self, listener: socket.socket) -> None:
        """Answer requests until SIGTERM or SIGINT, then stop what was started."""
        try:
            seam.serve(listener)
        finally:
            self.functions.stop()
