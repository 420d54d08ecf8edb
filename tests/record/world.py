"""The far side of the recording: name server, refusing mail servers, and the mailbox to which bounces come back.

Runs inside the chroot in a network namespace of its own that holds the addresses of ADDRESSES. Every mail to
LOCAL+CASE@sender.test is written to the folder that is its argument, as CASE.eml, CASE.2.eml, and so on.
"""

import socketserver
import sys
import threading
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

ADDRESSES = {
    "mx.sender.test": "192.0.2.10",
    "ns.sender.test": "192.0.2.53",
    "mail.sender.test": "192.0.2.11",
    "mx.remote.test": "192.0.2.25",
    "mx.other.test": "192.0.2.26",
    "mx.closed.test": "192.0.2.27",  # up, and nothing listens
    "mx.gone.test": "192.0.2.28",  # nobody has it
    "mx.strict.test": "192.0.2.29",
    "mx.small.test": "192.0.2.30",
    "mx.banner.test": "192.0.2.31",
    "mx.drops.test": "192.0.2.32",
    "mx.dsn.test": "192.0.2.33",
    "mx.silent.test": "192.0.2.34",
    "mx.flaky.test": "192.0.2.35",
}
LISTENING = [name for name in ADDRESSES if name.split(".")[1] not in {"closed", "gone"} and name[:2] in {"mx", "ma"}]
LISTENING.remove("mx.sender.test")
# Domains whose mail goes to the MTA that is recorded: its own, and one that it does not know.
MX = {"sender.test": "mail.sender.test", "local.test": "mx.sender.test", "loop.test": "mx.sender.test"}
SIZE_LIMIT = 4000  # octets, of mx.small.test

GREETING = {"mx.banner.test": "554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using dnsbl.list.test"}
MAIL = {"mx.strict.test": "550 5.1.8 <{address}>: Sender address rejected: Domain not found"}
RCPT = {
    "unknown": "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table",
    "lines": "550-5.1.1 The address <{address}> does not exist here.\r\n550-5.1.1 Check it for typing errors.\r\n"
    "550 5.1.1 See https://remote.test/help",
    "nieznany": "550 5.1.1 Użytkownik {address} nie istnieje",
    "bare": "550 no such user here",
    "full": "552 5.2.2 <{address}>: Mailbox is over quota",
    "closed": "550 5.2.1 <{address}>: Mailbox disabled, not accepting messages",
    "relay": "554 5.7.1 <{address}>: Relay access denied",
    "busy": "450 4.2.0 <{address}>: Recipient address rejected: Greylisted, try again later",
    "crowded": "452 4.2.2 <{address}>: Mailbox is over quota, try again later",
}
DATA = {
    "quota": "552 5.2.2 Mailbox full",
    "big": "552 5.3.4 Message size exceeds fixed maximum message size",
    "spam": "554 5.7.1 Message rejected as spam by content filter",
    "broken": "451 4.3.0 Temporary server error, queue file write failed",
}


def answer(wire: bytes) -> bytes:
    """The name server's reply to one query."""
    query = dns.message.from_wire(wire)
    reply = dns.message.make_response(query, recursion_available=True)
    reply.flags |= dns.flags.AA
    question = query.question[0]
    name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
    domain = ".".join(name.split(".")[-2:])
    records: dict[str, str] | None = None
    reverse = {f"{'.'.join(reversed(address.split('.')))}.in-addr.arpa": host for host, address in ADDRESSES.items()}
    if name in ADDRESSES:
        records = {"A": ADDRESSES[name]}
    elif name in reverse:
        records = {"PTR": reverse[name] + "."}
    elif name == "nullmx.test":
        records = {"MX": "0 ."}
    elif name == "nomx.test":
        records = {"TXT": '"no mail here"'}
    elif name in MX or f"mx.{name}" in ADDRESSES:
        records = {"MX": f"10 {MX.get(name, 'mx.' + name)}.", "NS": "ns.sender.test."}
    elif name in {"test", "2.0.192.in-addr.arpa"}:
        records = {"NS": "ns.sender.test."}
    if domain == "servfail.test":
        reply.set_rcode(dns.rcode.SERVFAIL)
    elif records is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif kind in records:
        reply.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, records[kind]))
    if not reply.answer and reply.rcode() != dns.rcode.SERVFAIL:
        soa = "ns.sender.test. hostmaster.sender.test. 1 3600 600 86400 300"
        reply.authority.append(dns.rrset.from_text("test.", 300, "IN", "SOA", soa))
    return reply.to_wire()


