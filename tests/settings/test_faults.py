"""Bad configurations (F52): each wrong key is named in one clear line, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bouncemilter.model import Kind
from bouncemilter.settings import Settings, SettingsError, load, parse

PATH = Path("/etc/bouncemilter/bouncemilter.toml")
GOOD = '[[return_path]]\ndomain = "bounces.example.com"\nprefix = "b"\nsender_domains = ["example.com"]\n'


def faults(text: str) -> list[str]:
    """The lines that are said about a file, without its name."""
    with pytest.raises(SettingsError) as caught:
        parse(text, PATH)
    lines = str(caught.value).split("\n")
    assert all(line.startswith(f"{PATH}: ") for line in lines)
    assert len(lines) == len(caught.value.faults)
    return [line.removeprefix(f"{PATH}: ") for line in lines]


SOCKET = "write unix:/absolute/path or inet:HOST:PORT (inet:127.0.0.1:2424, inet:[::1]:2424)"
PREFIX = "a prefix is made of letters, digits, dot, hyphen and underscore, at most 32 of them"
MAILBOX = "not an e-mail address (exact addresses only, never a whole domain)"
KINDS = ", ".join(f"'{kind}'" for kind in Kind).replace(", 'mail'", " or 'mail'")
OCTAL = 'write four octal digits in quotes, such as "0660"'


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("[policy]\npresett = 'standard'", "policy.presett: no such key"),
        ("[sinks]\nenabled = true", "sinks: no such key"),
        ("prefix = 'b'", "prefix: no such key"),
        ("[policy]\nsoft_messages = '4'", "policy.soft_messages: Input should be a valid integer"),
        ("[policy]\nsoft_messages = 4.0", "policy.soft_messages: Input should be a valid integer"),
        ("[policy]\nsoft_messages = true", "policy.soft_messages: Input should be a valid integer"),
        ("[policy]\nsoft_messages = 0", "policy.soft_messages: Input should be greater than 0"),
        ("[policy]\nhard_messages = -2", "policy.hard_messages: Input should be greater than 0"),
        ("[policy]\nhard_messages = 101", "policy.hard_messages: Input should be less than or equal to 100"),
        ("[policy]\nwindow_days = 33", "policy.window_days: Input should be less than or equal to 32"),
        (
            "[policy]\nsoft_expiry_days = 99999999999",
            "policy.soft_expiry_days: Input should be less than or equal to 3650",
        ),
        ("[policy]\nfold_local_part = 'no'", "policy.fold_local_part: Input should be a valid boolean"),
        ("[policy]\npreset = 'strict'", "policy.preset: Input should be 'observe', 'hard-only' or 'standard'"),
        ("[policy]\nrequire = 'none'", "policy.require: Input should be 'token', 'local', 'plausible' or 'any'"),
        ("policy = 4", "policy: Input should be a valid dictionary or instance of PolicySettings"),
        ("[milter]\nsocket = '/run/bouncemilter.sock'", f"milter.socket: {SOCKET}"),
        (
            "[milter]\nsocket = 'unix:run/milter.sock'",
            "milter.socket: a unix socket needs an absolute path: unix:/run/bouncemilter/lmtp.sock",
        ),
        (f"[milter]\nsocket = 'unix:/{'x' * 107}'", "milter.socket: the path of a unix socket has at most 107 octets"),
        ("[milter]\nsocket = 'inet:8891@localhost'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket = 'inet:127.0.0.1:0'", "milter.socket: a port is at least 1"),
        ("[milter]\nsocket = 'inet:127.0.0.1:65536'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket = 'inet:127.0.0.1:02424'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket = 'inet:[::zz]:2424'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket = 'inet:[1:2]:2424'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket = 'inet:::1:2424'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket = 'inet:my host:2424'", f"milter.socket: {SOCKET}"),
        ("[milter]\nsocket_mode = '660'", f"milter.socket_mode: {OCTAL}"),
        ("[milter]\nsocket_mode = '0680'", f"milter.socket_mode: {OCTAL}"),
        ("[milter]\nsocket_mode = 432", "milter.socket_mode: Input should be a valid string"),
        ("[milter]\non_error = 'reject'", "milter.on_error: Input should be 'tempfail' or 'accept'"),
        ("[milter]\ntimeout_s = 0", "milter.timeout_s: Input should be greater than 0"),
        ("[milter]\ntimeout_s = inf", "milter.timeout_s: Input should be a finite number"),
        ("[milter]\ntimeout_s = nan", "milter.timeout_s: Input should be a finite number"),
        ("[sink]\nlistener = []", "sink.listener: the sink is enabled, but has no listener"),
        ("[[sink.listener]]\naddress = 'inet:127.0.0.1:24'", "sink.listener[0].protocol: is required"),
        (
            "[[sink.listener]]\nprotocol = 'http'\naddress = 'inet:127.0.0.1:24'",
            "sink.listener[0].protocol: Input should be 'lmtp' or 'smtp'",
        ),
        ("[sink]\ntrusted_clients = ['10.0.0.1/8']", "sink.trusted_clients[0]: 10.0.0.1/8 has host bits set"),
        (
            "[sink]\ntrusted_clients = ['unix', 'localhost']",
            "sink.trusted_clients[1]: 'localhost' does not appear to be an IPv4 or IPv6 network",
        ),
        ("[sink]\nforward_to = 'mail.example.com'", "sink.forward_to: write HOST:PORT or unix:/absolute/path"),
        ("[sink]\nforward_to = 'inet:127.0.0.1'", f"sink.forward_to: {SOCKET}"),
        ("[sink]\nmta_names = ['mx example']", "sink.mta_names[0]: not the name of a host"),
        ("[sink]\nmta_names = ['']", "sink.mta_names[0]: not the name of a host"),
        ("[sink]\nmax_connections = 0", "sink.max_connections: Input should be greater than 0"),
        ('hostname = "mx.example.com\\r\\nX"', "hostname: not the name of a host"),
        ("state_directory = 7", "state_directory: Input should be a path, in quotes"),
        ("state_directory = ''", "state_directory: write an absolute path"),
        ("state_directory = 'var/lib/bouncemilter'", "state_directory: write an absolute path"),
        ("[classify]\nrules_directory = 'rules.d'", "classify.rules_directory: write an absolute path"),
        ("[inbound]\naddresses = ['example.com']", f"inbound.addresses[0]: {MAILBOX}"),
        ("[inbound]\naddresses = ['@example.com']", f"inbound.addresses[0]: {MAILBOX}"),
        ("[inbound]\naddresses = ['*@example.com']", f"inbound.addresses[0]: {MAILBOX}"),
        ("[inbound]\naddresses = 'news@example.com'", "inbound.addresses: Input should be a valid list"),
        ("[inbound]\nown_domains = ['*.example.com']", "inbound.own_domains[0]: not a domain name"),
        ("[inbound]\nown_domains = ['com']", "inbound.own_domains[0]: not a domain name"),
        ("[inbound]\nown_domains = ['192.0.2.1']", "inbound.own_domains[0]: not a domain name"),
        (
            "[inbound]\nown_domains = ['example.com', 'GMAIL.com']",
            "inbound.own_domains[1]: gmail.com belongs to a provider of mailboxes, not to you",
        ),
        (
            "[inbound]\nalso_pass = ['auto-reply']",
            f"inbound.also_pass[0]: Input should be {KINDS}",
        ),
        ("[web]\naddress = 'localhost:9125'", f"web.address: {SOCKET}"),
        ("[log]\nlevel = 'verbose'", "log.level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("[sink]\nenabled = false", "sink.enabled: neither sink nor milter is enabled: no mail could come in"),
    ],
)
def test_wrong_key(wrong: str, expected: str) -> None:
    """A wrong value is named with its key and what would be right, and nothing else is said."""
    assert faults(f"{wrong}\n{GOOD}") == [expected]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"prefix": "'b+news'"}, f"return_path[0].prefix: {PREFIX}"),
        ({"prefix": "'b=1'"}, f"return_path[0].prefix: {PREFIX}"),
        ({"prefix": "'b@x'"}, f"return_path[0].prefix: {PREFIX}"),
        ({"prefix": "''"}, f"return_path[0].prefix: {PREFIX}"),
        ({"prefix": "'-b'"}, f"return_path[0].prefix: {PREFIX}"),
        ({"prefix": "'żółw'"}, f"return_path[0].prefix: {PREFIX}"),
        ({"prefix": f"'{'b' * 33}'"}, f"return_path[0].prefix: {PREFIX}"),
        (
            {"prefix": "'Postmaster'"},
            "return_path[0].prefix: Postmaster is a mailbox that people must reach (RFC 5321 section 4.5.1, RFC 2142)",
        ),
        ({"domain": "'localhost'"}, "return_path[0].domain: not a domain name"),
        ({"domain": "'b@bounces.example.com'"}, "return_path[0].domain: not a domain name"),
        ({"domain": "'wp.pl'"}, "return_path[0].domain: wp.pl belongs to a provider of mailboxes, not to you"),
        (
            {"sender_domains": "['example.com', 'onet.pl']"},
            "return_path[0].sender_domains[1]: onet.pl belongs to a provider of mailboxes, not to you",
        ),
        ({"delimiters": "'+'"}, 'return_path[0].delimiters: "+=" or "-=", as in Postfix\'s default_verp_delimiters'),
        ({"delimiters": "'+-'"}, 'return_path[0].delimiters: "+=" or "-=", as in Postfix\'s default_verp_delimiters'),
        ({"domain": None}, "return_path[0].domain: is required"),
        ({"prefix": None}, "return_path[0].prefix: is required"),
        ({"key": "'x'"}, "return_path[0].key: no such key"),
    ],
)
def test_wrong_return_path(changed: dict[str, str | None], expected: str) -> None:
    """A wrong return path is named by its place, and is not said to be missing besides."""
    values = {"domain": "'bounces.example.com'", "prefix": "'b'", "sender_domains": "['example.com']"} | changed
    lines = [f"{key} = {value}" for key, value in values.items() if value is not None]
    assert faults("\n".join(["[[return_path]]", *lines])) == [expected]


def test_nothing_filled_in() -> None:
    """An empty file is told the one thing that it must say."""
    assert faults("") == ["return_path: neither [[return_path]] nor inbound.addresses says which mail is yours"]


def test_not_toml() -> None:
    """What is not TOML is said with its line."""
    assert faults("[policy\npreset = 'standard'") == [
        "not TOML: Expected ']' at the end of a table declaration (at line 1, column 8)"
    ]


@pytest.mark.parametrize("second", ["b", "B"])
def test_double_return_path(second: str) -> None:
    """One return path is configured once."""
    text = GOOD + f"[[return_path]]\ndomain = 'BOUNCES.example.com'\nprefix = '{second}'\n"
    assert faults(text) == ["return_path[1]: the same domain and prefix as return_path[0]"]


def listeners(*addresses: str) -> str:
    return "".join(f"[[sink.listener]]\nprotocol = 'smtp'\naddress = '{each}'\n" for each in addresses)


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("inet:127.0.0.1:2424", "inet:127.0.0.1:2424", "port 2424"),
        ("inet:127.0.0.1:2424", "inet:localhost:2424", "port 2424"),
        ("inet:0.0.0.0:2424", "inet:127.0.0.1:2424", "port 2424"),
        ("inet:[::]:2424", "inet:127.0.0.1:2424", "port 2424"),
        ("inet:MX.example.com:2424", "inet:mx.example.com:2424", "port 2424"),
        ("unix:/run/b/a.sock", "unix:/run/b/a.sock", "unix:/run/b/a.sock"),
        ("unix:/run/b/a.sock", "unix:/run/b/../b//a.sock", "unix:/run/b/../b//a.sock"),
    ],
)
def test_shared_socket(one: str, other: str, what: str) -> None:
    """Two fronts can't share a port or a socket: within the sink, or with milter and web."""
    assert faults(listeners(one, other) + GOOD) == [
        f"sink.listener[1].address: {what} is already taken by sink.listener[0].address"
    ]
    milter = f"[milter]\nenabled = true\nsocket = '{other}'\n"
    assert faults(listeners(one) + milter + GOOD) == [
        f"milter.socket: {what} is already taken by sink.listener[0].address"
    ]
    web = f"[web]\naddress = '{other}'\n"
    assert faults(listeners(one) + web + GOOD) == [f"web.address: {what} is already taken by sink.listener[0].address"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("inet:127.0.0.1:2424", "inet:127.0.0.1:2425"),
        ("inet:127.0.0.1:2424", "inet:[::1]:2424"),
        ("inet:192.0.2.1:25", "inet:192.0.2.2:25"),
        ("unix:/run/b/a.sock", "unix:/run/b/A.sock"),
        ("unix:/run/b/a.sock", "inet:127.0.0.1:24"),
    ],
)
def test_sockets_apart(one: str, other: str) -> None:
    """Two addresses of this host may have the same port."""
    assert len(parse(listeners(one, other) + GOOD, PATH).sink.listener) == 2


