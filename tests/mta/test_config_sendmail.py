"""What `config sendmail` prints: as text, and as Sendmail itself reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from bouncemilter.mta.sendmail.snippet import snippet
from bouncemilter.mta.site import Site
from bouncemilter.returnpath import Recognizer, ReturnPath
from bouncemilter.stream import Match, Stream, StreamKind
from tests.mta.test_config_postfix import ADDRESSES, TWO
from tests.rig.sendmail import Sendmail, safe_folder
from tests.rig.sendmail_world import routes

SINK = "unix:/run/bouncemilter/lmtp.sock"
MILTER = "unix:/run/bouncemilter/milter.sock"
RETURN_PATH = '[[return_path]]\ndomain = "zwroty.example.pl"\nprefix = "b"\n'
SITE = Site((("bounces.example.com", "bounces"),), sink=SINK, milter=MILTER)


def test_nothing_listens() -> None:
    """Without a sink and a milter there is nothing to print."""
    with pytest.raises(ValueError, match="neither"):
        snippet(Site(SITE.return_paths))


@pytest.mark.parametrize("command", ["postfix", "sendmail"])
def test_command_where_nothing_listens(command: str, tmp_path: Path) -> None:
    """Where nobody speaks LMTP, and no milter runs, the command says so as a fault of the configuration."""
    path = tmp_path / "bouncemilter.toml"
    path.write_text(f'{RETURN_PATH}[[sink.listener]]\nprotocol = "smtp"\naddress = "inet:127.0.0.1:2525"\n')
    done = CliRunner().invoke(main, ["config", command, "--config", str(path)])
    assert (done.exit_code, "neither an LMTP sink nor a milter" in done.output) == (78, True)


@pytest.mark.parametrize("command", ["postfix", "sendmail"])
def test_command(command: str, tmp_path: Path) -> None:
    """The command prints the lines for the return paths of the configuration."""
    path = tmp_path / "bouncemilter.toml"
    path.write_text(RETURN_PATH)
    done = CliRunner().invoke(main, ["config", command, "--config", str(path)])
    assert done.exit_code == 0, done.output
    assert "zwroty.example.pl  " in done.output
    assert done.output.startswith("##### ")


def test_every_line_is_explained() -> None:
    """No block of lines comes without a comment above it, and the reports that milters never see are spoken of."""
    found = snippet(SITE)
    blocks = f"{found.definitions}\n{found.rules}".strip().split("\n\n")
    assert [block for block in blocks if not block.strip().startswith("dnl ")] == []
    assert found.mailertable.startswith("# ")
    assert "own reports come to the sink by these lines alone" in found.mailertable


def test_sink_alone() -> None:
    """Only the sink: no filter; the mailertable names each domain once, and the doctor's."""
    found = snippet(Site(TWO, sink=SINK))
    assert "MAIL_FILTER" not in str(found)
    assert routes(found) == {
        "bounces.example.com": "bouncemilter:[127.0.0.1]",
        "zwroty.xn--w-uga1v8h.example": "bouncemilter:[127.0.0.1]",
        "selftest.bouncemilter.invalid": "bouncemilter:[127.0.0.1]",
    }


def test_milter_alone() -> None:
    """Only the milter: nothing is routed, and it says that Sendmail's own reports are missed."""
    found = snippet(Site(TWO, milter="inet:127.0.0.1:7357"))
    assert (found.rules, found.mailertable) == ("", "")
    assert "S=inet:7357@127.0.0.1," in found.definitions
    assert "own reports pass milters by" in " ".join(found.definitions.replace("dnl", "").split())


@pytest.mark.parametrize(
    ("sink", "arguments", "route"),
    [
        (SINK, "A=FILE /run/bouncemilter/lmtp.sock", "[127.0.0.1]"),
        ("inet:192.0.2.1:2424", "A=TCP $h 2424", "[192.0.2.1]"),
        ("inet:[::1]:2424", "A=TCP $h 2424", "[IPv6:::1]"),
    ],
)
def test_sockets(sink: str, arguments: str, route: str) -> None:
    """The mailer speaks LMTP to the socket, whichever it is."""
    found = snippet(Site(TWO, sink=sink))
    assert arguments in found.rules
    assert routes(found)["bounces.example.com"] == f"bouncemilter:{route}"


def test_streams() -> None:
    """Each stream that is told by a name has a listener of its own, which defers while the milter is away."""
    streams = (
        Stream("news", StreamKind.BULK, Match(daemon_name=("BULK",))),
        Stream("shop", StreamKind.TRANSACTIONAL, Match(daemon_name=("SHOP",))),
        Stream("office", StreamKind.PERSONAL, Match(daemon_name=("OFFICE",))),
        Stream("cron", StreamKind.BULK, Match(client=("192.0.2.0/24",))),
    )
    lines = snippet(Site(TWO, sink=SINK, milter=MILTER, streams=streams)).definitions.splitlines()
    assert [line for line in lines if line.startswith("DAEMON_OPTIONS")] == [
        "DAEMON_OPTIONS(`Name=BULK, Family=inet, Addr=127.0.0.1, Port=10587, InputMailFilters=bouncemilterout')dnl",
        "DAEMON_OPTIONS(`Name=SHOP, Family=inet, Addr=127.0.0.1, Port=10588, InputMailFilters=bouncemilterout')dnl",
    ]
    assert [line for line in lines if line.startswith("MAIL_FILTER") and ", F=T, " in line]


@pytest.fixture(scope="module")
def sendmail() -> Iterator[Sendmail]:
    """A Sendmail with the printed lines."""
    found = snippet(Site(TWO, sink=SINK, milter=MILTER))
    with (
        safe_folder() as folder,
        Sendmail(
            folder / "sendmail", transports=routes(found), definitions=found.definitions, mailers=found.rules
        ) as running,
    ):
        yield running


@pytest.mark.servers
def test_recipients(sendmail: Sendmail) -> None:
    """Port 25 takes exactly the recipients that the sink takes, and the rules say nothing of other domains."""
    said = sendmail.test_rules(*(f"check_rcpt <{address}>" for address in ADDRESSES))
    returned = [line.partition("returns: ")[2] for line in said.splitlines() if line.startswith("check_rcpt  ")]
    answers = dict(zip(ADDRESSES, returned[1::2] if len(returned) > len(ADDRESSES) else returned, strict=True))
    ours = Recognizer([ReturnPath(domain, prefix) for domain, prefix in TWO])
    for address, taken in ADDRESSES.items():
        assert (answers[address] == "$# OK") is taken, answers[address]
        assert (ours.ownership(address) is not None) is taken
    domains = (".example.net", "bouncesxexample.com")
    refused = [each for each, taken in ADDRESSES.items() if not taken and not each.endswith(domains)]
    assert {answers[each] for each in refused} == {'$# error $@ 5 . 1 . 1 $: "550 User unknown"'}


@pytest.mark.servers
def test_routes(sendmail: Sendmail) -> None:
    """Sendmail brings return paths to the mailer of ours, whatever their case."""
    for address in ("bounces+jan=wp.pl@Bounces.Example.com", "x@selftest.bouncemilter.invalid"):
        assert "mailer bouncemilter, host [127.0.0.1]" in sendmail.test_rules(f"/parse {address}")
