"""What AnoMail does with returns, feature by feature, as its users find it here."""

from __future__ import annotations

import csv
import datetime as dt
import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner

import bouncemilter
from bouncemilter import classify
from bouncemilter.cli import main
from bouncemilter.cli.exits import Exit
from bouncemilter.language import Language
from bouncemilter.model import Category, Phase
from bouncemilter.settings.types import MailboxSettings, PolicySettings
from bouncemilter.store import Store
from tests.products.conftest import Desk
from tests.rig import mail
from tests.statistics.mailing import sent

ROOT = Path(__file__).parents[2]
RESIGNATION = "Rezygnuję z newslettera, proszę o usunięcie mojego adresu z listy."
LIST = "Imię;E-mail\nJan;jan@wp.pl\nEwa;ewa@wp.pl\nOla;ola@wp.pl\n"


def classified(*arguments: str | Path, stdin: bytes = b"") -> list[dict[str, object]]:
    """What `classify` says."""
    words = [str(each) for each in arguments]
    done = CliRunner().invoke(main, ["classify", "--json", *words], input=stdin, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def written(sender: str, subject: str, text: str, to: str = "newsletter@own.test") -> bytes:
    """A mail of one plain part."""
    found = EmailMessage()
    found["From"], found["To"], found["Subject"] = sender, to, subject
    found.set_content(text)
    return found.as_bytes()


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("MAILER-DAEMON@far.test", "Delivery Status Notification (Failure)"),
        ("Mailer-daemon <mailer-daemon@far.test>", "Nie dostarczono wiadomości"),
        ("Mail Administrator <mailadmin@far.test>", "Mail System Error - Returned Mail"),
        ("Mail Delivery System <MAILER-DAEMON@far.test>", "Mail delivery failed: returning message to sender"),
        ("Postmaster <postmaster@far.test>", "Undeliverable: News"),
        ("MAILER-DAEMON@far.test", "failure notice"),
        ("Mail Delivery Subsystem <MAILER-DAEMON@far.test>", "Returned mail: see transcript for details"),
    ],
)
def test_a01_returns_by_their_names(sender: str, subject: str) -> None:
    """AnoMail knows returns by the names that they go by: each is read as a bounce of the address that it names, and a
    question under the same name is nobody's bounce.
    """
    text = "This message could not be delivered:\n\n<jan@wp.pl>: 550 5.1.1 User unknown\n"
    found = bouncemilter.classify_bytes(written(sender, subject, text)).to_dict()
    assert found["kind"] == "bounce"
    assert [(each["address"], each["category"]) for each in found["recipients"]] == [("jan@wp.pl", "user_unknown")]  # type: ignore[attr-defined]
    asked = bouncemilter.classify_bytes(written(sender, subject, "Dzień dobry, kiedy dostanę fakturę?\n"))
    assert asked.recipients == ()


def test_a02_kinds(desk: Desk) -> None:
    """AnoMail tells hard and soft returns, auto-replies and resignations apart, beside people's mail: so does
    `classify`, and each has its own effect.
    """
    desk.sign()
    mails = {
        address: make(desk.path(address))
        for address, make in {
            "jan@wp.pl": lambda path: mail.dsn(path, "jan@wp.pl"),
            "ewa@wp.pl": lambda path: mail.dsn(path, "ewa@wp.pl", mail.FULL),
            "ola@wp.pl": lambda path: mail.out_of_office(path, "ola@wp.pl"),
            "iza@wp.pl": lambda path: written("iza@wp.pl", "Rezygnacja", RESIGNATION, path),
            "jan@klient.test": mail.letter,
        }.items()
    }
    folder = desk.folder / "mails"
    folder.mkdir()
    for name, content in mails.items():
        (folder / f"{name}.eml").write_bytes(content)
    found = classified(*(folder / f"{name}.eml" for name in mails))
    assert [each["kind"] for each in found] == ["bounce", "bounce", "auto_reply", "unsubscribe", "mail"]
    classes = [[recipient["class"] for recipient in each["recipients"]] for each in found[:2]]  # type: ignore[attr-defined]
    assert classes == [["hard"], ["soft"]]
    desk.read(*((content, 0) for content in mails.values()))
    suppressed = {each["address_key"]: each["cause"] for each in desk.objects("suppression", "list")}
    assert suppressed == {"jan@wp.pl": "hard", "iza@wp.pl": "unsubscribe"}
    assert [desk.state_of(each) for each in ("ewa@wp.pl", "ola@wp.pl")] == ["1/4", ""]
    assert desk.objects("why", "ola@wp.pl")[0]["events"][0]["event"]["kind"] == "auto_reply"
    assert desk.objects("why", "jan@klient.test")[0]["events"] == []