def test_disabled_front_takes_no_socket() -> None:
    """A front that does not run shares its socket with nobody."""
    same = "inet:127.0.0.1:2424"
    text = f"[milter]\nsocket = '{same}'\n[web]\nenabled = false\naddress = '{same}'\n{listeners(same)}{GOOD}"
    assert parse(text, PATH).milter.socket == same


@pytest.mark.parametrize(
    ("peer", "listener"),
    [("127.0.0.1:2525", "inet:127.0.0.1:2525"), ("unix:/run/b/smtp.sock", "unix:/run/b/smtp.sock")],
)
def test_forwarding_loop(peer: str, listener: str) -> None:
    """What people wrote can't be forwarded to the sink itself."""
    text = f"[sink]\nforward_to = '{peer}'\n{listeners(listener)}{GOOD}"
    assert faults(text) == [f"sink.forward_to: {listener} is the sink itself (sink.listener[0])"]


MANY = """
state_directory = 3
unknown = 1
[sink]
socket_mode = "rw"
[[sink.listener]]
address = "inet:127.0.0.1:2424"
[[sink.listener]]
protocol = "smtp"
address = "inet:127.0.0.1:2525"
[milter]
enabled = true
socket = "inet:127.0.0.1:9125"
socket_mode = "no"
[inbound]
addresses = ["news@example.com", "nobody"]
own_domains = ["!", "example.com", "wp.pl"]
[[return_path]]
domain = "bounces.example.com"
prefix = "+"
[policy]
preset = "x"
[web]
address = "inet:127.0.0.1:2525"
"""


