"""What `config postfix` prints of mail that leaves, as text and as Postfix itself reads it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from bouncemilter.mta.postfix.snippet import snippet
from bouncemilter.mta.site import Site
from bouncemilter.stream import Match, Stream, StreamKind
from tests.rig.peer import Peer
from tests.rig.postfix import Postfix

PATHS = (("bounces.example.pl", "bounces"), ("news.example.pl", "n.l"))
SITE = Site(PATHS, sink="unix:/var/spool/postfix/bouncemilter/lmtp.sock", milter="inet:127.0.0.1:7357")
NEWS = Stream("news", StreamKind.BULK, Match(daemon_name=("BULK",)))
SHOP = Stream("shop", StreamKind.TRANSACTIONAL, Match(daemon_name=("SHOP",), sasl_login=("shop", "till")))
OFFICE = Stream("office", StreamKind.PERSONAL, Match(daemon_name=("OFFICE",)))
CRM = Stream("crm", StreamKind.BULK, Match(sasl_login=("crm",)))


def login_map(site: Site) -> list[str]:
    """The lines for smtpd_sender_login_maps."""
    return re.findall(r"(?m)^#   (/.*)$", snippet(site).main)


def test_nothing_of_it_without_streams() -> None:
    """Who neither signs nor has streams reads nothing of them."""
    found = str(snippet(SITE))
    assert not any(word in found for word in ("sender_login", "daemon_name", "socketmap"))


def test_logins() -> None:
    """Each signed return path has its line, with the logins of the streams where they are known."""
    signed = dataclasses.replace(SITE, signed=PATHS)
    assert login_map(signed) == [
        r"/^bounces\+.*@bounces\.example\.pl$/  LOGIN",
        r"/^n\.l\+.*@news\.example\.pl$/  LOGIN",
    ]
    [line, _] = login_map(dataclasses.replace(signed, streams=(SHOP, CRM)))
    assert line.endswith("/  shop,till,crm")


def test_services() -> None:
    """A stream with a daemon name has a service; only a bulk one defers while the milter is away."""
    found = snippet(dataclasses.replace(SITE, streams=(NEWS, OFFICE, CRM, SHOP))).master
    assert re.findall(r"(?m)^(127\S+) .* smtpd$", found) == ["127.0.0.1:10587", "127.0.0.1:10588"]
    assert re.findall(r"daemon_name=(\w+)", found) == ["BULK", "SHOP"]
    assert re.findall(r"default_action=(\w+)", found) == ["tempfail", "accept"]


def test_access() -> None:
    """Without the milter both ways to ask about recipients are shown, for each stream by name."""
    site = Site(
        PATHS, sink=SITE.sink, access="unix:/var/spool/postfix/bouncemilter/access.sock", streams=(NEWS, OFFICE)
    )
    found = snippet(site).main
    assert "#   check_recipient_access socketmap:unix:bouncemilter/access.sock:news\n" in found
    assert "#   check_policy_service { unix:bouncemilter/access.sock, policy_context=news }\n" in found
    assert "office" not in found
    assert ":STREAM\n" in snippet(dataclasses.replace(site, streams=(), access="inet:127.0.0.1:7358")).main


@pytest.mark.servers
@pytest.mark.parametrize(
    ("sender", "login"),
    [
        ("bounces+abc234@bounces.example.pl", "LOGIN"),
        ("BOUNCES+ABC234@Bounces.Example.PL", "LOGIN"),
        ("n.l+abc@news.example.pl", "LOGIN"),
        ("nxl+abc@news.example.pl", ""),
        ("bounces@bounces.example.pl", ""),
        ("bounces+abc@bounces.example.pl.test", ""),
    ],
)
def test_login_map(sender: str, login: str, tmp_path: Path) -> None:
    """Postfix finds the login by every signed return path, in any case, and by no other sender."""
    table = tmp_path / "logins"
    table.write_text("".join(f"{line}\n" for line in login_map(dataclasses.replace(SITE, signed=PATHS))))
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")
    done = subprocess.run(
        ["postmap", "-c", tmp_path, "-q", sender, f"regexp:{table}"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin"},
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (login, "")


@pytest.mark.servers
def test_service_in_postfix() -> None:
    """The printed service runs in a real Postfix; while the milter is away a bulk one defers, another takes mail."""
    with Peer() as nobody:
        closed = nobody.port
    site = dataclasses.replace(SITE, sink="", milter=f"inet:127.0.0.1:{closed}", streams=(NEWS, SHOP))
    printed = snippet(site).master
    with Postfix(mailboxes=["jan@own.test"], services={"news": {}, "shop": {}}) as postfix:
        path = postfix.folder / "etc/master.cf"
        text = path.read_text()
        for name, port in (("news", 10587), ("shop", 10588)):
            mine = f"127.0.0.1:{postfix.ports[name]} inet n - n - - smtpd\n"
            assert mine in text
            text = text.replace(mine, "")
            printed = printed.replace(f"127.0.0.1:{port} inet", f"127.0.0.1:{postfix.ports[name]} inet")
        path.write_text(f"{text}{printed}")
        postfix.reload(biff="no")
        message = b"Subject: x\n\nx\n"
        postfix.wait_for(lambda: "daemon started" in postfix.log())
        postfix.wait_for(lambda: postfix.inject("a@own.test", ["jan@own.test"], message, "news").mail.code == 451)
        postfix.wait_for(lambda: postfix.inject("a@own.test", ["jan@own.test"], message, "shop").accepted)
        postfix.wait_for(lambda: "postfix/news" in postfix.log() and "postfix/shop" in postfix.log())
