"""What GetResponse does with bounces, feature by feature, as its users find it here."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from bouncemilter.cli.exits import Exit
from bouncemilter.store import Store
from tests.dkim.signing import RECORD
from tests.products.conftest import Desk
from tests.rig import mail
from tests.rig.dns import NameServer
from tests.statistics.mailing import sent

BLOCKED_YOU = "550 5.7.1 <{}>: the recipient has blocked you"
UNEXPLAINED = "550 5.0.0 <{}>: delivery error"
WORDS = "554 5.7.1 Wiadomosc odrzucona jako spam (KB-77)"


def returned(path: str, address: str, said: str, campaign: str, list_id: str, subject: str) -> bytes:
    """A report that returns the headers of a campaign's mail."""
    headers = f"Subject: {subject}\nX-Campaign-ID: {campaign}\nList-ID: <{list_id}>\n"
    return mail.dsn(path, address, said).replace(b"Subject: News\n", headers.encode())


@pytest.fixture
def mailed(desk: Desk) -> Desk:
    """A desk that has sent two campaigns to two providers today, of which some came back.

    (What is sent is counted by the milter: tests/e2e/test_outgoing.py.)
    """
    now = dt.datetime.now(dt.UTC)

    async def send(store: Store) -> None:
        await store.sent.record(sent(50, now, "wp.pl", campaign="wiosna", list_id="l.own.test"))
        await store.sent.record(sent(50, now, "onet.pl", campaign="jesien", list_id="m.own.test"))

    desk.store(send)
    spring, autumn = ("wiosna", "l.own.test", "Wiosna"), ("jesien", "m.own.test", "=?utf-8?q?Jesie=C5=84?=")
    for address, said, headers in (
        ("jan.kowalski@wp.pl", WORDS, spring),
        ("ewa@wp.pl", mail.UNKNOWN, spring),
        ("ola@onet.pl", mail.FULL, autumn),
    ):
        desk.read((returned(desk.path(address), address, said, *headers), 0))
    return desk


def figures(desk: Desk, *options: str) -> dict[str, tuple[Any, Any, Any]]:
    """Of each line that the report has: sent, failed, rate."""
    (found,) = desk.objects("report", *options)
    return {line["name"]: (line["sent"], line["failed"], line["rate"]) for line in found["lines"]}


def test_g01_hard_at_once(desk: Desk) -> None:
    """GetResponse removes hard bounces and "the user blocked you" at once: one message is enough where it is proven to
    be about your mail, and who blocks you is taken off this sender's mail only.
    """
    desk.sign()
    desk.comes("jan@wp.pl")
    desk.comes("iza@wp.pl", BLOCKED_YOU)
    found = {each["address_key"]: (each["cause"], each["scope"]) for each in desk.objects("suppression", "list")}
    assert found == {"jan@wp.pl": ("hard", "global"), "iza@wp.pl": ("blocked_by_recipient", "sender")}
    assert [each["scope_value"] for each in desk.objects("suppression", "list", "--scope", "sender")] == ["own.test"]


def test_g02_soft_at_the_fourth(desk: Desk) -> None:
    """GetResponse removes at the 4th soft bounce in 32 days: here too, and until then the count is seen; of four of
    which one is older, nothing comes.
    """
    desk.comes("ola@wp.pl", mail.FULL, days_ago=(40, 9, 6, 3))
    desk.comes("ewa@wp.pl", mail.FULL, days_ago=(9, 6, 3))
    watched = desk.objects("suppression", "list", "--state", "watching")
    assert {each["address_key"]: each["watched"] for each in watched} == {"ola@wp.pl": "3/4", "ewa@wp.pl": "3/4"}
    desk.comes("ewa@wp.pl", mail.FULL)
    assert desk.state_of("ewa@wp.pl") == "suppressed"