def test_all_at_once() -> None:
    """Every fault is said at once: wrong keys do not hide what contradicts, and places are those of the file."""
    assert set(faults(MANY)) == {
        "state_directory: Input should be a path, in quotes",
        "unknown: no such key",
        f"sink.socket_mode: {OCTAL}",
        "sink.listener[0].protocol: is required",
        f"milter.socket_mode: {OCTAL}",
        f"inbound.addresses[1]: {MAILBOX}",
        "inbound.own_domains[0]: not a domain name",
        "inbound.own_domains[2]: wp.pl belongs to a provider of mailboxes, not to you",
        f"return_path[0].prefix: {PREFIX}",
        "policy.preset: Input should be 'observe', 'hard-only' or 'standard'",
        "web.address: port 2525 is already taken by sink.listener[1].address",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "state_directory = 3\n",
        "[policy]\npresett = 1\n",
        "[inbound]\nown_domains = [1]\n",
    ],
)
def test_wrong_key_hides_no_shared_port(wrong: str) -> None:
    """A wrong key anywhere does not hide that two fronts share a port."""
    found = faults(f"{wrong}{listeners('inet:127.0.0.1:9125')}{GOOD}")
    assert len(found) == 2
    assert "web.address: port 9125 is already taken by sink.listener[0].address" in found


