"""Telling systemd how the daemon is: the protocol of sd_notify(3). A leaf, standard library only.

Every call returns whether the message was handed over; none raises. Without $NOTIFY_SOCKET nothing happens.
"""

from __future__ import annotations

import os
import socket
import time


def ready() -> bool:
    """The fronts are open; also after a reload, whether the new configuration was taken or not."""
    return _send("READY=1")


def reloading() -> bool:
    """A reload begins; `ready` ends it. Without MONOTONIC_USEC, Type=notify-reload runs into its time-out."""
    return _send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def stopping() -> bool:
    """The end begins: no new messages, those in flight are settled."""
    return _send("STOPPING=1")


def watchdog() -> bool:
    """A sign of life, to be sent every `watchdog_interval` seconds."""
    return _send("WATCHDOG=1")


def status(text: str) -> bool:
    """One line for `systemctl status`. White space and line ends become single blanks: a line is an assignment."""
    return _send(f"STATUS={' '.join(text.split())}")


def watchdog_interval() -> float | None:
    """Seconds between two calls of `watchdog`: half of WatchdogSec. None where no watchdog waits for this process.

    Source: sd_watchdog_enabled(3).
    """
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdigit()) or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 1_000_000 / 2


def _send(message: str) -> bool:
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return False
    name = "\0" + path[1:] if path.startswith("@") else path  # an abstract socket, unix(7)
    try:
        # Non-blocking: a service manager that does not read must not stop the mail.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
            channel.connect(name)
            channel.sendall(message.encode("utf-8", "replace"))
    except OSError:
        return False
    return True