def test_g03_unexplained_at_the_second(desk: Desk) -> None:
    """GetResponse removes "hard, other" at the 2nd: a refusal for good that gives no reason is watched, and the next
    one suppresses.
    """
    desk.sign()
    desk.comes("ola@wp.pl", UNEXPLAINED)
    assert desk.state_of("ola@wp.pl") == "1/2"
    desk.comes("ola@wp.pl", UNEXPLAINED)
    assert desk.state_of("ola@wp.pl") == "suppressed"
    assert [each["category"] for each in desk.objects("suppression", "list")] == ["hard_other"]


FIFTEEN = (
    ("550 5.1.1 user unknown", "user_unknown", "hard"),
    ("550 5.1.6 the user has moved to a new address", "mailbox_owner_changed", "hard"),
    ("552 5.2.2 mailbox full", "mailbox_full", "soft"),
    ("450 4.4.1 connection timed out", "host_not_responding", "soft"),
    ("554 5.7.1 sending domain own.test does not pass DMARC verification", "dmarc_failed", "block"),
    ("550 5.7.23 SPF validation failed", "sender_auth_failed", "block"),
    ("554 5.4.7 delivery time expired", "delivery_timeout", "soft"),
    ("554 5.7.1 message rejected as spam by content filter", "content_blocked", "block"),
    ("550 5.1.8 sender address rejected", "sender_rejected", "block"),
    ("421 4.7.28 too many messages from your IP, rate limited", "rate_limited", "block"),
    ("550 5.7.1 part of your network is on our block list", "blocked_by_provider", "block"),
    ("554 5.7.1 client host [192.0.2.1] blocked using zen.spamhaus.org", "blocklisted", "block"),
    ("550 5.7.1 rejected by local policy", "policy_other", "block"),
    ("450 4.0.0", "soft_other", "soft"),
    ("550 5.0.0", "hard_other", "hard"),
)
"""A refusal of each reason that GetResponse tells apart."""


def test_g04_fifteen_reasons() -> None:
    """GetResponse tells fifteen reasons apart: each of them is a category of its own, with class and advice."""
    replies = "".join(f"{reply}\n" for reply, _, _ in FIFTEEN)
    done = CliRunner().invoke(main, ["classify", "--advice", "--text", "-"], input=replies, catch_exceptions=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["text"], each["category"], each["class"]) for each in found] == list(FIFTEEN)
    assert len({each["category"] for each in found}) == 15
    assert all(each["advice"]["meaning"] for each in found)


def test_g05_bounced_by_type(desk: Desk) -> None:
    """GetResponse lists who bounced, by type: the suppressions by class, category and cause."""
    desk.comes("ewa@wp.pl", mail.FULL, days_ago=(3, 2, 1, 0))
    desk.sign()
    desk.comes("jan@wp.pl")

    def listed(*options: str) -> list[str]:
        return [each["address_key"] for each in desk.objects("suppression", "list", *options)]

    assert listed() == ["ewa@wp.pl", "jan@wp.pl"]
    assert listed("--class", "hard") == listed("--category", "user_unknown") == ["jan@wp.pl"]
    assert listed("--class", "soft") == listed("--cause", "soft") == ["ewa@wp.pl"]


def test_g06_rates(mailed: Desk) -> None:
    """GetResponse shows rates by message, type, list and period: the report is divided by each of them."""
    assert figures(mailed, "--by", "campaign") == {"wiosna": (50, 2, 0.04), "jesien": (50, 1, 0.02)}
    assert figures(mailed, "--by", "list") == {"l.own.test": (50, 2, 0.04), "m.own.test": (50, 1, 0.02)}
    mailings = figures(mailed, "--by", "message")
    assert {name: failed for name, (_, failed, _) in mailings.items()} == {"Wiosna": 2, "Jesień": 1}
    by_type = figures(mailed, "--by", "category")
    assert {name: failed for name, (_, failed, _) in by_type.items()} == {
        "content_blocked": 1,
        "user_unknown": 1,
        "mailbox_full": 1,
    }
    today = dt.datetime.now(dt.UTC).date()
    assert figures(mailed, "--by", "day", "--from", str(today), "--to", str(today)) == {str(today): (100, 3, 0.03)}
    (before,) = mailed.objects("report", "--from", "2026-01-01", "--to", "2026-01-31")
    assert before["total"]["failed"] == 0