@pytest.mark.parametrize("key", ["socket_mode = 'x'", "timeout_s = 0", "sockett = 'unix:/a'"])
def test_wrong_neighbour_hides_no_shared_socket(key: str) -> None:
    """Not even a wrong key of the same table, whose name begins alike, hides it."""
    same = "inet:127.0.0.1:2424"
    found = faults(f"[milter]\nenabled = true\nsocket = '{same}'\n{key}\n{listeners(same)}{GOOD}")
    assert found[1:] == ["milter.socket: port 2424 is already taken by sink.listener[0].address"]


def test_places_as_written() -> None:
    """Entries that are wrong by themselves do not move the others: every place is that of the file."""
    wrong = "[[sink.listener]]\nprotocol = 'x'\naddress = 'y'\n"
    taken = listeners("unix:/run/a.sock")
    found = faults(wrong + taken + wrong + taken + GOOD)
    assert [line.partition(": ")[0] for line in found] == [
        "sink.listener[0].protocol",
        "sink.listener[0].address",
        "sink.listener[2].protocol",
        "sink.listener[2].address",
        "sink.listener[3].address",
    ]
    assert found[-1].endswith("unix:/run/a.sock is already taken by sink.listener[1].address")


def test_wrong_tables() -> None:
    """Values where tables should be are faults like others."""
    assert [line.partition(": ")[0] for line in faults("return_path = 'b'\nsink = []\nlog = 'debug'\n")] == [
        "sink",
        "return_path",
        "log",
    ]


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is not there, is a folder or is not UTF-8 is said to be so."""
    missing, binary = tmp_path / "missing.toml", tmp_path / "binary.toml"
    binary.write_bytes(b"hostname = '\xff'")
    for path, words in (
        (missing, "can't be read: No such file or directory"),
        (tmp_path, "can't be read: Is a directory"),
        (binary, "is not UTF-8: octet 12"),
    ):
        with pytest.raises(SettingsError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: {words}"


def test_environment(tmp_path: Path) -> None:
    """Folders that are named and not there are faults, each with its key."""
    file = tmp_path / "bouncemilter.toml"
    missing = tmp_path / "missing"
    file.write_text(
        f"state_directory = '{missing}'\n[classify]\nrules_directory = '{missing}'\n"
        f"[milter]\nenabled = true\nsocket = 'unix:{missing}/milter.sock'\n"
        f"[[sink.listener]]\nprotocol = 'lmtp'\naddress = 'unix:{missing}/lmtp.sock'\n{GOOD}"
    )
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert [str(fault) for fault in caught.value.faults] == [
        f"state_directory: no such folder: {missing}",
        f"classify.rules_directory: no such folder: {missing}",
        f"sink.listener[0].address: no such folder: {missing}",
        f"milter.socket: no such folder: {missing}",
    ]
    assert load(file, environment=False).state_directory == missing
    missing.mkdir()
    assert load(file).state_directory == missing


@pytest.mark.parametrize("url", ["", "[store]\nurl = 'postgresql+asyncpg://db.example.com/b'\n"])
def test_unwritable_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A state folder on a read-only file system is a fault, wherever the store is: passed mail lies there too."""
    file = tmp_path / "bouncemilter.toml"
    file.write_text(f"state_directory = '{tmp_path}'\n{url}{listeners('inet:127.0.0.1:2424')}{GOOD}")
    assert load(file).state_directory == tmp_path
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere but there
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert [str(fault) for fault in caught.value.faults] == [f"state_directory: can't be written to: {tmp_path}"]


