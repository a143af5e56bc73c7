"""What an agent's processes may not ask of the kernel, as a seccomp program.

Two holes are left in a private mount and process view, and this closes them:
- the terminal: TIOCSTI and TIOCLINUX type into the terminal the agent shares with its user, so
  that `goex approve ...` would run in the user's shell after the agent has ended;
- the kernel's keyrings: a session keyring is inherited, whatever is mounted.

It is no general sandbox: everything else is allowed. A foreign ABI (32-bit, x32) numbers its
calls differently and is refused whole (ENOSYS). Layout: `linux/filter.h`, `linux/seccomp.h`.
"""

import errno
import struct
from dataclasses import dataclass

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_NUMBER, _ARCHITECTURE, _SECOND_ARGUMENT = 0, 4, 24  # offsets in struct seccomp_data
_X32 = 0x40000000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C


@dataclass(frozen=True, slots=True)
class Machine:
    """How one architecture names itself (AUDIT_ARCH_*) and numbers the calls we look at."""

    audit: int
    ioctl: int
    keyrings: tuple[int, int, int]


MACHINES = {
    "x86_64": Machine(audit=0xC000003E, ioctl=16, keyrings=(248, 249, 250)),
    "aarch64": Machine(audit=0xC00000B7, ioctl=29, keyrings=(217, 218, 219)),
    "riscv64": Machine(audit=0xC00000F3, ioctl=29, keyrings=(217, 218, 219)),
}


def refusals(machine: str) -> bytes:
    """The program for a machine as `os.uname().machine` names it.

    Raises ValueError for a machine that is not in `MACHINES`: without the filter there is no view.
    """
    known = MACHINES.get(machine)
    if known is None:
        raise ValueError(
            f"no system call filter is known for {machine}; hidden and sealed views exist on "
            f"{', '.join(sorted(MACHINES))}"
        )
    return _assemble(known)


def _assemble(machine: Machine) -> bytes:
    add_key, request_key, keyctl = machine.keyrings
    # Jumps count instructions forward; refuse, allow and unknown stand at 11, 12, 13 (from 0).
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, 11, machine.audit),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 9, 0, _X32),
        (_EQUAL, 8, 0, add_key),
        (_EQUAL, 7, 0, request_key),
        (_EQUAL, 6, 0, keyctl),
        (_EQUAL, 0, 4, machine.ioctl),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),  # the kernel reads ioctl's request as 32 bits
        (_EQUAL, 1, 0, _TIOCSTI),
        (_EQUAL, 0, 1, _TIOCLINUX),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