def test_g07_reasons_of_one_message(mailed: Desk) -> None:
    """GetResponse shows the reasons of one message with raw texts: by category for a campaign, and the servers' words
    of one of them.
    """
    assert set(figures(mailed, "--campaign", "wiosna", "--by", "category")) == {"content_blocked", "user_unknown"}
    (found,) = json.loads(mailed.run("report", "--campaign", "wiosna", "--raw", "content_blocked", "--json").stdout)
    assert (found["n"], found["diagnostic"]) == (1, WORDS)
    assert mailed.run("report", "--campaign", "jesien", "--raw", "content_blocked").exit_code == Exit.NO


def test_g08_bundle(mailed: Desk, tmp_path: Path) -> None:
    """GetResponse has a desk that talks to providers: the bundle for a ticket holds their refusals, and no address."""
    out = tmp_path / "wp.zip"
    assert mailed.run("report", "--bundle", str(out), "--provider", "wp.pl").exit_code == 0
    with zipfile.ZipFile(out) as file:
        refusals = file.read("refusals.csv").decode()
        assert WORDS in refusals
        for name in file.namelist():
            assert "kowalski" not in file.read(name).decode()


def record_of(public_key: Path) -> str:
    """A DKIM record as a zone file has it: in pieces of at most 255 octets."""
    text = public_key.read_text().strip()
    return " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))


GOOD: dict[tuple[str, str], list[str] | None] = {
    ("bounces.own.test", "TXT"): ['"v=spf1 mx -all"'],
    ("_dmarc.own.test", "TXT"): ['"v=DMARC1; p=reject"'],
    ("bulk._domainkey.own.test", "TXT"): [record_of(RECORD)],
}


@pytest.mark.parametrize(("records", "levels"), [(GOOD, ["ok", "ok", "ok"]), ({}, ["warn", "warn", "fail"])])
def test_g09_sending_domain(desk: Desk, records: dict[tuple[str, str], list[str] | None], levels: list[str]) -> None:
    """GetResponse has the sending domain's DKIM, DMARC and SPF checked: the doctor says of each whether it is right,
    and what to publish where it is missing.
    """
    own = f'[[dkim]]\ndomain = "own.test"\nselector = "bulk"\npublic_key_file = "{RECORD}"\n'
    desk.config.write_text(f'{desk.config.read_text()}[inbound]\nown_domains = ["own.test"]\n{own}')
    postfix = ("--mta", "postfix", "--postfix", str(desk.folder))
    with NameServer(records) as server:
        done = desk.run("doctor", "--no-self-test", "--json", *postfix, "--resolver", server.address)
    found = {each["check"]: each for each in map(json.loads, done.stdout.splitlines())}
    checks = [found[name] for name in ("SPF of the return path", "DMARC of the sender", "DKIM of the sender")]
    assert [each["level"] for each in checks] == levels
    remedies = ["", "", ""] if levels[0] == "ok" else ['"v=spf1 ', '"v=DMARC1; ', "Publish the signer's public key"]
    assert all(wanted in each["remedy"] for each, wanted in zip(checks, remedies, strict=True))
    assert [bool(each["remedy"]) for each in checks] == [level != "ok" for level in levels]


def test_g10_server_s_own_words(desk: Desk) -> None:
    """GetResponse keeps the server's own words: they stand in `why`, in the list and in the export as they came."""
    words = "550 5.1.1 <jan@wp.pl>: Użytkownik nieznany (u=7, KB-42)"
    desk.sign()
    desk.comes("jan@wp.pl", words)
    assert f"server said  {words}" in desk.run("why", "jan@wp.pl").stdout
    assert [each["diagnostic"] for each in desk.objects("suppression", "list")] == [words]
    assert words in desk.run("suppression", "export").stdout
