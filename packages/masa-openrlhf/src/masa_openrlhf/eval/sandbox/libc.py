"""Calls that Python has no names for."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_PIVOT_ROOT = 155
_MOUNT_SETATTR = 442
_AT_RECURSIVE = 0x8000
_AT_FDCWD = -100


class _MountAttr(ctypes.Structure):
    _fields_ = [
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


READ_ONLY, NO_SUID, NO_DEVICES = 0x1, 0x2, 0x4


def prctl(option: int, value: int) -> None:
    """Call prctl.

    Raises:
        OSError: the kernel refused.
    """
    _check_result(_libc.prctl(option, value, 0, 0, 0), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with the parent.

    Raises:
        OSError: the kernel refused.
    """
    _check_result(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount a file system.

    Raises:
        OSError: the kernel refused; it names the target.
    """
    texts = (None if text is None else os.fsencode(text) for text in (source, target, kind))
    _check_result(
        _libc.mount(*texts, ctypes.c_ulong(flags), None if data is None else data.encode()),
        f"mount on {target}",
    )


def protect_mount(path: str, attributes: int, *, recursive: bool) -> None:
    """Set READ_ONLY and the like on a mount, with all that is mounted below it.

    Raises:
        OSError: the kernel refused, or is older than 5.12.
    """
    attr = _MountAttr(attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    _check_result(
        _libc.syscall(
            _MOUNT_SETATTR,
            _AT_FDCWD,
            os.fsencode(path),
            ctypes.c_uint(flags),
            ctypes.byref(attr),
            ctypes.c_size_t(ctypes.sizeof(attr)),
        ),
        f"mount_setattr on {path}",
    )


def pivot_root_here() -> None:
    """Make the current folder the root, and let go of the old one.

    Raises:
        OSError: the kernel refused.
    """
    _check_result(_libc.syscall(_PIVOT_ROOT, b".", b"."), "pivot_root")
    _check_result(_libc.umount2(b".", 2), "umount of the old root")
    os.chdir("/")


def install_filter(program: bytes) -> None:
    """Install a filter of system calls, for good.

    Args:
        program: instructions of 8 bytes each.

    Raises:
        OSError: the kernel refused.
    """
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    given = Program(len(program) // 8, ctypes.addressof(buffer))
    _check_result(_libc.prctl(22, 2, ctypes.byref(given), 0, 0), "seccomp")


def _check_result(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