def test_a03_invalid_of_a_list(desk: Desk) -> None:
    """AnoMail shows which addresses of your list are invalid: a table of them with record, cause, category and the
    words of the reason, which changes neither list nor store.
    """
    desk.sign()
    desk.comes("ewa@wp.pl")
    path, out = desk.mailing("lista.csv", LIST), desk.folder / "invalid.csv"
    assert desk.run("scrub", str(path), "--rejected", str(out)).exit_code == 0
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert (row["record"], row["address"], row["cause"], row["category"]) == ("3", "ewa@wp.pl", "hard", "user_unknown")
    assert "hard, message 1 of 1" in row["reason"]
    assert path.read_text() == LIST


def test_a04_before_each_mailing(desk: Desk) -> None:
    """AnoMail cleans a list before each mailing: whoever bounced since the last time is taken out the next time."""
    desk.sign()
    path = desk.mailing("lista.csv", LIST)
    taken = []
    for address in ("ewa@wp.pl", "ola@wp.pl"):
        desk.comes(address)
        (found,) = desk.objects("scrub", str(path))
        taken.append(found["rejected"])
    assert taken == [1, 2]
    assert (desk.folder / "lista.clean.csv").read_text() == "Imię;E-mail\nJan;jan@wp.pl\n"


def test_a05_98_percent(desk: Desk) -> None:
    """AnoMail promises 98 % delivered after cleaning: `scrub` shows the list's share that may be written to, and
    `report` what was delivered of what was sent, both beside that target. (What is sent is counted by the milter:
    tests/e2e/test_outgoing.py.)
    """
    desk.sign()
    desk.comes("ewa@wp.pl")
    done = desk.run("scrub", str(desk.mailing("lista.csv", LIST)), "--dry-run")
    assert "66.7 % may be written to (98 % delivered is the target)" in done.stdout
    now = dt.datetime.now(dt.UTC)

    async def send(store: Store) -> None:
        await store.sent.record(sent(100, now, campaign="wiosna"))

    desk.store(send)
    desk.comes("jan@wp.pl")
    day = str(now.date())
    done = desk.run("report", "--from", day, "--to", day)
    assert "98.00%" in done.stdout
    assert "target: 98%: target reached" in done.stdout
    desk.comes("ola@wp.pl", mail.FULL)
    done = desk.run("report", "--from", day, "--to", day, "--lang", "pl")
    assert "97,00 %" in done.stdout
    assert "cel: 98 %: poniżej celu" in done.stdout


@pytest.fixture
def maildir(desk: Desk) -> Path:
    """A mailbox with a return and a letter."""
    found = desk.folder / "Maildir"
    for name in ("cur", "new", "tmp"):
        (found / name).mkdir(parents=True)
    (found / "new/1.a").write_bytes(mail.dsn(desk.path("jan@wp.pl"), "jan@wp.pl"))
    (found / "new/2.b").write_bytes(mail.letter("b@bounces.own.test"))
    return found


def test_a06_polling(desk: Desk, maildir: Path) -> None:
    """AnoMail polls every 15 minutes beside a mail program and leaves the mail on the server: that is the default, a
    mailbox is as it was, and what was read is not read again. (With IMAP and POP3: tests/e2e/test_mailbox.py.)
    """
    defaults = MailboxSettings.model_fields
    assert (defaults["interval_minutes"].default, defaults["after"].default) == (15, "leave")
    before = {path: path.stat().st_mtime_ns for path in maildir.rglob("*")}
    (first,) = desk.objects("ingest", str(maildir))
    (second,) = desk.objects("ingest", str(maildir))
    assert (first["recognised"], first["left"], second["read"]) == (1, 1, 0)
    assert {path: path.stat().st_mtime_ns for path in maildir.rglob("*")} == before


def test_a07_starts_with_the_machine() -> None:
    """AnoMail starts with the machine: the unit belongs to the target of a running system, and comes back after a
    failure. (The unit against the daemon: tests/ops/test_systemd.py.)
    """
    unit = (ROOT / "systemd/bouncemilter.service").read_text()
    assert "\n[Install]\nWantedBy=multi-user.target\n" in f"{unit}\n"
    assert "\nRestart=on-failure\n" in unit
    assert "systemctl enable --now bouncemilter" in (ROOT / "README.md").read_text()


