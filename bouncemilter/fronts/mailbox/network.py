"""What IMAP and POP3 share: the connection, its encryption, and errors in words."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from bouncemilter import text
from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.options import MailboxOptions, Security

_WORDS: Final = 200
"""Characters of a server's words that are shown."""
_CONNECT_SECONDS: Final = 20.0
"""To wait for a connection; nothing can cut it short."""
_CODES: Final = {
    "[IN-USE]": Fault.BUSY,  # RFC 2449 section 8.1.1
    "[LOGIN-DELAY]": Fault.BUSY,
    "[SYS/TEMP]": Fault.UNREACHABLE,  # RFC 3206
    "[INUSE]": Fault.BUSY,  # RFC 5530
    "[LIMIT]": Fault.BUSY,
    "[UNAVAILABLE]": Fault.UNREACHABLE,
    "[OVERQUOTA]": Fault.DISK,
}
"""What a server's refusal means that is not the user's or the setting's fault, by its response code."""


class Line:
    """The TCP connection to a server. Another thread can cut it at any time, in the midst of a TLS handshake too."""

    def __init__(self, options: MailboxOptions) -> None:
        self._options = options
        self._used: socket.socket | None = None
        self._other: socket.socket | None = None
        """Of the same connection: a shutdown of one is a shutdown of both, whatever wraps the first meanwhile."""
        self.is_cut = False

    def connect(self) -> socket.socket:
        """Connect; encrypted where the options say so from the first octet on. Raises MailboxError, OSError."""
        options = self._options
        context = tls_context(options) if options.security is Security.TLS else None
        made = socket.create_connection((options.host, options.actual_port), min(options.timeout, _CONNECT_SECONDS))
        self._used, self._other = made, made.dup()
        made.settimeout(options.timeout)
        if self.is_cut:
            self.cut()
        if context:
            self._used = made = context.wrap_socket(made, server_hostname=options.host)
        return made

    def cut(self) -> None:
        """End the connection, also one that another thread waits for, and one that is yet to be made. Never raises."""
        self.is_cut = True
        if self._other is not None:
            with contextlib.suppress(OSError):
                self._other.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it. Never raises."""
        if self._other is not None:
            self._other.close()
        if self._used is not None:
            with contextlib.suppress(OSError):  # poplib leaves it open, with a reader, after a bad greeting
                os.close(self._used.detach())


def tls_context(options: MailboxOptions) -> ssl.SSLContext:
    """A context that believes nobody but the authorities, and checks the server's name."""
    try:
        return ssl.create_default_context(cafile=options.ca_file or None)
    except OSError as error:
        raise MailboxError(Fault.SETTING, f"ca_file {options.ca_file}: {error.strerror or error}") from None


def check_encryption(options: MailboxOptions) -> None:
    """Raise MailboxError before a password would travel where others can read it."""
    if not options.may_send_password:
        raise MailboxError(
            Fault.SETTING,
            f"{options.place}: the password would travel unencrypted; use tls or starttls, or allow_unencrypted",
        )


@contextlib.contextmanager
def connecting(place: str) -> Iterator[None]:
    """Whatever goes wrong within: there is no connection."""
    try:
        yield
    except MailboxError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise MailboxError(
            Fault.UNREACHABLE, f"{place}: its certificate is not believed: {error.verify_message}"
        ) from None
    except ssl.SSLError as error:
        raise MailboxError(Fault.UNREACHABLE, f"{place}: TLS failed: {error.reason or error}") from None
    except OSError as error:
        raise MailboxError(Fault.UNREACHABLE, f"{place}: {error.strerror or str(error) or 'no answer'}") from None
    except Exception as error:  # noqa: BLE001  (a server can say anything; the libraries raise accordingly)
        raise MailboxError(Fault.UNREACHABLE, f"{place}: {said(error)}") from None


@contextlib.contextmanager
def speaking(place: str, doing: str) -> Iterator[None]:
    """Whatever goes wrong within: the connection is of no more use."""
    try:
        yield
    except MailboxError:
        raise
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise MailboxError(Fault.BROKEN_OFF, f"{place}: broken off while {doing}: {reason}") from None
    except Exception as error:  # noqa: BLE001  (a server can say anything; the libraries raise accordingly)
        raise MailboxError(Fault.BROKEN_OFF, f"{place}: broken off while {doing}: {said(error)}") from None


def refusal(place: str, doing: str, words: object, usually: Fault) -> MailboxError:
    """A server's refusal: `usually` this fault, unless a response code in its words says better."""
    shown = said(words)
    fault = next((each for code, each in _CODES.items() if code in shown.upper()), usually)
    return MailboxError(fault, f"{place}: {doing}: {shown}")


def said(found: object) -> str:
    """A server's words, harmless and short."""
    if isinstance(found, Exception):
        found = found.args[0] if found.args else type(found).__name__
    words = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
    return text.clean(words, _WORDS)
