"""One address: syntax, typing errors, risks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter import address
from bouncemilter.language import Language
from bouncemilter.settings.checks.domains import free_mail_domains
from bouncemilter.validation import (
    Checker,
    DomainFileError,
    MailHostStatus,
    Reason,
    Validity,
    disposable_domains,
    verdict,
    words,
)
from bouncemilter.validation.typo import _distance, suggestion


def reasons(written: str) -> tuple[Reason, ...]:
    return Checker(known=free_mail_domains(), disposable=disposable_domains()).check(written, {}).reasons


@pytest.mark.parametrize(
    "written",
    [
        "jan@wp.pl",
        "Jan.Kowalski+news@Poczta.onet.pl",
        "o'neil_x-1@firma.com.pl",
        "jan@żółw.pl",
        "jan@xn--w-uga1v8h.pl",
        "ab" * 32 + "@wp.pl",
        "jan@" + "a" * 63 + ".pl",
        "jan@3m.com",
        "jan@firma.xn--p1ai",
        "pomocnik@firma.pl",
        "list.jan@firma.pl",
    ],
)
def test_good(written: str) -> None:
    """Nothing is said against an ordinary address."""
    assert reasons(written) == ()


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("", Reason.SYNTAX),
        ("jan", Reason.SYNTAX),
        ("jan@", Reason.SYNTAX),
        ("@wp.pl", Reason.SYNTAX),
        ("jan kowalski@wp.pl", Reason.SYNTAX),
        ("jan@wp..pl", Reason.SYNTAX),
        ("jan@@wp.pl", Reason.SYNTAX),
        ("a" * 65 + "@wp.pl", Reason.LOCAL_PART),
        (".jan@wp.pl", Reason.LOCAL_PART),
        ("jan.@wp.pl", Reason.LOCAL_PART),
        ("j..an@wp.pl", Reason.LOCAL_PART),
        ("jan@wp", Reason.DOMAIN_SYNTAX),
        ("jan@-wp.pl", Reason.DOMAIN_SYNTAX),
        ("jan@wp-.pl", Reason.DOMAIN_SYNTAX),
        ("jan@w_p.pl", Reason.DOMAIN_SYNTAX),
        ("jan@" + "a" * 64 + ".pl", Reason.DOMAIN_SYNTAX),
        ("jan@" + "a." * 126 + "plx", Reason.DOMAIN_SYNTAX),
        ("jan@192.0.2.1", Reason.DOMAIN_SYNTAX),
        ("jan@xn--a.pl", Reason.DOMAIN_SYNTAX),
        ("jan@a\u2060b.pl", Reason.SYNTAX),
        ("jan@☃️.pl", Reason.DOMAIN_SYNTAX),
        ("jan@example.com", Reason.RESERVED_DOMAIN),
        ("jan@firma.test", Reason.RESERVED_DOMAIN),
        ("jan@serwer.local", Reason.RESERVED_DOMAIN),
        ("jan@[192.0.2.1]", Reason.DOMAIN_LITERAL),
        ('"jan kowalski"@wp.pl', Reason.QUOTED),
        ("żółw@wp.pl", Reason.SMTPUTF8),
        ("a..b.@docomo.ne.jp", Reason.DOTS),
        ("biuro@firma.pl", Reason.ROLE),
        ("no-reply@firma.pl", Reason.ROLE),
        ("Sekretariat+x@szkola.edu.pl", Reason.ROLE),
        ("biuro1@firma.pl", Reason.ROLE),
        ("biuro.krakow@firma.pl", Reason.ROLE),
        ("dzial_handlowy@firma.pl", Reason.ROLE),
        ("redakcja@firma.pl", Reason.ROLE),
        ("jan@mailinator.com", Reason.DISPOSABLE),
        ("jan@x.yopmail.com", Reason.DISPOSABLE),
        ("spamtrap@firma.pl", Reason.TRAP_LIKE),
        ("jan@honeypot.firma.pl", Reason.TRAP_LIKE),
        ("3f2a9c4b7d1e8a6f5c0b9d2e@firma.pl", Reason.TRAP_LIKE),
        ("test1@firma.pl", Reason.MADE_UP),
        ("aaaa@firma.pl", Reason.MADE_UP),
        ("brak@firma.pl", Reason.MADE_UP),
    ],
)
def test_bad(written: str, wanted: Reason) -> None:
    """Each fault and risk is told by its own word."""
    assert wanted in reasons(written)
    assert verdict(reasons(written)) is not Validity.OK


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("wp.pll", "wp.pl"),
        ("wp.lp", "wp.pl"),
        ("wp.p", "wp.pl"),
        ("dżmail.pl", "gmail.com"),
        ("gmail.pl", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yahho.com", "yahoo.com"),
        ("interja.pl", "interia.pl"),
        ("intreia.pl", "interia.pl"),
        ("ontet.pl", "onet.pl"),
        ("onet.pl.pl", "onet.pl"),
        ("o2.pll", "o2.pl"),
        ("poczta.onrt.pl", "poczta.onet.pl"),
        ("gazetą.pl", "gazeta.pl"),
        ("outlok.com", "outlook.com"),
    ],
)
def test_typing_errors(mistyped: str, meant: str) -> None:
    """What is likely meant is told, whether the mistyped domain exists or not."""
    found = Checker(known=free_mail_domains()).check(f"Jan.K@{mistyped}", {})
    assert found.suggestion == f"Jan.K@{meant}"
    assert Reason.TYPO in found.reasons


@pytest.mark.parametrize(
    "name",
    (
        "wp.pl hp.pl up.pl wp.eu mail.com ymail.com email.com wp.com onet.eu yahoo.de net.pl cloud.com olive.com "
        "hmail.com fmail.com gomail.com ten.pl gazety.pl gazetka.pl interim.pl interna.pl libro.it fee.fr mec.com "
        "proto.me seznam.sk webb.de me.co"
    ).split(),
)
def test_no_typing_error(name: str) -> None:
    """A domain that exists by itself is left alone while nothing speaks against it."""
    assert Checker(known=free_mail_domains()).check(f"jan@{name}", {name: MailHostStatus.MX}).suggestion == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("hotmal.com", "hotmail.com"),
        ("yahho.com", "yahoo.com"),
        ("intreia.pl", "interia.pl"),
        ("onnet.pl", "onet.pl"),
        ("wp.pll", "wp.pl"),
        ("gmail.pl", "gmail.com"),
    ],
)
def test_caught_typing_errors(name: str, meant: str) -> None:
    """Typing errors whose domain somebody has registered, with a mail server, are told all the same."""
    for finding in (MailHostStatus.MX, MailHostStatus.IMPLICIT):
        assert Checker(known=free_mail_domains()).check(f"jan@{name}", {name: finding}).suggestion == f"jan@{meant}"


@pytest.mark.parametrize("name", ["gazety.pl", "olive.com", "cloud.com", "hmail.com", "proto.me"])
def test_likely_where_dead(name: str) -> None:
    """The same slip is told where the domain takes no mail."""
    assert Checker(known=free_mail_domains()).check(f"jan@{name}", {name: MailHostStatus.NOT_FOUND}).suggestion


def test_dead_domain_near_by() -> None:
    """One slip in a short name is told where the domain takes no mail, and not where it does."""
    checker = Checker(known=free_mail_domains())
    assert checker.check("jan@qp.pl", {"qp.pl": MailHostStatus.MX}).suggestion == ""
    found = checker.check("ola@qp.pl", {"qp.pl": MailHostStatus.NOT_FOUND})
    assert (found.verdict, found.suggestion) == (Validity.INVALID, "ola@op.pl") or found.suggestion == "ola@wp.pl"


def test_providers_are_no_typing_errors() -> None:
    """No provider of mailboxes is taken for another one."""
    assert [name for name in free_mail_domains() if suggestion(name, free_mail_domains())] == []


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance(one: str, other: str) -> None:
    """The distance is the same both ways, and nothing only where the words are equal."""
    distance = _distance(one, other, 10)
    assert distance == _distance(other, one, 10)
    assert (distance == 0) == (one == other)
    assert distance <= max(len(one), len(other))


def test_duplicates() -> None:
    """An address is a duplicate by its key, and no worse for that."""
    checker = Checker()
    assert checker.check("Jan@WP.pl", {}).reasons == ()
    again = checker.check("<jan@wp.pl>", {})
    assert (again.verdict, again.reasons) == (Validity.OK, (Reason.DUPLICATE,))


def test_hidden_letters() -> None:
    """An address with letters that nobody sees is none; what people see is the suggestion."""
    found = Checker().check("jan@\u200bwp.pl\ufeff", {})
    assert (found.verdict, found.reasons, found.suggestion) == (Validity.INVALID, (Reason.SYNTAX,), "jan@wp.pl")
    assert Checker().check("jan\u200b", {}).suggestion == ""


def test_forget() -> None:
    """What is forgotten is no duplicate the next time."""
    checker = Checker()
    checker.check("jan@wp.pl", {})
    checker.forget("JAN@wp.pl")
    assert checker.check("jan@wp.pl", {}).reasons == ()


def test_domain_to_ask() -> None:
    """DNS is asked only for what can be a domain, as A-label."""
    checker = Checker()
    assert [checker.domain(each) for each in ("a@ŻÓŁW.pl", "a@[192.0.2.1]", "a@x.test", "a", "a@b")] == [
        "xn--w-uga1v8h.pl",
        "",
        "",
        "",
        "",
    ]


def test_words() -> None:
    """Every reason is told in both languages, and differently."""
    assert all(words(each, Language.PL) != words(each) for each in Reason)


def test_disposable_file(tmp_path: Path) -> None:
    """A file of domains adds to those shipped, with comments, marks and capitals; a bad line is named."""
    path = tmp_path / "d.txt"
    path.write_text("\ufeff# mine\nŚmieci.pl\r\n@x.example.net # y\n\n*.z.net\n")
    added = disposable_domains(path) - disposable_domains()
    assert added == {address.domain_key("śmieci.pl"), "x.example.net", "z.net"}
    path.write_text("a.pl\nno domain\n")
    with pytest.raises(DomainFileError, match="line 2: not a domain"):
        disposable_domains(path)
    path.write_bytes(b"\xff")
    with pytest.raises(DomainFileError, match="UTF-8"):
        disposable_domains(path)


@given(st.text(max_size=40))
def test_any_text(written: str) -> None:
    """Any text gets a verdict."""
    assert Checker().check(written, {}).verdict in Validity