def test_a08_own_domains(desk: Desk) -> None:
    """AnoMail is taught which domains are yours and refuses free-mail ones: returns of a taught domain's mail count,
    those of another's don't, and wp.pl is refused.
    """
    plain = desk.config.read_text()
    taught = '[inbound]\naddresses = ["newsletter@own.test"]\nown_domains = ["{}"]\n'
    desk.config.write_text(plain + taught.format("sklep.test"))
    for address, domain in (("jan@wp.pl", b"sklep.test"), ("ewa@wp.pl", b"obcy.test")):
        returned = mail.dsn("newsletter@own.test", address)
        desk.read(
            (returned.replace(b"news@own.test", b"news@" + domain).replace(b"@own.test>", b"@" + domain + b">"), 0)
        )
    assert (desk.state_of("jan@wp.pl"), desk.state_of("ewa@wp.pl")) == ("1/2", "")
    desk.config.write_text(plain + taught.format("wp.pl"))
    done = desk.run("check-config")
    assert done.exit_code == Exit.CONFIGURATION
    assert "inbound.own_domains[0]" in done.output
    assert "wp.pl belongs to a provider of mailboxes, not to you" in done.output


def test_a09_hard_only_at_first(desk: Desk) -> None:
    """AnoMail takes only hard returns at first: so does the shipped policy, and soft ones are only watched."""
    assert PolicySettings().preset == "hard-only"
    desk.config.write_text(desk.config.read_text().replace('[policy]\npreset = "standard"\n', ""))
    desk.comes("ewa@wp.pl", mail.FULL, days_ago=(4, 3, 2, 1, 0))
    desk.comes("jan@wp.pl", days_ago=(1, 0))
    assert [each["address_key"] for each in desk.objects("suppression", "list")] == ["jan@wp.pl"]
    assert [each["address_key"] for each in desk.objects("suppression", "list", "--state", "watching")] == ["ewa@wp.pl"]


def test_a10_handed_to_the_sending_side(desk: Desk) -> None:
    """AnoMail hands addresses to the program that sends: as a plain list, and as changes after a cursor, removals too.
    (The hook that is run for each: tests/daemon/test_hook.py.)
    """
    desk.sign()
    desk.comes("jan@wp.pl")
    assert desk.run("suppression", "export", "--format", "plain").stdout == "jan@wp.pl\n"
    (added,) = desk.objects("suppression", "changes", "--since", "0")
    desk.run("suppression", "remove", "jan@wp.pl")
    (removed,) = desk.objects("suppression", "changes", "--since", str(added["seq"]))
    assert (added["operation"], removed["operation"], removed["address"]) == ("add", "remove", "jan@wp.pl")


def test_a11_back_from_a_crm(desk: Desk) -> None:
    """AnoMail keeps a reserved list for addresses that come back from a CRM: an address that was added by hand is taken
    out of every list, whatever case it comes in, with the reason that was given.
    """
    desk.run("suppression", "add", "ewa@wp.pl", "--reason", "wraca z CRM")
    out = desk.folder / "out.csv"
    for number in (1, 2):
        path = desk.mailing(f"crm{number}.csv", LIST.replace("ewa@wp.pl", "Ewa@WP.pl"))
        (found,) = desk.objects("scrub", str(path), "--rejected", str(out))
        assert found["by_cause"] == {"manual": 1}
        assert [row["reason"] for row in csv.DictReader(out.read_text().splitlines())] == ["wraca z CRM"]


def test_a12_cleaned_list_saved(desk: Desk) -> None:
    """AnoMail saves the cleaned list: in a file beside it, or in its place with a copy of what it was; the other
    columns and records are as they were.
    """
    desk.run("suppression", "add", "ewa@wp.pl")
    path, cleaned = desk.mailing("lista.csv", LIST), LIST.replace("Ewa;ewa@wp.pl\n", "")
    desk.run("scrub", str(path))
    assert (desk.folder / "lista.clean.csv").read_text() == cleaned
    elsewhere = desk.folder / "maj.csv"
    desk.run("scrub", str(path), "--output", str(elsewhere))
    assert (path.read_text(), elsewhere.read_text()) == (LIST, cleaned)
    desk.run("scrub", str(path), "--in-place")
    assert (path.read_text(), (desk.folder / "lista.csv.bak").read_text()) == (cleaned, LIST)


