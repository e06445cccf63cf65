"""Run a command as an ordinary user when we are root, because PostgreSQL refuses to run as root.

On Linux the command keeps one capability, CAP_DAC_OVERRIDE: root's own folders (a checkout under /root, a test folder
with mode 0700) stay reachable without anybody's permissions being widened. Elsewhere the folders have to be reachable
for the user ``nobody``. No account is created.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path

ACCOUNT = "nobody"

PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def is_root() -> bool:
    """Whether this process has to become somebody else before it may start PostgreSQL."""
    return os.geteuid() == 0


def unprivileged(command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` as an ordinary user: itself, unless we are root."""
    if not is_root():
        return list(command)
    return [sys.executable, "-S", "-E", os.fspath(Path(__file__).resolve()), *command]


def own(path: Path) -> None:
    """Give a file or folder to the user that ``unprivileged`` commands run as."""
    if is_root():
        entry = pwd.getpwnam(ACCOUNT)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _keep_file_access(libc: ctypes.CDLL) -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << CAP_DAC_OVERRIDE
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; low words, then high
    _check(libc.capset(header, sets))
    _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))


def become(account: str) -> None:
    """Turn this process from root into ``account``, keeping access to root's files on Linux. Raises OSError."""
    entry = pwd.getpwnam(account)
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    if linux:
        _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if linux:
        _keep_file_access(libc)


if __name__ == "__main__":
    become(ACCOUNT)
    os.environ["HOME"] = "/"
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606
