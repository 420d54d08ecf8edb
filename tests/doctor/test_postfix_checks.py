"""What the doctor says of Postfix configurations, right ones and wrong ones."""

from __future__ import annotations

import pytest

from bouncemilter.doctor.check import Context, Finding, Host, Level
from bouncemilter.doctor.host.sockets import SocketAccepts, SocketPermissions
from bouncemilter.doctor.plan import NoMailServer, checks
from bouncemilter.doctor.postfix import postconf
from bouncemilter.doctor.postfix.selftest import SelfTest
from bouncemilter.doctor.selftest import SmtpSelfTest
from bouncemilter.mta.site import Site
from tests.doctor.fake import MAIN, MASTER, MILTER, FakePostfix, no_postfix, well

VIEW = Site(
    (("bounces.example.com", "bounces"),),
    sink="unix:/var/spool/postfix/bouncemilter/lmtp.sock",
    milter="unix:/var/spool/postfix/bouncemilter/milter.sock",
)
MILTER_ONLY = Site(VIEW.return_paths, milter=VIEW.milter)


async def findings(fake: FakePostfix, view: Site = VIEW) -> dict[str, Finding]:
    """What each check of Postfix's configuration finds, by its name. Sockets and self-test have tests of their own."""
    facts = await postconf.read(fake)
    context = Context(Host(view), fake, lookup=well)
    elsewhere = SocketAccepts | SocketPermissions | SelfTest | SmtpSelfTest
    plan = [each for each in checks(Host(view), facts) if not isinstance(each, elsewhere)]
    return {each.name: await each.run(context) for each in plan}


async def test_all_is_well() -> None:
    """The printed lines, installed, leave nothing to say."""
    found = await findings(FakePostfix())
    assert [each for each in found.values() if each.level is not Level.OK] == []
    assert len(found) == 12


@pytest.mark.parametrize(
    ("names", "level"), [(("localhost",), Level.WARN), (("other.example.com", "MX.example.com"), Level.OK)]
)
async def test_own_reports(names: tuple[str, ...], level: Level) -> None:
    """A name of Postfix that the sink does not know costs its own bounces their trust, so it is told."""
    fake = FakePostfix(main=MAIN | {"myhostname": "mx.example.com"})
    host = Host(VIEW, mta_names=names)
    [check] = [each for each in checks(host, await postconf.read(fake)) if each.name == "own reports"]
    found = await check.run(Context(host, fake))
    assert (found.level, "mx.example.com" in found.text) == (level, True)
    assert ('mta_names = ["mx.example.com"]' in found.remedy) is (level is Level.WARN)


async def test_no_postfix() -> None:
    """Without a mail server that is known one line says that nothing was checked."""
    assert await postconf.read(no_postfix) is None
    [check] = [each for each in checks(Host(VIEW), None) if isinstance(each, NoMailServer)]
    found = await check.run(Context(Host(VIEW), no_postfix))
    assert (found.level, "not checked" in found.text) == (Level.WARN, True)


WRONG = {
    "mydestination": ("domain class", {"mydestination": "localhost, Bounces.Example.COM"}, Level.FAIL, "mydestination"),
    "virtual": ("domain class", {"virtual_mailbox_domains": "texthash:/t"}, Level.FAIL, "virtual_mailbox_domains"),
    "no relay domain": ("domain class", {"relay_domains": ""}, Level.FAIL, "relay_domains"),
    "no route": ("route to the sink", {"transport_maps": ""}, Level.FAIL, "no line in transport_maps"),
    "no xforward": ("route to the sink", {"transport_maps": "inline:other"}, Level.WARN, "xforward"),
    "recipient limit": (
        "route to the sink",
        {"bouncemilter_destination_recipient_limit": "50"},
        Level.WARN,
        "recipient_limit is 50",
    ),
    "backscatter": ("recipients at port 25", {"relay_recipient_maps": ""}, Level.FAIL, "empty"),
    "recipients refused": ("recipients at port 25", {"relay_recipient_maps": "regexp:/none"}, Level.FAIL, "refuses"),
    "no review@": ("recipients at port 25", {"relay_recipient_maps": "regexp:/old"}, Level.FAIL, "review@"),
    "all recipients": ("recipients at port 25", {"relay_recipient_maps": "hash:/all"}, Level.FAIL, "backscatter"),
    "no milter": ("smtpd_milters", {"smtpd_milters": "inet:localhost:8891"}, Level.FAIL, "not in smtpd_milters"),
    "chroot": (
        "smtpd_milters",
        {"smtpd_milters": "unix:/var/spool/postfix/bouncemilter/milter.sock"},
        Level.FAIL,
        "under chroot",
    ),
    "milter may defer": ("smtpd_milters", {"smtpd_milters": "unix:bouncemilter/milter.sock"}, Level.WARN, "tempfail"),
    "one list only": ("non_smtpd_milters", {"non_smtpd_milters": ""}, Level.FAIL, "not in non_smtpd_milters"),
    "greylisting first": (
        "greylisting",
        {"smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.1:10023, check_recipient_access regexp:/a"},
        Level.WARN,
        "greylist",
    ),
    "no exemption": (
        "greylisting",
        {"smtpd_recipient_restrictions": "check_recipient_access regexp:/r2, check_policy_service unix:private/policy"},
        Level.WARN,
        "unix:private/policy",
    ),
    "masquerading": ("masquerading", {"masquerade_domains": "example.com"}, Level.FAIL, "into …@example.com"),
    "relayhost": ("relayhost", {"relayhost": "[smtp.example.net]"}, Level.WARN, "[smtp.example.net]"),
    "delimiters": ("VERP delimiters", {"default_verp_delimiters": "-="}, Level.WARN, "-="),
}