def test_a13_by_hand_from_a_message(desk: Desk) -> None:
    """AnoMail lets an address be taken by hand from a message: a return that somebody forwarded as an attachment says
    whom it is about, and that address is suppressed with a reason.
    """
    forward = EmailMessage()
    forward["From"], forward["To"], forward["Subject"] = "szef@own.test", "review@bounces.own.test", "Fwd: co to jest?"
    forward.set_content("Proszę sprawdzić.")
    returned = EmailMessage()
    returned["From"], returned["Subject"] = "MAILER-DAEMON@far.test", "failure notice"
    returned.set_content("This message could not be delivered:\n\n<jan@wp.pl>: 550 5.1.1 User unknown\n")
    forward.add_attachment(returned)
    (found,) = classified("--attached", "-", stdin=forward.as_bytes())
    (recipient,) = found["recipients"]  # type: ignore[misc]
    assert (recipient["address"], recipient["category"]) == ("jan@wp.pl", "user_unknown")
    assert desk.run("suppression", "add", recipient["address"], "--reason", "zwrot od szefa").exit_code == 0
    assert desk.objects("suppression", "list")[0]["note"] == "zwrot od szefa"


def validated(path: Path) -> list[tuple[str, str, list[str], str]]:
    """Address, verdict, reasons and what is likely meant; DNS is not asked."""
    done = CliRunner().invoke(main, ["validate", str(path), "--no-dns", "--json"], catch_exceptions=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [(each["address"], each["verdict"], each["reasons"], each["suggestion"]) for each in rows]


def test_a14_before_the_first_mailing(desk: Desk) -> None:
    """AnoMail checks addresses before the first mailing: what is no address is invalid, a likely typing error comes
    with what is meant. (The domain's DNS: tests/cli/test_validate.py.)
    """
    path = desk.mailing("nowa.csv", "email\njan@wp.pl\nola@gmial.com\nto nie adres\nJAN@wp.pl\n")
    found = validated(path)
    assert [(verdict, suggestion) for _, verdict, _, suggestion in found] == [
        ("ok", ""),
        ("risky", "ola@gmail.com"),
        ("invalid", ""),
        ("ok", ""),
    ]
    assert "typo" in found[1][2]
    assert "duplicate" in found[3][2]


def replies() -> dict[Category, str]:
    """A refusal of each category, as a server words it: the first example of a rule for it; what no rule knows, too."""
    found = {Category.HARD_OTHER: "550 5.0.0", Category.SOFT_OTHER: "450 4.0.0"}
    for rule in classify.load().rules:
        for example in rule.examples:
            if not example.remote_host and example.phase is Phase.UNKNOWN:
                found.setdefault(rule.category, example.text)
    return found


@pytest.mark.parametrize(
    ("language", "keep", "delete"),
    [
        (Language.EN, ("Keep the address", "Do not delete the address"), "elete"),
        (Language.PL, ("Zachowaj adres", "Nie usuwaj adresu"), "suń"),
    ],
)
def test_a15_plain_words_for_each(language: Language, keep: tuple[str, str], delete: str) -> None:
    """AnoMail explains each error in plain words and says whether to delete or keep the address: a server's words of
    every category get such an advice, whose words and verdict are the same.
    """
    said = replies()
    assert set(said) == set(Category)
    lines = "".join(f"{each}\n" for each in said.values())
    words = ["classify", "--advice", "--lang", language.value, "--text", "-"]
    done = CliRunner().invoke(main, words, input=lines, catch_exceptions=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["category"] for each in told] == [str(category) for category in said]
    for each in told:
        advised = each["advice"]
        assert advised["meaning"].endswith(".")
        if advised["address"] == "delete":
            assert delete in advised["action"], each
        else:
            assert advised["action"].startswith(keep), each
            assert advised["address"] == ("keep" if each["class"] == "block" or "grey" in each["category"] else "wait")


def test_a15_plain_words(desk: Desk) -> None:
    """They stand where an address or a mailing is looked at, too: in `why` and `report`, in the language asked for."""
    desk.comes("jan@wp.pl", "550 5.7.1 <{}>: very low reputation of the sending host")
    words = "Nie usuwaj adresu, to mija."
    assert words in desk.run("why", "jan@wp.pl", "--lang", "pl").stdout
    assert words in desk.run("report", "--by", "category", "--lang", "pl").stdout
    assert "Do not delete the address" in desk.run("report", "--by", "category").stdout
    assert words in desk.run("report", "--raw", "sender_reputation", "--lang", "pl").stdout


@pytest.mark.parametrize(
    ("said", "removal"),
    [
        (
            "554 5.7.1 Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org",
            "https://check.spamhaus.org/",
        ),
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: they are on our block list (S3140)",
            "https://olcsupport.office.com/",
        ),
    ],
)
def test_a16_blocklists(desk: Desk, said: str, removal: str) -> None:
    """AnoMail warns of blocklists: when servers name one, a public one or a large provider's own, `status` says so and
    where to ask for removal, so does the report, and nobody is suppressed for it. (The mail that is sent at once:
    tests/e2e/test_alerts.py.)
    """
    desk.sign()
    desk.comes("jan@wp.pl", said)
    done = desk.run("status", "--json")
    assert done.exit_code == Exit.NO
    (told,) = [each for each in json.loads(done.stdout)["findings"] if each["subject"] == "blocklists"]
    assert not told["well"]
    assert removal in told["text"]
    (event,) = desk.objects("why", "jan@wp.pl")[0]["events"]
    assert removal in desk.run("report", "--raw", event["event"]["category"]).stdout
    assert removal in desk.run("report", "--format", "html").stdout
    assert desk.state_of("jan@wp.pl") == ""


