"""What `config postfix` prints: as text, as the shipped examples, and as Postfix itself reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bouncemilter.mta.postfix.snippet import Snippet, snippet
from bouncemilter.mta.site import Site
from bouncemilter.returnpath import Recognizer, ReturnPath
from tests.doctor.lines import parameters, write_tables
from tests.rig.postfix import Postfix

CONFIG = Path(__file__).parents[2] / "config"
SINK = "unix:/var/spool/postfix/bouncemilter/lmtp.sock"
MILTER = "unix:/var/spool/postfix/bouncemilter/milter.sock"
EXAMPLE = Site((("bounces.example.com", "bounces"),), sink=SINK, milter=MILTER)
TWO = (("bounces.example.com", "bounces"), ("bounces.example.com", "news.pl"), ("zwroty.żółw.example", "zwroty-pl"))


def table(found: Snippet, name: str) -> list[str]:
    [lines] = [each.lines for each in found.tables if each.path.endswith(f"/{name}")]
    return list(lines)


@pytest.mark.parametrize("part", ["main", "master", "maps"])
def test_examples_are_generated(part: str) -> None:
    """The shipped examples are what the function prints for the default sockets."""
    name = "postfix-maps.example" if part == "maps" else f"postfix-{part}.cf.example"
    assert (CONFIG / name).read_text() == getattr(snippet(EXAMPLE), part)


def test_nothing_listens() -> None:
    """Without a sink and a milter there is nothing to print."""
    with pytest.raises(ValueError, match="neither"):
        snippet(Site((("bounces.example.com", "bounces"),)))


def test_every_line_is_explained() -> None:
    """No block of settings comes without a comment above it."""
    blocks = snippet(EXAMPLE).main.strip().split("\n\n")
    assert [block for block in blocks if not block.startswith("# ")] == []


def test_sink_alone() -> None:
    """Only the sink: routing and recipients, no milter; watched addresses are routed by lines of their own."""
    found = snippet(Site(TWO, sink=SINK, watched=("wypisz@example.com",)))
    lines = parameters(found)
    assert lines["relay_domains"] == "bounces.example.com, zwroty.xn--w-uga1v8h.example"
    assert not [name for name in lines if "milters" in name or "filter_classes" in name]
    assert table(found, "transport") == [
        "bounces.example.com  bouncemilter:unix:bouncemilter/lmtp.sock",
        "zwroty.xn--w-uga1v8h.example  bouncemilter:unix:bouncemilter/lmtp.sock",
        "wypisz@example.com  bouncemilter:unix:bouncemilter/lmtp.sock",
        "selftest.bouncemilter.invalid  error:5.1.1 bouncemilter self-test",
    ]


def test_milter_alone() -> None:
    """Only the milter: nothing is routed away, the return path needs its delimiter, only the self-test has a route."""
    found = snippet(Site((("example.com", "bounces"),), milter=MILTER, watched=("wypisz@example.com",)))
    lines = parameters(found)
    assert found.master == ""
    assert not {"relay_domains", "relay_recipient_maps"} & lines.keys()
    assert lines["recipient_delimiter"] == "+"
    assert lines["internal_mail_filter_classes"] == "bounce"
    assert lines["smtpd_milters"] == lines["non_smtpd_milters"]
    assert "default_action=accept" in lines["smtpd_milters"]
    assert table(found, "transport") == ["selftest.bouncemilter.invalid  error:5.1.1 bouncemilter self-test"]


def test_watched_addresses_are_the_milters() -> None:
    """Where a milter listens it sees the watched addresses, and their people's mail stays in its mailbox."""
    found = snippet(Site(TWO, sink=SINK, milter=MILTER, watched=("wypisz@example.com",)))
    assert "wypisz" not in str(found)


@pytest.mark.parametrize(
    ("socket", "hop", "milter"),
    [
        ("unix:/var/spool/postfix/bouncemilter/x", "unix:bouncemilter/x", "unix:bouncemilter/x"),
        ("unix:/run/bouncemilter/x", "unix:/run/bouncemilter/x", "unix:/run/bouncemilter/x"),
        ("inet:127.0.0.1:2424", "inet:[127.0.0.1]:2424", "inet:127.0.0.1:2424"),
        ("inet:[::1]:2424", "inet:[ipv6:::1]:2424", "inet:[::1]:2424"),
    ],
)
def test_sockets(socket: str, hop: str, milter: str) -> None:
    """Below the queue directory sockets are named relative to it, elsewhere as they are; hosts without MX look-up."""
    found = snippet(Site(TWO, sink=socket, milter=socket))
    assert table(found, "transport")[0].endswith(f"bouncemilter:{hop}")
    assert parameters(found)["smtpd_milters"].startswith(f"{{ {milter}, ")


def test_delimiters() -> None:
    """Other VERP delimiters reach the recipient pattern and Postfix's own."""
    found = snippet(Site((("bounces.example.com", "bounces"),), sink=SINK, delimiters="-="))
    assert table(found, "recipients")[0] == r"/^bounces(-.*)?@bounces\.example\.com$/  OK"
    assert parameters(found)["default_verp_delimiters"] == "-="


