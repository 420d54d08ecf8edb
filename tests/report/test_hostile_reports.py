"""The acceptance list of reading, F25 to F37 and F42: one test for each; its docstring ends with what turns it red."""

import tracemalloc
from itertools import count
from pathlib import Path

import pytest

from bouncemilter import address, classify, classify_bytes, limits, report, text
from bouncemilter.classify import RulesError
from bouncemilter.model import Action, Category, Defect, Kind, Report
from bouncemilter.report import reader
from bouncemilter.report.deadline import Deadline

HEAD = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: zwroty@example.pl\nSubject: Undelivered mail\n"
MULTIPART = HEAD + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"


def dsn(fields: str, *, before: str = "--b\n\nnotice\n", after: str = "--b--\n", encoding: str = "") -> bytes:
    part = f"--b\nContent-Type: message/delivery-status\n{encoding}\n{fields}\n"
    return (MULTIPART + before + part + after).encode("utf-8", "surrogatepass")


JAN = "Final-Recipient: rfc822; jan@example.com\nAction: failed\nStatus: 5.1.1\n"


def only(found: Report) -> tuple[str, Action | None, str]:
    """The one recipient of a report: address, action, status."""
    (each,) = found.recipients
    return each.address, each.action, each.status


def ticks(step: float) -> Deadline:
    """A deadline whose clock goes on by `step` seconds at each look."""
    clock = count(0, step)
    return Deadline(cpu=lambda: next(clock), wall=count().__next__, pauses=0)


@pytest.mark.parametrize(
    "opening", [b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", b"Content-Type: message/rfc822\n\n"]
)
def test_f25_depth(opening: bytes) -> None:
    """800 levels end at the limit with its defect, what stands before is read. Red: Splitter without depth."""
    nested = b"".join(opening.replace(b"%d", b"%d" % level) for level in range(800))
    raw = dsn(JAN, after="--b\n") + nested
    found = reader.understand(raw)
    assert Defect.LIMIT_DEPTH in found.defects
    assert only(found)[0] == "jan@example.com"


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (MULTIPART.encode() + b"--b\n\n" * 100_000, Defect.LIMIT_PARTS),
        (b"A: b\n" * 80_000, Defect.LIMIT_HEADER),
        (dsn("".join(JAN.replace("jan", f"jan{n}") + "\n" for n in range(5_000))), Defect.LIMIT_RECIPIENTS),
        (
            (HEAD + "\nfailed\n" + "".join(f"<a{n}@example.com>: 550 no\n" for n in range(400))).encode(),
            Defect.LIMIT_RECIPIENTS,
        ),
        (b"Content-Type: multipart/mixed" + b"; a=b" * 1_000 + b"\n\n", Defect.LIMIT_LINE),
        (b"Content-Type: multipart/mixed" + b"".join(b"; b*%d=x" % n for n in range(900)) + b"\n\n", Defect.LIMIT_LINE),
    ],
    ids=["parts", "headers", "blocks", "addresses", "parameters", "continuations"],
)
def test_f26_counts(raw: bytes, defect: Defect) -> None:
    """Too many of anything is capped, and a defect says so. Red: any of the caps taken out."""
    found = reader.understand(raw)
    assert defect in found.defects
    assert len(found.recipients) <= limits.RECIPIENTS


@pytest.mark.parametrize("value", ["=?utf-8?q?=C5=82?= " * 20_000, "((((", '""@', "<[", "<@>", "=?", "=?utf-8?b?=?="])
@pytest.mark.parametrize("name", ["From", "To", "Subject", "Message-ID", "Content-Type", "Received"])
def test_f27_headers(name: str, value: str) -> None:
    """No value of any field raises. Red: a header parsed by the standard library's policy.default."""
    found = reader.understand(f"{name}: {value}\n\nx\n".encode())
    assert found.kind is Kind.MAIL
    assert len(found.sender) <= limits.ADDRESS