class Question(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, socket = self.request
        socket.sendto(answer(wire), self.client_address)


class Session(socketserver.StreamRequestHandler):
    """One SMTP session with the server whose address was called."""

    def handle(self) -> None:
        address = self.request.getsockname()[0]
        self.host = next(name for name, each in ADDRESSES.items() if each == address)
        if self.host == "mx.silent.test":
            self.rfile.read()  # never says a word
            return
        self.recipients: list[str] = []
        self.say(GREETING.get(self.host, f"220 {self.host} ESMTP"))
        while (line := self.rfile.readline()) and self.obey(line.decode("latin-1").strip()):
            pass

    def obey(self, line: str) -> bool:
        """Answer one command; false ends the session."""
        verb, argument = line[:4].upper(), line.partition("<")[2].partition(">")[0]
        if verb == "EHLO":
            more = {"mx.small.test": [f"SIZE {SIZE_LIMIT}"], "mx.dsn.test": ["DSN"]}.get(self.host, [])
            self.say(
                "\r\n".join(f"250-{each}" for each in [self.host, *more, "8BITMIME"]) + "\r\n250 ENHANCEDSTATUSCODES"
            )
        elif verb == "MAIL":
            self.recipients = []
            size = next((int(each[5:]) for each in line.split() if each.upper().startswith("SIZE=")), 0)
            too_big = self.host == "mx.small.test" and size > SIZE_LIMIT
            reply = "552 5.3.4 Message size exceeds fixed limit" if too_big else MAIL.get(self.host, "250 2.1.0 OK")
            self.say(reply.format(address=argument))
        elif verb == "RCPT":
            reply = RCPT.get(argument.partition("@")[0], "250 2.1.5 OK")
            if reply.startswith("2"):
                self.recipients.append(argument)
            self.say(reply.format(address=argument))
        elif verb == "DATA":
            return self.take()
        elif verb == "QUIT":
            self.say("221 2.0.0 Bye")
            return False
        else:
            self.say("250 2.0.0 OK")
        return True

    def take(self) -> bool:
        """Receive a message, and keep it if it came back."""
        if not self.recipients:
            self.say("554 5.5.1 no valid recipients")
            return True
        self.say("354 go on")
        if self.host == "mx.drops.test":
            return False
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        message = b"".join(lines)
        reply = next(
            (DATA[local] for each in self.recipients if (local := each.partition("@")[0]) in DATA), "250 2.0.0 OK"
        )
        if self.host == "mx.small.test" and len(message) > SIZE_LIMIT:
            reply = DATA["big"]
        if self.host == "mail.sender.test":
            keep(self.recipients[0].partition("@")[0], message)
        self.say(reply)
        return True

    def say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


LOCK = threading.Lock()


def keep(local_part: str, message: bytes) -> None:
    """Write a mail that came back to the next free name of its case."""
    case = local_part.partition("+")[2] or local_part
    with LOCK:
        number = 1
        while (path := Path(sys.argv[1], f"{case}.{number}.eml" if number > 1 else f"{case}.eml")).exists():
            number += 1
        path.write_bytes(message.replace(b"\r\n", b"\n"))


def main() -> None:
    """Serve until killed."""
    for name in LISTENING:
        server = Server((ADDRESSES[name], 25), Session)
        threading.Thread(target=server.serve_forever).start()
    socketserver.ThreadingUDPServer((ADDRESSES["ns.sender.test"], 53), Question).serve_forever()


if __name__ == "__main__":
    main()