def test_a17_size(desk: Desk) -> None:
    """AnoMail advises to keep mails under 250 KB: the advice comes with a refusal for size, which costs nobody his
    address.
    """
    said = "552 5.3.4 <{}>: message size exceeds fixed limit"
    desk.sign()
    for _ in range(3):
        desk.comes("jan@wp.pl", said)
    done = desk.run("report", "--by", "category")
    assert "message_too_big" in done.stdout
    assert "250 KB" in done.stdout
    assert "mniejsze niż 250 KB" in desk.run("report", "--by", "category", "--lang", "pl").stdout
    assert "250 KB" in desk.run("status").stdout
    assert desk.state_of("jan@wp.pl") == ""


def test_a18_out_of_the_mailbox(desk: Desk, maildir: Path) -> None:
    """AnoMail keeps returns from cluttering the mailbox: what was recognised is moved away or deleted, and people's
    mail stays. (At the sink and the milter they never reach one: tests/e2e/test_sink.py, test_milter.py.)
    """
    (found,) = desk.objects("ingest", "--move", "Zwroty", str(maildir))
    assert (found["moved"], found["left"]) == (1, 1)
    assert [path.name for path in (maildir / "new").iterdir()] == ["2.b"]
    assert len(list((maildir / ".Zwroty/cur").iterdir())) == 1
    (maildir / "new/3.c").write_bytes(mail.dsn(desk.path("ewa@wp.pl"), "ewa@wp.pl"))
    (found,) = desk.objects("ingest", "--delete", str(maildir))
    assert found["deleted"] == 1
    assert [path.name for path in (maildir / "new").iterdir()] == ["2.b"]


def test_a19_risky(desk: Desk) -> None:
    """AnoMail checks a list for risky addresses: roles, throw-away mailboxes and what looks like a trap are risky, and
    `--strict` leaves them out of the list that is saved.
    """
    path = desk.mailing("nowa.csv", "email\njan@wp.pl\nbiuro@firma.pl\nx1@yopmail.com\nspamtrap@firma.pl\n")
    assert [(verdict, reasons) for _, verdict, reasons, _ in validated(path)] == [
        ("ok", []),
        ("risky", ["role"]),
        ("risky", ["disposable"]),
        ("risky", ["trap_like"]),
    ]
    out = desk.folder / "good.csv"
    CliRunner().invoke(main, ["validate", str(path), "--no-dns", "--strict", "--output", str(out)])
    assert out.read_text() == "email\njan@wp.pl\n"


def test_a20_comments_of_auto_replies(desk: Desk) -> None:
    """AnoMail shows the comments of auto-replies, as "no longer works here": they are kept in `why`, with the address
    that is to be written to instead, and nobody is suppressed for one.
    """
    words = "Ta osoba już nie pracuje w naszej firmie. Proszę pisać na adres biuro@firma.test."
    reply = written("kto@firma.test", "Automatyczna odpowiedź: News", words, desk.path("kto@firma.test"))
    desk.read((b"Auto-Submitted: auto-replied\n" + reply, 0))
    shown = desk.run("why", "kto@firma.test").stdout
    assert "left         yes" in shown
    assert "new address  biuro@firma.test" in shown
    assert f"excerpt      {words}" in shown
    assert desk.state_of("kto@firma.test") == ""