ADDRESSES = {
    "bounces@bounces.example.com": True,
    "bounces+jan=example.pl@bounces.example.com": True,
    "BOUNCES+Jan=Example.PL@Bounces.Example.COM": True,
    "bounces+@bounces.example.com": True,
    "news.pl+jan=example.pl@bounces.example.com": True,
    "zwroty-pl+jan=example.pl@zwroty.xn--w-uga1v8h.example": True,
    "postmaster@bounces.example.com": True,
    "abuse@zwroty.xn--w-uga1v8h.example": True,
    "newsxpl+jan=example.pl@bounces.example.com": False,
    "bouncesx@bounces.example.com": False,
    "xbounces@bounces.example.com": False,
    "jan@bounces.example.com": False,
    "bounces-jan=example.pl@bounces.example.com": False,
    "bounces@bounces.example.com.example.net": False,
    "bounces@bouncesxexample.com": False,
    "zwroty-pl@bounces.example.com": False,
}


@pytest.fixture
def etc(tmp_path: Path) -> tuple[Path, Snippet]:
    """A configuration folder for Postfix's tools: a minimal main.cf, then the printed lines."""
    folder = tmp_path / "etc"
    (folder / "bouncemilter").mkdir(parents=True)
    found = snippet(Site(TWO, sink=SINK, milter=MILTER, map_directory=str(folder / "bouncemilter")))
    write_tables(found)
    own = ["compatibility_level = 3.6", "myhostname = mx.example.com", "mydestination = localhost"]
    # Not in the configuration folder: from Postfix 3.10 on `postfix check` wants all of that to be root's.
    own += [f"{name}_directory = {tmp_path / name}" for name in ("queue", "data")]
    (folder / "main.cf").write_text("\n".join(own) + "\n" + found.main)
    services = "qmgr unix n - n 300 1 qmgr\ncleanup unix n - n - 0 cleanup\nsmtp inet n - y - - smtpd\n"
    (folder / "master.cf").write_text(services + found.master)
    for path in folder.rglob("*"):  # Postfix's tools wait until a configuration file is 2 s old
        os.utime(path, (0, 0))
    return folder, found


def tool(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    path = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    return subprocess.run([str(each) for each in argv], env=path, capture_output=True, text=True, check=False)


@pytest.mark.servers
def test_postfix_reads_the_lines(etc: tuple[Path, Snippet]) -> None:
    """Postfix knows every parameter and service, and finds nothing unused or unknown."""
    folder, found = etc
    done = tool("postconf", "-c", folder, "-n")
    assert (done.returncode, done.stderr) == (0, "")
    read = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    assert parameters(found).items() <= read.items()
    master = tool("postconf", "-c", folder, "-M", "bouncemilter/unix")
    assert master.stderr == ""
    assert "lmtp -o lmtp_send_xforward_command=yes" in " ".join(master.stdout.split())
    options = tool("postconf", "-c", folder, "-P")
    assert options.stderr == ""
    assert "bouncemilter/unix/lmtp_send_xforward_command = yes" in options.stdout


@pytest.mark.servers
def test_postfix_check_is_content(etc: tuple[Path, Snippet]) -> None:
    """`postfix check` accepts the configuration."""
    folder, _ = etc
    data = folder.parent / "data"
    (folder.parent / "queue").mkdir()
    data.mkdir(mode=0o700)
    shutil.chown(data, "postfix")
    done = tool("postfix", "-c", folder, "check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.servers
@pytest.mark.parametrize(("address", "taken"), ADDRESSES.items())
def test_recipient_map(etc: tuple[Path, Snippet], address: str, taken: bool) -> None:
    """Port 25 takes exactly the recipients that the sink takes: return paths, postmaster@ and abuse@."""
    folder, _ = etc
    done = tool("postmap", "-c", folder, "-q", address, f"regexp:{folder}/bouncemilter/recipients")
    assert done.stdout == ("OK\n" if taken else "")
    ours = Recognizer([ReturnPath(domain, prefix) for domain, prefix in TWO]).ownership(address)
    assert (ours is not None) is taken


@pytest.mark.servers
def test_port_25_refuses_at_rcpt(tmp_path: Path) -> None:
    """A running Postfix refuses unknown recipients at RCPT, relays for nobody, and greylists others only."""
    view = Site((("bounces.example.com", "bounces"),), sink=SINK, map_directory=str(tmp_path))
    found = snippet(view)
    write_tables(found)
    lines = parameters(found)
    del lines["transport_maps"]
    lines["smtpd_relay_restrictions"] = "reject_unauth_destination"
    lines["smtpd_recipient_restrictions"] += ", check_client_access static:{451 4.7.1 greylisted}"
    recipients = [
        "bounces+a=b.test@bounces.example.com",
        "who@bounces.example.com",
        "jan@local.test",
        "ewa@example.net",
    ]
    transports = {"bounces.example.com": "discard:"}
    with Postfix(mailboxes=["jan@local.test"], parameters=lines, transports=transports) as postfix:
        sent = postfix.inject("", recipients, b"Subject: x\n\nx\n")
    assert [(reply.code, reply.text[:5]) for reply in sent.rcpt.values()] == [
        (250, "2.1.5"),
        (550, "5.1.1"),
        (451, "4.7.1"),
        (554, "5.7.1"),
    ]
