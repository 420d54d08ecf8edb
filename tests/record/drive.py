"""Sends the mails of all cases through the MTA, by SMTP or its `sendmail` command, and waits for what comes back.

Runs inside the chroot, beside the MTA: `drive.py MTA OUT`. MTA.sh says how the MTA is configured, started, and told to
run its queue.
"""

import contextlib
import smtplib
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

WAIT = 45
"""Seconds: all MTAs are configured to warn after 5 and to give up after 15, as far as they can be."""


@dataclass(frozen=True, slots=True)
class Case:
    """One mail and its envelope."""

    name: str
    recipients: str
    """Separated by blanks."""
    octets: int = 0
    """Size of the padding in the body."""
    notify: str = ""
    """The DSN parameter NOTIFY (RFC 3461), where the MTA takes it."""
    hops: int = 0
    """Number of Received fields of former hops."""
    by_command: bool = False
    """Give it to `sendmail`, not to SMTP: what SMTP would refuse at once."""


CASES = [
    Case("unknown-user", "unknown@remote.test"),
    Case("unknown-user-lines", "lines@remote.test"),
    Case("unknown-user-polish", "nieznany@remote.test"),
    Case("unknown-user-bare", "bare@remote.test"),
    Case("unknown-user-alias", "alias@local.test"),
    Case("unknown-local-user", "nobody.here@local.test", by_command=True),
    Case("full-rcpt", "full@remote.test"),
    Case("full-data", "quota@remote.test"),
    Case("full-temporary", "crowded@remote.test"),
    Case("full-local", "tiny@local.test", octets=9000),
    Case("disabled", "closed@remote.test"),
    Case("relay-denied", "relay@remote.test"),
    Case("too-big-mail", "anna@small.test", octets=5000),
    Case("too-big-data", "big@remote.test"),
    Case("spam-data", "spam@remote.test"),
    Case("sender-refused", "anna@strict.test"),
    Case("blocklisted-greeting", "anna@banner.test"),
    Case("domain-unknown", "anna@missing.test"),
    Case("domain-null-mx", "anna@nullmx.test"),
    Case("domain-no-host", "anna@nomx.test"),
    Case("domain-servfail", "anna@servfail.test"),
    Case("connection-refused", "anna@closed.test"),
    Case("no-route", "anna@gone.test"),
    Case("connection-dropped", "anna@drops.test"),
    Case("silent", "anna@silent.test"),
    Case("greylisted", "busy@remote.test"),
    Case("broken-data", "broken@flaky.test"),
    Case(
        "several",
        "unknown@remote.test anna@remote.test full@remote.test jan@other.test relay@other.test x@missing.test",
    ),
    Case("success-relayed", "anna@remote.test", notify="SUCCESS,FAILURE"),
    Case("success-local", "jan@local.test", notify="SUCCESS,FAILURE"),
    Case("hops", "anna@remote.test", hops=110, by_command=True),
    Case("loop", "anna@loop.test"),
]


def message(case: Case, sender: str) -> bytes:
    """The mail of a case, with LF."""
    mail = EmailMessage()
    mail["From"] = f"Księgarnia Łąka <{sender}>"
    mail["To"] = "Anna Żak <anna@remote.test>"
    mail["Subject"] = "Nowości na jesień: 12 książek"
    mail["Message-ID"] = f"<{case.name}.1@sender.test>"
    mail["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    mail["List-Id"] = "Nowości <nowosci.sender.test>"
    mail.set_content(
        "Dzień dobry,\n\nw tym tygodniu polecamy książki o morzu.\n" + "Wieloryb i latarnia. \n" * (case.octets // 22)
    )
    hops = [
        f"Received: from h{number}.other.test by h{number + 1}.other.test with ESMTP id {number:04}; "
        "Mon, 5 Jan 2026 10:00:00 +0000\n"
        for number in reversed(range(case.hops))
    ]
    return "".join(hops).encode() + mail.as_bytes()


def submit(case: Case, mta: str) -> None:
    """Hand a case to the MTA."""
    sender = f"listy+{case.name}@sender.test"
    mail, recipients = message(case, sender), case.recipients.split()
    if mta == "dma":  # knows no local domain but its own
        recipients = [each.removesuffix("@local.test") for each in recipients]
    if case.by_command or mta == "dma":
        subprocess.run(["/usr/sbin/sendmail", "-i", "-f", sender, *recipients], input=mail, check=True, timeout=60)
        return
    with smtplib.SMTP("127.0.0.1", 25, local_hostname="web.sender.test", timeout=60) as client:
        client.ehlo()
        dsn = client.has_extn("dsn")
        if case.notify and not dsn:
            raise smtplib.SMTPNotSupportedError("no DSN")
        parameters = [f"NOTIFY={case.notify}"] if case.notify else []
        client.sendmail(
            sender, recipients, mail.replace(b"\n", b"\r\n"), [f"ENVID={case.name}"] if dsn else [], parameters
        )


def await_daemon() -> None:
    """Return when something listens at port 25, or after ten seconds."""
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 25), 5):
            return
        time.sleep(0.1)


def main() -> None:
    """Submit all, or those named, and wait."""
    mta, out, *names = sys.argv[1:]
    script = ["sh", f"/record/{mta}.sh"]
    subprocess.run([*script, "start"], check=True, timeout=120)
    if mta != "dma":  # a command only
        await_daemon()
    for case in CASES:
        if not names or case.name in names:
            try:
                submit(case, mta)
            except (smtplib.SMTPException, subprocess.SubprocessError, OSError) as error:
                print(f"{case.name}: not taken: {error}", flush=True)
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        subprocess.run([*script, "run"], check=False, timeout=120)
        time.sleep(2)
    found = sorted(path.name for path in Path(out).iterdir())
    print(*found, sep="\n")
    print("nothing came back:", *(case.name for case in CASES if f"{case.name}.eml" not in found))


if __name__ == "__main__":
    main()