def test_f28_size() -> None:
    """Of 20 MB no more is held than the kept octets and a small multiple. Red: Message keeping the whole of `raw`."""
    raw = dsn(JAN) + b"x" * 20_000_000
    tracemalloc.start()
    found = report.read(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert Defect.TRUNCATED in found.defects
    assert only(found)[0] == "jan@example.com"
    assert peak < 8 * limits.KEPT_BYTES


@pytest.mark.parametrize("bad", ["\x00", "\x1b[31m", "\x9b", "\u202e", "\u2028", "\ufeff", "\ud800"])
def test_f29_controls(bad: str) -> None:
    """Controls, bidi overrides and surrogates are in no text that is kept. Red: finish without text.clean."""
    raw = dsn(f"Final-Recipient: rfc822; jan{bad}@example.com\nAction: failed\nDiagnostic-Code: smtp; 550 a{bad}b\n")
    found = reader.understand(raw.replace(b"notice", f"no{bad}tice".encode("utf-8", "surrogatepass")))
    (each,) = found.recipients
    for kept in (each.address, each.diagnostic, found.reporting_mta):
        assert kept == text.clean(kept, limits.DIAGNOSTIC)


@pytest.mark.parametrize("charset", ["idna", "punycode", "unicode_escape", "zlib", "utf-7", "utf-16", "nonesuch"])
def test_f30_charsets(charset: str) -> None:
    """A charset off the list is a defect, and its text is read all the same. Red: any declared codec used."""
    raw = f"{HEAD}Content-Type: text/plain; charset={charset}\n\nfailed é\n<jan@example.com>: 550 No such user\n"
    found = reader.understand(raw.encode("iso-8859-1"))
    assert Defect.BAD_CHARSET in found.defects
    assert only(found)[0] == "jan@example.com"


@pytest.mark.parametrize(
    ("encoding", "fields"),
    [
        ("base64", "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGphbkBleGFtcGxlLmNvbQpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMS4xCg=="),
        ("base64", "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGphbkBleGFtcGxlLmNvbQpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMS4xCg"),
        ("quoted-printable", JAN.replace("@", "=40")),
        ("binary", JAN),
        ("x-nonesuch", JAN),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_f31_encodings(encoding: str, fields: str, line_end: bytes) -> None:
    """Every encoding and line end gives the recipient. Red: delivery-status read undecoded, or split at LF only."""
    raw = dsn(fields, encoding=f"Content-Transfer-Encoding: {encoding}\n")
    assert only(reader.understand(raw.replace(b"\n", line_end))) == ("jan@example.com", Action.FAILED, "5.1.1")


@pytest.mark.parametrize(
    "raw",
    [
        dsn(JAN, after=""),
        dsn(JAN).replace(b"; boundary=b", b""),
        dsn(JAN).replace(b"boundary=b", b"boundary=other"),
        dsn(JAN).replace(b"MIME", b"x").replace(b"boundary=b", b"boundary=b\nContent-Type: text/plain"),
        dsn(JAN).replace(b"boundary=b", b'boundary="b"  '),
        dsn(JAN + "\nFinal-Recipient: rfc822; ewa@exa", after=""),
    ],
    ids=["no end", "no parameter", "wrong parameter", "two types", "quoted", "cut in a block"],
)
def test_f32_structure(raw: bytes) -> None:
    """Of a damaged multipart the first whole recipient block is read. Red: Splitter without guesses and open ends."""
    first = reader.understand(raw).recipients[0]
    assert (first.address, first.action, first.status) == ("jan@example.com", Action.FAILED, "5.1.1")


def test_f33_no_known_format() -> None:
    """Words that no rule knows are a bounce with a `fallback.*` rule. Red: a generic reader that gives up."""
    raw = HEAD + "\nThe message was not delivered.\n\nTo: jan@example.com\nWhy: ęśąćż zzz\n"
    found = classify_bytes(raw.encode())
    assert found.kind is Kind.BOUNCE
    (each,) = found.recipients
    assert each.recipient.address == "jan@example.com"
    assert each.ruling is not None
    assert each.ruling.rule.startswith("fallback.")


def test_f34_nested_reports() -> None:
    """A returned report's recipients are not this report's; what a person attaches is mail. Red: leaves of rfc822."""
    inner = dsn(JAN.replace("jan", "obcy")).decode()
    returned = f"--b\nContent-Type: message/rfc822\n\n{inner.replace('boundary=b', 'boundary=c').replace('--b', '--c')}"
    assert only(reader.understand(dsn(JAN, after=f"{returned}\n--b--\n")))[0] == "jan@example.com"
    letter = (
        "From: Ewa <ewa@example.com>\nTo: zwroty@example.pl\nSubject: co to jest?\n"
        f"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nDostałam to:\n{returned}\n--b--\n"
    )
    assert reader.understand(letter.encode()).kind is Kind.MAIL


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("Action: failed\nStatus: 4.4.7\n", Kind.BOUNCE),
        ("Action: failed\nStatus: 2.0.0\n", Kind.BOUNCE),
        ("Action: delayed\nStatus: 5.1.1\n", Kind.DELAYED),
        ("Action: delivered\nStatus: 5.1.1\n", Kind.DELIVERED),
        ("Action: failed\n", Kind.BOUNCE),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; try again later\n", Kind.BOUNCE),
    ],
)
def test_f35_contradictions(fields: str, kind: Kind) -> None:
    """The action decides, whatever the status says; without one a status of class 5. Red: status asked first."""
    assert reader.understand(dsn(f"Final-Recipient: rfc822; jan@example.com\n{fields}")).kind is kind


def test_f36_operators_patterns(tmp_path: Path) -> None:
    """A pattern that RE2 does not take is a fault of its file. Red: operators' patterns compiled by `re`."""
    (tmp_path / "own.toml").write_text(
        'provider = "generic"\n[[rule]]\nid = "own.x"\ncategory = "user_unknown"\npatterns = ["(a)\\\\1+$"]\n'
        'source = "own"\nexamples = ["550 aaaa"]\n'
    )
    with pytest.raises(RulesError, match=r"own\.toml"):
        classify.load(tmp_path)


@pytest.mark.parametrize(
    ("written", "read", "key"),
    [
        ("JAN@EXAMPLE.COM", "JAN@EXAMPLE.COM", "jan@example.com"),
        ("jan+tag@example.com", "jan+tag@example.com", "jan+tag@example.com"),
        ("<jan@example.com>", "jan@example.com", "jan@example.com"),
        ('"jan"@example.com', '"jan"@example.com', "jan@example.com"),
        ('"a b"@example.com', '"a b"@example.com', '"a b"@example.com'),
        ('"jan@example.com"', "jan@example.com", "jan@example.com"),
        ("jan@[192.0.2.1]", "jan@[192.0.2.1]", "jan@[192.0.2.1]"),
        ("jan@źródło.example", "jan@źródło.example", "jan@xn--rdo-gna01bwk.example"),
        ("jаn@example.com", "jаn@example.com", "jаn@example.com"),
        ("j" * 400 + "@example.com", "", ""),
    ],
)
def test_f37_addresses(written: str, read: str, key: str) -> None:
    """An odd address is kept as written, and is nobody else's. Red: quotes stripped, or letters folded, in dsn."""
    (each,) = reader.understand(dsn(f"Final-Recipient: rfc822; {written}\nAction: failed\n")).recipients
    assert each.address == read
    assert address.key(each.address) == key


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("From: a@example.com\nAuto-Submitted: auto-replied\nSubject: Re: x\n\nI am away.\n", Kind.AUTO_REPLY),
        ("From: a@example.com\nSubject: Automatyczna odpowiedź: x\n\nJestem na urlopie do 5 maja.\n", Kind.AUTO_REPLY),
        (
            (
                "From: a@example.com\nSubject: Read: x\nContent-Type: multipart/report; boundary=b\n\n--b\n\nx\n"
                "--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; a@example.com\n--b--\n"
            ),
            Kind.RECEIPT,
        ),
        (
            (
                "From: a@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\n\nx\n"
                "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: not-spam\n--b--\n"
            ),
            Kind.REPORT,
        ),
        (
            (
                "From: a@example.com\nSubject: Report Domain: example.pl Submitter: example.com Report-ID: 1\n"
                "Content-Type: application/zip\n\nx\n"
            ),
            Kind.REPORT,
        ),
        (
            (
                "From: a@example.com\nSubject: Please confirm your message\n\nYour message is being held. To free it, "
                "just reply to this message; it will be delivered to a human.\n"
            ),
            Kind.CHALLENGE,
        ),
    ],
)
def test_f42_no_bounces(raw: str, kind: Kind) -> None:
    """What comes back and is no bounce is told as what it is, and no one failed. Red: freeform.read as first reader."""
    found = classify_bytes(raw.encode())
    assert found.kind is kind
    assert not any(each.ruling for each in found.recipients)