@pytest.mark.parametrize(("name", "change", "level", "words"), WRONG.values(), ids=WRONG)
async def test_wrong(name: str, change: dict[str, str], level: Level, words: str) -> None:
    """Each fault is found by its own check, at its level, with a remedy; the other checks still pass."""
    fake = FakePostfix()
    fake.main |= change
    fake.tables = {
        **fake.tables,
        "inline:other": {"bounces.example.com": "lmtp:unix:bouncemilter/lmtp.sock"},
        "hash:/all": {"@bounces.example.com": "OK"},
        "regexp:/old": {key: "OK" for key in fake.tables["regexp:/r"] if not key.startswith("review@")},
    }
    found = await findings(fake)
    assert (found[name].level, words in found[name].text) == (level, True), found[name]
    assert found[name].remedy
    assert [other for other, each in found.items() if each.level is not Level.OK and other != name] == []


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("bouncemilter:unix:/var/spool/postfix/bouncemilter/lmtp.sock", Level.OK),
        ("bouncemilter:unix:bouncemilter/other.sock", Level.FAIL),
        ("bouncemilter:inet:[127.0.0.1]:24", Level.FAIL),
        ("nobody:unix:bouncemilter/lmtp.sock", Level.FAIL),
        ("error:5.1.1 gone", Level.FAIL),
        ("discard:", Level.FAIL),
        (":", Level.FAIL),
    ],
)
async def test_where_the_route_leads(line: str, level: Level) -> None:
    """The route is followed to the socket itself; an absolute path is right only without chroot."""
    fake = FakePostfix(tables={"texthash:/t": {"bounces.example.com": line}})
    assert (await findings(fake))["route to the sink"].level is level


async def test_route_under_chroot() -> None:
    """A chrooted LMTP client takes the queue directory for its root, so the outside path leads nowhere."""
    fake = FakePostfix(master=MASTER.replace("n       -       50      lmtp", "y       -       50      lmtp"))
    assert (await findings(fake))["route to the sink"].level is Level.OK
    fake.tables = {"texthash:/t": {"bounces.example.com": f"bouncemilter:{VIEW.sink}"}}
    assert (await findings(fake))["route to the sink"].level is Level.FAIL


@pytest.mark.parametrize("line", ["bouncemilter:inet:[127.0.0.1]:2424", "bouncemilter:[127.0.0.1]:2424"])
async def test_route_to_a_port(line: str) -> None:
    """A sink on a TCP port is recognised in both forms of a next hop."""
    fake = FakePostfix(tables={"texthash:/t": {"bounces.example.com": line}})
    view = Site(VIEW.return_paths, sink="inet:127.0.0.1:2424")
    assert (await findings(fake, view))["route to the sink"].level is Level.OK


async def test_milter_of_one_service() -> None:
    """An smtpd service with a list of its own counts, and its default action too."""
    master = MASTER.replace("smtpd\n", f"smtpd -o {{smtpd_milters = {MILTER}}}\n")
    fake = FakePostfix(master=master)
    fake.main["smtpd_milters"] = ""
    assert (await findings(fake))["smtpd_milters"].level is Level.OK


async def test_milter_alone() -> None:
    """Without a sink Postfix's own bounces and the delimiter matter; routing does not."""
    fake = FakePostfix()
    fake.main |= {"internal_mail_filter_classes": "", "recipient_delimiter": ""}
    found = await findings(fake, MILTER_ONLY)
    assert {name for name, each in found.items() if each.level is Level.FAIL} == {
        "own bounces to the milter",
        "recipient delimiter",
    }
    assert "route to the sink" not in found


async def test_old_default_of_chroot() -> None:
    """Below compatibility level 1 a dash in the chroot column means yes (master(5))."""
    fake = FakePostfix(master="lmtp unix - - - - - lmtp\n")
    for level, chrooted in (("0", True), ("3.6", False)):
        fake.main["compatibility_level"] = level
        facts = await postconf.read(fake)
        assert facts is not None
        assert facts.services[0].chrooted is chrooted


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("", []),
        ("a, b\tc,d", ["a", "b", "c", "d"]),
        ("unix:x, { unix:y, a=b, c=d } z", ["unix:x", "{ unix:y, a=b, c=d }", "z"]),
        ("inline:{ a=b, {c = d, e} } hash:/x", ["inline:{ a=b, {c = d, e} }", "hash:/x"]),
    ],
)
def test_split_list(value: str, items: list[str]) -> None:
    """Lists are parted as Postfix parts them: braces keep their inside together."""
    assert postconf.split_list(value) == items


async def test_pattern_tables_get_whole_addresses() -> None:
    """A pattern table is not asked for a bare domain: Postfix would not ask it either."""
    fake = FakePostfix(tables={"regexp:/p": {"bounces.example.com": "smtp:[192.0.2.1]"}})
    fake.main["transport_maps"] = "regexp:/p"
    assert "no line" in (await findings(fake))["route to the sink"].text
