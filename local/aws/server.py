"""The local AWS's own process: ``python -m local.aws.server --folder F``.

It listens on the loopback interface only, on a port the operating system chooses, which it writes to
``F/server.json``. Everything it keeps lies in F. SIGTERM ends it together with what it started.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import tempfile
from pathlib import Path

from local.aws.account import ACCOUNT, REGION


def emulator_environment(folder: Path, port: int) -> dict[str, str]:
    """The settings ministack reads from the environment when it is imported."""
    return {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_DEFAULT_REGION": REGION,
        "AUTH": "true",
        "S3_PERSIST": "1",
        "S3_DATA_DIR": os.fspath(folder / "objects"),
        "STATE_DIR": os.fspath(folder / "state"),
        "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",
        "LOG_LEVEL": os.environ.get("CATCHMENT_AWS_LOG_LEVEL", "WARNING"),
        "TMPDIR": os.fspath(folder / "tmp"),
    }


def prepare(folder: Path) -> None:
    """Make the folders, with ``F/s3`` naming the only account's objects."""
    for name in (f"objects/{ACCOUNT}", "logs", "tmp", "state"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "s3").symlink_to(Path("objects") / ACCOUNT)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="The local AWS, on the loopback interface.")
    parser.add_argument("--folder", type=Path, required=True)
    folder: Path = parser.parse_args().folder.resolve()
    prepare(folder)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    port = listener.getsockname()[1]
    os.environ.update(emulator_environment(folder, port))
    tempfile.tempdir = None

    # ministack reads its settings when it is imported, so nothing of it may be imported before this line
    from local.aws.cloud import Cloud

    endpoint = f"http://127.0.0.1:{port}"
    cloud = Cloud(folder, endpoint)
    ready = folder / "server.json.new"
    ready.write_text(json.dumps({"endpoint": endpoint, "pid": os.getpid()}))
    ready.replace(folder / "server.json")
    cloud.serve(listener)


if __name__ == "__main__":
    main()
