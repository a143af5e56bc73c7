"""The few Linux calls that Python's `os` does not have: mounts, capabilities, the syscall filter.

Every function raises `OSError` with the kernel's errno. Constants are those of
`linux/mount.h`, `linux/prctl.h`, `linux/capability.h`.
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x80000

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_MOUNT_SETATTR = 442  # the same number on every architecture
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 0x1
_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x1 | 0x40


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(option: int, *arguments: int) -> int:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return int(_libc().prctl(option, *(ctypes.c_ulong(value) for value in padded)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    result = _libc().mount(
        source.encode(),
        os.fsencode(target),
        kind.encode(),
        ctypes.c_ulong(flags),
        data.encode(),
    )
    _check(result, f"cannot mount on {target}")


def bind(source: str, target: str) -> None:
    """Show `source` at `target`, with what is mounted below it."""
    mount(source, target, flags=MS_BIND | MS_REC)


def make_read_only(target: str) -> None:
    """The mount at `target` and every one below it (mount_setattr(2), Linux 5.12)."""
    attributes = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc().syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
    )
    _check(result, f"cannot make {target} read-only")


def raise_loopback() -> None:
    """Bring `lo` up in this network namespace: a new one starts with it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP_RUNNING))


def die_with_parent(signal: int) -> None:
    """Get `signal` when the process that started this one ends (prctl(2), PR_SET_PDEATHSIG)."""
    _check(_prctl(_PR_SET_PDEATHSIG, signal), "cannot ask to die with the parent")


def close_to_tracers() -> None:
    """No process of the same user may read or trace this one; undone by an exec."""
    _check(_prctl(_PR_SET_DUMPABLE, 0), "cannot close this process to tracers")


def give_up_privileges() -> None:
    """Drop every capability for ever, and let no exec (setuid, file capabilities) win one back."""
    for capability in range(_last_capability() + 1):
        result = _prctl(_PR_CAPBSET_DROP, capability)
        if result < 0 and _holds_capabilities():
            _check(result, "cannot drop a capability")
    _check(_prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL), "cannot clear capabilities")
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    nothing = struct.pack("=6I", 0, 0, 0, 0, 0, 0)
    _check(_libc().capset(header, nothing), "cannot drop capabilities")
    _check(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "cannot set no_new_privs")


def install_filter(program: bytes) -> None:
    """A classic BPF program over system calls (seccomp(2)), inherited by every child."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    value = Program(len(program) // 8, program)
    result = _libc().prctl(
        _PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(value)
    )
    _check(result, "cannot install the system call filter")


def _last_capability() -> int:
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text())


def _holds_capabilities() -> bool:
    # Without CAP_SETPCAP the bounding set cannot be lowered, nor used once no_new_privs is set.
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return int(effective.split()[1], 16) != 0
