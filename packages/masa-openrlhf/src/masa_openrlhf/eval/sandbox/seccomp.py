"""System calls that a program has no use for, refused: sockets, tracing, mounts, hidden memory.

The second wall, behind the namespaces: what it refuses they mostly forbid as well. Memory that no
other limit counts is refused here alone: what lies with no process (shared mappings, memfd, System
V), and what the kernel holds for one without a limit of its own (sockets, large pipes, locks of
parts of files, watches).
"""

from __future__ import annotations

import errno
import platform
import struct

from masa_openrlhf.eval.sandbox import libc

_ARCHITECTURE = 0xC000003E  # x86-64
_X32 = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16

_CLONE3 = 435

REFUSED = {
    "socket": 41,
    "socketpair": 53,  # what is under way in one is in no process's memory
    "sendmsg": 46,
    "recvmsg": 47,
    "sendmmsg": 307,
    "recvmmsg": 299,
    "setsockopt": 54,
    "connect": 42,
    "accept": 43,
    "accept4": 288,
    "bind": 49,
    "listen": 50,
    "shmget": 29,
    "shmat": 30,
    "shmctl": 31,
    "semget": 64,
    "msgget": 68,
    "mq_open": 240,
    "memfd_create": 319,
    "memfd_secret": 447,
    "ptrace": 101,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "pidfd_getfd": 438,
    "kcmp": 312,
    "unshare": 272,
    "setns": 308,
    "chroot": 161,
    "pivot_root": 155,
    "mount": 165,
    "umount2": 166,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "io_setup": 206,
    "inotify_init": 253,
    "inotify_init1": 294,
    "fanotify_init": 300,
    "epoll_create": 213,
    "epoll_create1": 291,
    "landlock_create_ruleset": 444,
    "flock": 73,  # of a file of the machine, it would be seen outside
    "splice": 275,
    "tee": 276,
    "vmsplice": 278,
    "remap_file_pages": 216,
    "process_madvise": 440,
    "personality": 135,
    "modify_ldt": 154,
    "iopl": 172,
    "ioperm": 173,
    "syslog": 103,
    "acct": 163,
    "swapon": 167,
    "swapoff": 168,
    "reboot": 169,
    "init_module": 175,
    "finit_module": 313,
    "delete_module": 176,
    "kexec_load": 246,
    "kexec_file_load": 320,
    "quotactl": 179,
    "clock_settime": 227,
    "settimeofday": 164,
    "adjtimex": 159,
}
"""Name -> number on x86-64."""


_ALL = 0xFFFFFFFF

REFUSED_BY_ARGUMENT = {
    "clone": (
        56,
        0,
        [(bit, bit) for bit in (0x00020000, *(1 << place for place in range(25, 31)))],
    ),
    # Pages that are shared, and of no file of ours, are no process's once it lets go of them.
    "mmap": (9, 3, [(0x21, 0x21), (0x40000, 0x40000)]),  # MAP_SHARED|MAP_ANONYMOUS, MAP_HUGETLB
    "madvise": (28, 2, [(_ALL, 21)]),  # MADV_PAGEOUT
    "fcntl": (72, 1, [(_ALL, command) for command in (6, 7, 37, 38, 1024, 1026, 1031)]),
}
"""Name -> number, place of an argument, and (mask, value): refused where argument & mask == value.

Of clone, any new namespace; of fcntl, locks, leases, watches and the size of a pipe.
"""


def is_supported() -> bool:
    """Whether the filter is made for this machine."""
    return platform.machine() == "x86_64"


def install_seccomp() -> None:
    """Refuse these calls to this process and its children, for good.

    Raises:
        OSError: the kernel refused the filter.
    """
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.install_filter(build_filter())


def build_filter() -> bytes:
    """Return the filter: a refused call fails with EPERM; one of another machine kills."""
    refused = _ERRNO | errno.EPERM
    lines = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _ARCHITECTURE),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_EQUAL, 0, 1, _CLONE3),  # its flags cannot be seen; libc falls back to clone
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for number in sorted(REFUSED.values()):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refused)]
    for number, place, values in REFUSED_BY_ARGUMENT.values():
        tests = [line for value in values for line in _refuse_call(place, *value)]
        lines += [(_EQUAL, 0, len(tests) + 1, number), *tests, (_RETURN, 0, 0, _ALLOW)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _refuse_call(place: int, mask: int, value: int) -> list[tuple[int, int, int, int]]:
    return [
        (_LOAD, 0, 0, _FIRST_ARGUMENT + 8 * place),
        (_AND, 0, 0, mask),
        (_EQUAL, 0, 1, value),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
