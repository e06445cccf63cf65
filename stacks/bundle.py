"""Builds a layer of third-party packages: ``python -m stacks.bundle [LOCK]`` prints the path of a zip file.

The CDK command line calls it when it publishes a layer that the asset bucket does not have yet. Wheels for arm64 come
from the package index by uv, every one checked against its hash in the lock file (lambda_src/requirements.txt unless
another is named); no Docker, and nothing is compiled. With ``CATCHMENT_BUNDLE=false`` the zip holds a note only: for a
local AWS, which runs the functions with the packages of this machine. The note is refused for anything but an endpoint
on this machine, because the asset bucket would keep it under the layer's name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "lambda_src" / "requirements.txt"
BUILD = ROOT / "build" / "layer"

PYTHON_VERSION = "3.14"
PLATFORM = "aarch64-manylinux_2_28"
"""Of the functions: Amazon Linux 2023 has glibc 2.34. The newest wheel of arro3-core wants 2.24, older tags miss it."""

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""What a function may weigh with its layers (AWS Lambda Developer Guide, "Lambda quotas")."""
ROOM_FOR_CODE = 5 * 1024 * 1024
NOT_NEEDED = ("tests", "test", "__pycache__", "bin")
TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip, so that the same packages make the same bytes."""


class TooLarge(Exception):
    """The layer and the functions' code together would not fit into a function."""


def build(lock: Path = LOCK) -> Path:
    """The layer's zip file, built unless it is there already. Raises TooLarge, subprocess.CalledProcessError."""
    stamp = hashlib.sha256(f"{PYTHON_VERSION} {PLATFORM} {lock.read_text()} {Path(__file__).read_text()}".encode())
    target = BUILD / f"{stamp.hexdigest()[:16]}.zip"
    if target.exists():
        return target
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        packages = Path(folder) / "python"
        _install(lock, packages)
        _strip(packages)
        size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file())
        if size + ROOM_FOR_CODE > UNZIPPED_LIMIT:
            raise TooLarge(f"{size / 2**20:.0f} MiB unzipped; a function with its layers may have 250")
        unfinished = Path(folder) / target.name
        _zip(Path(folder), packages, unfinished)
        unfinished.replace(target)
    print(f"{target}: {size / 2**20:.0f} MiB unzipped", file=sys.stderr)
    return target


def placeholder() -> Path:
    """A zip file that holds a note instead of packages. Raises PermissionError unless AWS is on this machine."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise PermissionError(f"CATCHMENT_BUNDLE=false is for a local AWS only, not for {endpoint or 'the real one'}")
    BUILD.mkdir(parents=True, exist_ok=True)
    target = BUILD / "placeholder.zip"
    unfinished = target.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(unfinished, "w") as archive:
        archive.writestr(zipfile.ZipInfo("python/NOT_BUNDLED", TIME), "The packages of this machine are used.\n")
    return unfinished.replace(target)


def _install(lock: Path, packages: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    options = ["--python-platform", PLATFORM, "--python-version", PYTHON_VERSION, "--only-binary", ":all:"]
    command = [str(uv), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", str(lock)]
    subprocess.run([*command, "--target", str(packages), *options], check=True, stdout=sys.stderr)


def _strip(packages: Path) -> None:
    for name in NOT_NEEDED:
        for folder in sorted(packages.rglob(name), reverse=True):
            if folder.is_dir():
                shutil.rmtree(folder)
    for stub in packages.rglob("*.pyi"):
        stub.unlink()


def _zip(root: Path, packages: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(packages.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), TIME)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, file.read_bytes())


def main() -> int:
    """Print the path of the zip file, and nothing else, on standard output."""
    lock = Path(sys.argv[1]) if len(sys.argv) > 1 else LOCK
    print(placeholder() if os.environ.get("CATCHMENT_BUNDLE") == "false" else build(lock))
    return 0


if __name__ == "__main__":
    sys.exit(main())
