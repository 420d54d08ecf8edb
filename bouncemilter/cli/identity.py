"""Whose files we touch: never root's, never by root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from bouncemilter.cli.exits import Exit, Failure


def become_owner(folder: Path) -> None:
    """Take on the identity of the owner of the state folder, so that no file of the store ever becomes root's.

    As root: drop to the owner. As the owner: nothing. As anybody else: Failure 77 with the command to use.
    """
    user = _owner(folder, lambda name: ("sudo", "-u", name))
    if user is None:
        return
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    _refuse_unreadable(user.pw_name)


@contextlib.contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """Have the identity of the owner of the state folder for a while: for a command that also uses files of root's.

    As root: the effective identity, given back at the end. As the owner: nothing. As anybody else: Failure 77.
    """
    user = _owner(folder, lambda _: ("sudo",))
    if user is None:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.initgroups(user.pw_name, user.pw_gid)
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        _refuse_unreadable(user.pw_name)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _owner(folder: Path, sudo: Callable[[str], Sequence[str]]) -> pwd.struct_passwd | None:
    """Whom root is to become; None where we are the owner. `sudo` gives the words that would help anybody else."""
    try:
        owner = folder.stat().st_uid
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror}", Exit.CONFIGURATION) from None
    if owner == os.geteuid():
        return None
    name = _name(owner)
    if os.geteuid() != 0:
        known = name if name != str(owner) else f"#{owner}"
        command = shlex.join([*sudo(known), "bouncemilter", *sys.argv[1:]])
        raise Failure(f"{folder} belongs to {name}; use: {command}", Exit.PERMISSION)
    try:
        return pwd.getpwuid(owner)
    except KeyError:
        raise Failure(f"{folder} belongs to user {owner}, who has no account here", Exit.CONFIGURATION) from None


def _refuse_unreadable(name: str) -> None:
    """Failure 77 where the present identity, `name`, can't read this program: it would break at the next import."""
    for each in (os.__file__, click.__file__, __file__):
        if not os.access(each, os.R_OK, effective_ids=True):
            raise Failure(f"{name} can't read {each}: install where other users can, such as /opt", Exit.PERMISSION)


def operator() -> str:
    """The login name of who gave the command, for the record: through sudo, the one who called it."""
    return os.environ.get("SUDO_USER") or _name(os.getuid())


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
