"""The arguments of MAIL, RCPT and XFORWARD."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.fronts.sink import command
from bouncemilter.model import Source


@pytest.mark.parametrize(
    ("argument", "address", "parameters"),
    [
        ("FROM:<>", "", {}),
        ("FROM: <jan@example.pl> SIZE=10 BODY=8BITMIME", "jan@example.pl", {"SIZE": "10", "BODY": "8BITMIME"}),
        ("from:jan@example.pl", "jan@example.pl", {}),
        (
            "FROM:<a@b.test> RET=HDRS ENVID=x+2By SMTPUTF8",
            "a@b.test",
            {"RET": "HDRS", "ENVID": "x+2By", "SMTPUTF8": ""},
        ),
        ('FROM:<"a b>c"@b.test>', '"a b>c"@b.test', {}),
        ("FROM:<żółw@przykład.pl> SMTPUTF8", "żółw@przykład.pl", {"SMTPUTF8": ""}),
    ],
)
def test_path(argument: str, address: str, parameters: dict[str, str]) -> None:
    """Address and parameters of MAIL are read as RFC 5321, 3461 and 6531 write them."""
    assert command.path(argument, "FROM:", command.MAIL_PARAMETERS) == command.Path(address, parameters)


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (None, "501"),
        ("", "501"),
        ("TO:<a@b.test>", "501"),
        ("FROM:<a@b.test", "501"),
        ("FROM:<a@b.test>x", "501"),
        ("FROM:<a\rX: y@b.test>", "501"),
        ("FROM:<\udce9@b.test>", "501"),
        ("FROM:<a@b.test> SIZE=", "501"),
        ("FROM:<a@b.test> COLOUR=blue", "555"),
    ],
)
def test_path_refused(argument: str | None, code: str) -> None:
    """What can't be read is refused, and control characters never get into an address."""
    with pytest.raises(command.CommandError, match=f"^{code} 5.5.4 "):
        command.path(argument, "FROM:", command.MAIL_PARAMETERS)


@given(st.text())
def test_path_any_text(text: str) -> None:
    """Any argument is read or refused with the documented error, nothing else."""
    for read in (lambda: command.path(text, "TO:", command.RCPT_PARAMETERS), lambda: command.xforward(text)):
        with contextlib.suppress(command.CommandError):
            read()


def test_xforward() -> None:
    """Attributes come decoded, the unavailable ones empty, and tell source and client."""
    values = command.xforward("NAME=mx.example.org ADDR=IPv6:2001:db8::1 HELO=a+20b IDENT=[UNAVAILABLE] source=REMOTE")
    assert values["HELO"] == "a b"
    assert values["IDENT"] == ""
    assert command.source(values) is Source.REMOTE
    assert command.client(values) == "2001:db8::1"
    assert command.source(command.xforward("SOURCE=LOCAL ADDR=[UNAVAILABLE]")) is Source.LOCAL
    assert command.source(command.xforward("SOURCE=LOCAL ADDR=127.0.0.1")) is Source.REMOTE
    assert command.client(command.xforward("ADDR=[UNAVAILABLE]")) == ""
    assert command.source(command.xforward("SOURCE=[UNAVAILABLE]")) is Source.UNKNOWN


@pytest.mark.parametrize("argument", [None, "", "NAME", "COLOUR=blue", "SOURCE=MOON"])
def test_xforward_refused(argument: str | None) -> None:
    """Attributes that Postfix does not know are refused with 501."""
    with pytest.raises(command.CommandError, match=r"^501 5\.5\.4 "):
        command.xforward(argument)
