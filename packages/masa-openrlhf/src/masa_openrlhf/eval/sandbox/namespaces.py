"""A machine of its own for a program: no network, no other processes, no files but its own.

As root the namespaces are made as root, and the program then runs as a user that nobody else is.
As an ordinary user they are made within a user namespace. Either way the program ends up without
any capability.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from masa_openrlhf.eval.sandbox import libc

_NEW_NS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_OWN = _NEW_NS | _NEW_UTS | _NEW_IPC | _NEW_NET

_BIND, _REC, _PRIVATE = 0x1000, 0x4000, 0x40000
_NO_SUID, _NO_DEVICES = 0x2, 0x4

NOBODY = 65534
_FIRST_USER = 1_700_000_000
"""Users from here on are nobody's: the program of a warden with process id p runs as this + p."""

ROOT = "/proc"
"""Where the new root is put together: a folder that is there everywhere, and hides nothing of
what is mounted from below it. No folder is left behind, whenever the process is killed."""
WORK, CODE = "/masa-own", "/masa-code"
"""The program's own folder, gone with it, and where this package lies. Beside them the machine's
folders are shown at their own paths, so these are names that no machine has."""

_DEVICES = ("null", "full", "random", "urandom")
"""None of them can be mapped: what is mapped of /dev/zero would be shared memory of no process."""


def enter_namespaces() -> int | None:
    """Have this process's next child be the first in a process namespace of its own.

    The other namespaces are that child's to leave (``build_walls``), so that this process keeps its
    own view of the machine.

    Returns:
        The user that they must become; None where they are nobody already.

    Raises:
        OSError: the kernel allows neither way.
    """
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            libc.unshare(_NEW_PID)
            return _FIRST_USER + os.getpid()
    user, group = os.geteuid(), os.getegid()
    libc.unshare(_NEW_USER | _NEW_PID)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return None


def build_walls(folders: Sequence[str], package: str, megabytes: int) -> None:
    """Give this process a network and a root of its own, with nothing in it but ``folders``.

    Args:
        folders: of the system and of Python, at the same paths as outside, read-only.
        package: folder of this package; it is put into `CODE`.
        megabytes: room for the program's own files.

    Raises:
        OSError: the kernel refused a mount.
    """
    libc.unshare(_OWN)
    libc.mount("none", "/", None, _REC | _PRIVATE)
    libc.mount("root", ROOT, "tmpfs", _NO_SUID | _NO_DEVICES, "size=4m,nr_inodes=4096,mode=755")
    for folder in folders:
        _bind_folder(folder, ROOT + folder)
    _bind_folder(package, f"{ROOT}{CODE}/masa_openrlhf")
    _make_devices()
    os.mkdir(ROOT + WORK)
    size = f"size={megabytes}m,nr_inodes=4096,mode=1777"
    libc.mount("work", ROOT + WORK, "tmpfs", _NO_SUID | _NO_DEVICES, size)
    if not os.path.lexists(f"{ROOT}/tmp"):
        os.symlink(WORK.lstrip("/"), f"{ROOT}/tmp")
    os.chdir(ROOT)
    libc.pivot_root_here()
    libc.protect_mount("/", libc.READ_ONLY, recursive=False)
    os.chdir(WORK)


def _bind_folder(source: str, target: str) -> None:
    """Show a folder of the machine at ``target``, read-only, or a symbolic link as it is."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    os.makedirs(target, exist_ok=True)
    libc.mount(source, target, None, _BIND | _REC)
    libc.protect_mount(target, libc.READ_ONLY | libc.NO_SUID | libc.NO_DEVICES, recursive=True)


def _make_devices() -> None:
    os.mkdir(f"{ROOT}/dev")
    for name in _DEVICES:
        with open(f"{ROOT}/dev/{name}", "w"):
            pass
        libc.mount(f"/dev/{name}", f"{ROOT}/dev/{name}", None, _BIND)


def become_user(user: int | None) -> None:
    """Give up what root may do: become ``user``, who owns nothing.

    Raises:
        OSError: the kernel refused.
    """
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