def test_time_is_over_before_a_reader() -> None:
    """A message whose time is over at once is mail with the defect. Red: reader._first without Message.is_late."""
    found = report.read(dsn(JAN), deadline=ticks(limits.PARSE_SECONDS + 1))
    assert (found.kind, found.defects) == (Kind.MAIL, (Defect.LIMIT_TIME,))


def test_time_is_over_between_recipients() -> None:
    """What was read until the time was over is told. Red: no look at the clock in dsn._report."""
    blocks = "".join(JAN.replace("jan", f"jan{n}") + "\n" for n in range(50))
    found = report.read(dsn(blocks), deadline=ticks(limits.PARSE_SECONDS / 20))
    assert found.kind is Kind.BOUNCE
    assert Defect.LIMIT_TIME in found.defects
    assert 0 < len(found.recipients) < 50


@pytest.mark.parametrize(
    ("cpu", "wall", "late"),
    [(0.0499, 9, False), (0.05, 9, False), (0.0501, 9, True), (0.0501, 0.0501, True), (0, 9, False)],
)
def test_deadline(cpu: float, wall: float, late: bool) -> None:
    """Work is over after its last instant of CPU time; waiting for the CPU is no work. Red: `>=`, or the wall clock."""
    now = {"cpu": 0.0, "wall": 0.0}
    deadline = Deadline(0.05, cpu=lambda: now["cpu"], wall=lambda: now["wall"], pauses=0)
    now.update(cpu=cpu, wall=wall)
    assert deadline.passed() is late


def test_one_pause_is_no_work() -> None:
    """A round of the garbage collector turns no bounce into mail; what goes on and on does. Red: no second chance."""
    now = {"cpu": 0.0, "wall": 0.0}
    deadline = Deadline(0.05, cpu=lambda: now["cpu"], wall=lambda: now["wall"])
    now.update(cpu=0.2, wall=0.2)
    assert not deadline.passed()
    now.update(cpu=0.24, wall=0.24)
    assert not deadline.passed()
    now.update(cpu=0.26, wall=0.26)
    assert deadline.passed()


def test_permanent_words_without_a_code() -> None:
    """`Permanent` without a code is class 5, and no reason is made up. Red: freeform.PERMANENT not set."""
    raw = HEAD + "\nDelivery to the following recipient failed permanently:\n\n    jan@example.com\n"
    (each,) = classify_bytes(raw.encode()).recipients
    assert each.recipient.status == "5.0.0"
    assert each.ruling is not None
    assert each.ruling.category is Category.HARD_OTHER
