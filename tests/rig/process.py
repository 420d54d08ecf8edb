"""Servers in processes of their own, for as long as a context lasts."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from tests.rig import client

T = TypeVar("T")


class Process(abc.ABC):
    """One such server. An error that leaves the context takes the server's own words along."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start it, and return when it answers."""

    @abc.abstractmethod
    def kill(self) -> None:
        """End it at once, all of its processes. A second call does nothing."""

    @abc.abstractmethod
    def report(self) -> str:
        """What it has logged, for a failure's message."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self.report())
        self.kill()

    def wait_for(self, predicate: Callable[[], T], timeout: float = 20) -> T:
        """Call `predicate` until its result is true and return that; TimeoutError with the log after `timeout` s."""
        deadline = time.monotonic() + timeout
        while not (result := predicate()):
            self._require_running()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so within {timeout} s\n{self.report()}")
            time.sleep(0.05)
        return result

    def _require_running(self) -> None:  # noqa: B027  (a daemon may be killed while it is waited for)
        """RuntimeError where there is nothing to wait for any more; never, unless a server says otherwise."""


class MailServer(Process):
    """One that takes mail over SMTP, at several ports."""

    ports: dict[str, int]
    """Of each of its services."""

    def inject(
        self,
        sender: str,
        recipients: Sequence[str],
        message: bytes,
        service: str = "smtp",
        *,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> client.Exchange:
        """Hand a message over SMTP to one of the services; `sender` is "" for the null sender."""
        return client.send(
            self.ports[service], sender, recipients, message, mail_options=mail_options, rcpt_options=rcpt_options
        )
