"""What IMAP and POP3 share: encryption, and errors in words."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

from bouncemilter import text
from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.options import MailboxOptions

_WORDS = 200
"""Characters of a server's words that are shown."""


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


def cut(connection: socket.socket) -> None:
    """End a connection, also one that another thread waits for. Never raises."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def said(found: object) -> str:
    """A server's words, harmless and short."""
    if isinstance(found, Exception):
        found = found.args[0] if found.args else type(found).__name__
    words = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
    return text.clean(words, _WORDS)
