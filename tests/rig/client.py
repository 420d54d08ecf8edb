"""Handing a whole message to a Postfix by SMTP, blocking, with every reply. For single commands and LMTP: lmtp.py."""

import contextlib
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

TIMEOUT = 60  # seconds, for connecting and for each reply


class Reply(NamedTuple):
    """One reply: its code, and its text with the enhanced code, lines joined by a newline."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """The replies that one message got: `rcpt` by recipient; `data` is None where no recipient was accepted."""

    mail: Reply
    rcpt: Mapping[str, Reply]
    data: Reply | None

    @property
    def accepted(self) -> bool:
        """Whether the message was taken for at least one recipient."""
        return self.data is not None and self.data.code == 250


def send(
    port: int,
    sender: str,
    recipients: Sequence[str],
    message: bytes,
    *,
    mail_options: Sequence[str] = (),
    rcpt_options: Sequence[str] = (),
) -> Exchange:
    """Send a message to 127.0.0.1 over SMTP, with CRLF for bare LF. `sender` is "" for the null sender."""
    with _connected(port) as client:
        client.ehlo()
        mail = _reply(*client.mail(sender, mail_options))
        if mail.code != 250:
            return Exchange(mail, {}, None)
        rcpt = {each: _reply(*client.rcpt(each, rcpt_options)) for each in recipients}
        accepted = any(reply.code in {250, 251} for reply in rcpt.values())
        return Exchange(mail, rcpt, _data(client, message) if accepted else None)


@contextlib.contextmanager
def _connected(port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, "client.rig.test", timeout=TIMEOUT) as client:
        try:
            yield client
        except BaseException:
            # smtplib says QUIT on leaving: amid a message nobody answers that, and Ctrl-C would wait for the time-out.
            client.close()
            raise


def _data(client: smtplib.SMTP, message: bytes) -> Reply:
    try:
        return _reply(*client.data(message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))
    except smtplib.SMTPDataError as refusal:
        return Reply(refusal.smtp_code, _text(refusal.smtp_error))


def _reply(code: int, text: bytes) -> Reply:
    return Reply(code, _text(text))


def _text(text: bytes | str) -> str:
    return text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