_JUNK = "1 -1 0 1.5 inf nan true 'x' '' [] [1] ['x'] [[]] [{}] [{a=1}] {} {a=1} 2026-03-01 'unix:/a' 'inet:a:1'".split()
_TABLES = {
    name: sorted(type(field.default).model_fields)
    for name, field in Settings.model_fields.items()
    if isinstance(field.default, BaseModel)
} | {"return_path": ["domain", "prefix", "delimiters", "sender_domains"]}


@given(
    st.dictionaries(
        st.sampled_from([(table, key) for table, keys in _TABLES.items() for key in (*keys, "odd", '"[0].a"')]),
        st.sampled_from(_JUNK),
        max_size=8,
    ),
    st.dictionaries(st.sampled_from([*Settings.model_fields, "odd"]), st.sampled_from(_JUNK), max_size=2),
    st.sampled_from(["[{}]", "[[{}]]"]),
)
def test_any_file(tables: dict[tuple[str, str], str], top: dict[str, str], brackets: str) -> None:
    """Whatever stands in a file, it is read, or its faults are said, each once; nothing else happens."""
    lines = [f"{key} = {value}" for key, value in top.items() if key not in {table for table, _ in tables}]
    for table in {table for table, _ in tables}:
        lines.append(brackets.format(table))
        lines.extend(f"{key} = {value}" for (holder, key), value in tables.items() if holder == table)
    try:
        parse("\n".join(lines), PATH)
    except SettingsError as error:
        said = [str(fault) for fault in error.faults]
        assert said
        assert len(set(said)) == len(said)
        assert not any("\n" in line for line in said)
