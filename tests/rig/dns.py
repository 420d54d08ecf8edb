"""A name server on loopback that knows what the test says; UDP, in a thread of its own."""

import socketserver
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.rig.thread import ServerThread


class NameServer(ServerThread):
    """Answers on a free UDP port of 127.0.0.1 while the context lasts.

    `records`: (name without the last dot, type) → its records in the notation of zone files; None: SERVFAIL. A name
    with records of other types only is empty, all other names don't exist. May be changed at any time. `silent`: no
    answer at all. `asked` lists the questions.
    """

    def __init__(self, records: Mapping[tuple[str, str], list[str] | None]) -> None:
        self.records = dict(records)
        self.silent = False
        self.asked: list[tuple[str, str]] = []
        super().__init__(_Server(self))

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"127.0.0.1:{self.port}"

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The reply to one query."""
        reply = dns.message.make_response(query, recursion_available=True)
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        found = self.records.get((name, kind), [])
        if found is None:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(name == known for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply


class _Server(socketserver.UDPServer):
    def __init__(self, rig: NameServer) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.rig = rig


class _Question(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        wire, socket = self.request
        rig = self.server.rig
        if not rig.silent:
            socket.sendto(rig.answer(dns.message.from_wire(wire)).to_wire(), self.client_address)
