"""`suppression import`: what a list becomes, and that it can be undone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from bouncemilter.store import Store, StoreUnavailable
from bouncemilter.store import imports as store_imports
from tests.cli.conftest import Home

JAN, EWA, OLA = "jan@klient.test", "ewa@klient.test", "ola@inny.test"


@pytest.fixture
def listed(home: Home) -> Any:
    """Imports a list with this content; its exit code and its summary."""

    def run(content: str | bytes, *options: str, name: str = "list.csv") -> tuple[int, dict[str, Any]]:
        file = home.folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        done = home.run("suppression", "import", str(file), *options, "--json")
        return done.exit_code, json.loads(done.stdout)

    return run


def inforce(home: Home) -> list[tuple[str, str, str]]:
    """Address, cause and scope of what is in force."""
    found = home.objects("suppression", "list", "--state", "in-force")
    return sorted(
        (each["address_key"], each["cause"], f"{each['scope']} {each['scope_value']}".strip()) for each in found
    )


def test_plain_list(home: Home, listed: Any) -> None:
    """A plain list suppresses by hand, for all mail; addresses twice count once; bad ones are told by their line."""
    code, found = listed(f"{JAN}\nno address\n{JAN.upper()}\n{EWA}\n", name="list.txt")
    assert (code, found["format"], found["added"], found["known"], found["rejected"]) == (1, "plain", 2, 1, 1)
    assert found["faults"] == [{"line": 2, "reason": "not an e-mail address: no"}]
    assert inforce(home) == [(EWA, "manual", "global"), (JAN, "manual", "global")]


def test_keeps_date_cause_and_words(home: Home, listed: Any) -> None:
    """A row keeps its date, its cause, and the server's own words, of which the category is told."""
    content = "status,reason,email,created\n5.1.1,550 5.1.1 User unknown,Jan@klient.test,1443651125\n"
    code, found = listed(content, "--note", "z SendGrid")
    assert (code, found["format"], found["added"], found["undated"]) == (0, "sendgrid", 1, 0)
    (kept,) = home.objects("suppression", "check", JAN)
    assert (kept["created_at"], kept["cause"], kept["category"]) == (
        "2015-09-30T22:12:05+00:00",
        "hard",
        "user_unknown",
    )
    assert (kept["address"], kept["diagnostic"], kept["note"]) == (
        "Jan@klient.test",
        "550 5.1.1 User unknown",
        "z SendGrid",
    )
    assert kept["batch"] == found["batch"]


def test_nobody_for_the_senders_fault(home: Home, listed: Any) -> None:
    """What a provider lists, but its own words call the sender's fault, suppresses nobody, unless a cause is given."""
    content = (
        "status,reason,email,created\n"
        f"5.7.1,550 5.7.1 blocked using zen.spamhaus.org,{JAN},1443651125\n"
        f"5.2.2,552 5.2.2 mailbox full,{EWA},1443651125\n"
    )
    code, found = listed(content)
    # The full mailbox is a soft bounce, whose 90 days are over.
    assert (code, found["added"]) == (0, 0)
    assert found["skipped"] == {"the sender's own fault: blocked, not dead": 1, "expired": 1}
    _, found = listed(content, "--cause", "manual")
    assert inforce(home) == [(JAN, "manual", "global")]


def test_what_is_there_stays(home: Home, listed: Any) -> None:
    """An import changes nothing that is there: the same is known, another cause stands beside it, opt-outs stay."""
    for cause, address in (("unsubscribe", JAN), ("complaint", EWA)):
        listed(f"address,cause,scope\n{address},{cause},global\n")
    before = {each["id"]: each for each in home.objects("suppression", "list")}
    _, found = listed(
        f"address,cause,scope,created_at\n{JAN},hard,global,2020-01-01\n{EWA},complaint,global,2020-01-01\n"
    )
    assert (found["added"], found["known"], found["beside"]) == (1, 1, 1)
    assert found["conflicts"] == [{"line": 2, "address": JAN, "cause": "hard", "already": ["unsubscribe global"]}]
    after = {each["id"]: each for each in home.objects("suppression", "list")}
    assert {number: after[number] for number in before} == before
    assert inforce(home) == [(EWA, "complaint", "global"), (JAN, "hard", "global"), (JAN, "unsubscribe", "global")]


def test_scope(home: Home, listed: Any) -> None:
    """A scope is for rows that name none; what a row names wins."""
    content = f"address,cause,scope,scope_value\n{JAN},unsubscribe,list,l.own.test\n{EWA},unsubscribe,,\n"
    listed(content, "--scope", "sender:Own.TEST")
    assert inforce(home) == [(EWA, "unsubscribe", "sender own.test"), (JAN, "unsubscribe", "list l.own.test")]
    assert home.run("suppression", "import", "x", "--scope", "everywhere").exit_code == 2


def test_forgotten_stays_so(home: Home, listed: Any) -> None:
    """What an import adds to an address that was forgotten stands under its pseudonym, holds, and can be undone."""
    listed(JAN)
    assert home.run("forget", JAN).exit_code == 0
    rows = "address,cause,note\njan@klient.test,hard,why\njan@klient.test,complaint,\nJan@klient.test,hard,\n"
    _, found = listed(rows)
    assert (found["added"], found["known"], found["beside"]) == (2, 1, 2)
    assert inforce(home) == []
    assert not [file for file in home.state.iterdir() if b"jan@klient" in file.read_bytes().lower()]

    def causes() -> list[str]:
        return sorted(each["cause"] for each in home.objects("suppression", "check", JAN))

    assert causes() == ["complaint", "hard", "manual"]
    assert home.run("suppression", "import", "--undo", found["batch"]).exit_code == 0
    assert causes() == ["manual"]


def test_causes_are_told(home: Home, listed: Any) -> None:
    """The summary says what the rows are taken for, before anything is written, too."""
    rows = f"address,cause\n{JAN},hard\n{EWA},complaint\n{OLA},hard\n"
    _, found = listed(rows, "--dry-run")
    assert found["causes"] == {"hard": 2, "complaint": 1}
    file = home.folder / "list.csv"
    assert "as hard 2, complaint 1\n" in home.run("suppression", "import", str(file)).stdout


def test_one_page_of_many(home: Home, listed: Any) -> None:
    """Where an API's answer says that it is not all, that is told, and what is there is taken."""
    pages = {
        "ses": {"SuppressedDestinationSummaries": [{"EmailAddress": JAN, "Reason": "BOUNCE"}], "NextToken": "x"},
        "listmonk": {"data": {"results": [{"email": EWA, "type": "hard", "source": "api"}], "total": 21}},
    }
    for form, page in pages.items():
        _, found = listed(json.dumps(page), name="page.json")
        assert (found["format"], found["added"], found["partial"]) == (form, 1, True)
        done = home.run("suppression", "import", str(home.folder / "page.json"))
        assert "one page" in done.stderr
    whole = {"data": {"results": [{"email": OLA, "type": "hard", "source": "api"}], "total": 1}, "NextToken": None}
    assert listed(json.dumps(whole))[1]["partial"] is False


def test_dry_run(home: Home, listed: Any) -> None:
    """A dry run tells the same numbers, and writes nothing."""
    listed(f"{EWA}\n", name="first.txt")
    content = (
        f"address,cause,scope\n{JAN},hard,global\n{JAN},hard,global\n{EWA},manual,global\n{EWA},hard,global\nx,,\n"
    )
    dry, real = listed(content, "--dry-run")[1], listed(content)[1]
    assert dry.pop("batch") is None
    assert real.pop("batch")
    assert dry == real
    assert (dry["added"], dry["known"], dry["beside"], dry["rejected"]) == (2, 2, 1, 1)
    assert len(home.objects("suppression", "import", "--batches")) == 2


def test_undo(home: Home, listed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoing ends exactly what the batch has made; what was there before, or came after, stays."""
    monkeypatch.setattr(store_imports, "CHUNK", 2)
    home.run("suppression", "add", JAN)
    _, found = listed("".join(f"{name}@klient.test\n" for name in ("jan", "a", "b", "c", "d")), name="list.txt")
    home.run("suppression", "add", OLA)
    assert (found["added"], found["known"]) == (4, 1)
    done = home.run("suppression", "import", "--undo", found["batch"])
    assert (done.exit_code, done.stdout) == (0, f"4 suppressions of import {found['batch']} ended\n")
    assert [each[0] for each in inforce(home)] == [JAN, OLA]
    (batch,) = home.objects("suppression", "import", "--batches")
    assert (batch["added"], batch["known"], batch["file_name"], batch["format"]) == (4, 1, "list.txt", "plain")
    assert batch["undone_at"]
    assert "undone by" in home.run("suppression", "import", "--batches").stdout
    assert home.run("suppression", "import", "--undo", "nonsense").exit_code == 1


def test_broken_off(home: Home, listed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store fails midway it is told what is written, as which batch; undone, nothing of it is left."""
    monkeypatch.setattr(store_imports, "CHUNK", 2)
    apply = store_imports._Adding.apply

    async def fail(work: Any, connection: Any, now: Any) -> Any:
        if any("c@" in row.address_key for row in work.rows):
            raise OSError("disk full")
        return await apply(work, connection, now)

    monkeypatch.setattr(store_imports._Adding, "apply", fail)
    file = home.folder / "list.txt"
    file.write_text("".join(f"{name}@klient.test\n" for name in "abcd"))
    done = home.run("suppression", "import", str(file))
    assert done.exit_code == 75
    (batch,) = home.objects("suppression", "import", "--batches")
    assert f"2 of 4 rows are written as batch {batch['id']}" in done.stderr
    assert batch["finished_at"] is None
    assert home.run("suppression", "import", "--undo", batch["id"]).exit_code == 0
    assert inforce(home) == []


def test_undone_meanwhile(home: Home) -> None:
    """A batch that is undone while it is written takes no more rows."""

    async def run(store: Store) -> None:
        batch = await store.imports.begin(by="ewa", file_name="x", format_="csv", skipped=0, rejected=0)
        async for _ in store.imports.undo(batch, by="adam"):
            pass
        row = store_imports.Row(1, JAN, JAN, store_imports.Cause.HARD, None)
        with pytest.raises(store_imports.NoSuchBatchError):
            async for _ in store.imports.add(batch, "ewa", [row]):
                pass
        assert await store.suppressed(JAN) == ()

    home.store(run)


HOSTILE = (
    b"address,cause,scope,note\n"
    b"=cmd@klient.test,hard,global,=HYPERLINK(1) za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n"
    b"a b@klient.test,hard,global,\n"
    b'"' + b"x" * 1_000_000 + b'",hard,global,\n'
    b"j\xff\xfen@klient.test,hard,global,x\n"
    b'ewa@klient.test,hard,list,"<b>[red]\x1b[31m\xe2\x80\xae' + b"y" * 5000 + b'"\n'
)


def test_hostile_rows(home: Home, listed: Any) -> None:
    """Giant cells, broken UTF-8, formulas, markup and controls do no harm: taken clean, or told by line."""
    code, found = listed(HOSTILE)
    assert (code, found["added"], [fault["line"] for fault in found["faults"]]) == (1, 2, [3, 4, 5])
    kept = home.objects("suppression", "list")
    assert [each["address_key"] for each in kept] == ["=cmd@klient.test", EWA]
    assert kept[1]["scope"] == "global"  # a list without a name reaches nobody
    assert kept[1]["note"].startswith("<b>[red] [31m")
    assert len(kept[1]["note"]) <= 1024
    home.run("suppression", "list")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "list.csv: empty: there is no list in it"),
        (b"PK\x03\x04", "no .xlsx workbook; save the list as .xlsx or CSV"),
        (b"name,city\nJan,Lublin\n", "no column of e-mail addresses in the first 1 records"),
        (b'address,cause,scope\njan@klient.test,hard,global\newa@klient.test,"hard\n', "record 3: a quote is opened"),
        (b"address\njan@klient.test\nj\0n@klient.test\n", "a binary file, no list (octet 25, line 3)"),
        (
            b"address,cause,scope\nx,hard,global\ny,hard,global\n",
            "no row can be read; line 2: not an e-mail address: x",
        ),
    ],
)
def test_no_list(home: Home, content: bytes, words: str) -> None:
    """A file that is broken, wherever, is refused with 65 and the place, and nothing of it is written."""
    file = home.folder / "list.csv"
    file.write_bytes(content)
    done = home.run("suppression", "import", str(file))
    assert done.exit_code == 65
    assert words in done.stderr
    assert "nothing was imported" in done.stderr
    assert inforce(home) == []
    assert home.objects("suppression", "import", "--batches") == []


def test_usage(home: Home) -> None:
    """A file that is not there is an I/O error; without a file, or with two tasks, it is a mistake."""
    assert home.run("suppression", "import", str(home.folder / "none.csv")).exit_code == 74
    assert home.run("suppression", "import").exit_code == 2
    assert home.run("suppression", "import", "x", "--batches").exit_code == 2


def test_standard_input(home: Home) -> None:
    """`-` reads standard input."""
    arguments = ["suppression", "import", "-", "--config", str(home.config)]
    done = CliRunner().invoke(main, arguments, input=f"{JAN}\n", catch_exceptions=False)
    assert done.exit_code == 0
    assert "standard input: format plain" in done.stdout
    assert [each[0] for each in inforce(home)] == [JAN]


@pytest.mark.parametrize("options", [("--format", "csv"), ("--format", "jsonl")])
def test_round_trip(home: Home, listed: Any, tmp_path: Path, options: tuple[str, str]) -> None:
    """What is exported and imported elsewhere is the same there."""
    listed(
        "address,cause,scope,scope_value,note,created_at\n"
        "=a@klient.test,hard,global,,'=1+1,2020-05-01\n'+b@klient.test,unsubscribe,list,l.own.test,\"a,b\",2021-05-01\n"
    )
    home.run("suppression", "add", EWA, "--days", "5", "--note", "@sum")
    file = tmp_path / "export"
    assert home.run("suppression", "export", *options, "--output", str(file)).exit_code == 0
    (tmp_path / "other").mkdir()
    other = Home(tmp_path / "other")
    assert other.run("suppression", "import", str(file), *options).exit_code == 0
    names = ("address", "address_key", "cause", "scope", "scope_value", "note", "created_at", "expires_at")

    def said(one: Home) -> list[list[Any]]:
        return sorted([each[name] for name in names] for each in one.objects("suppression", "list"))

    assert said(other) == said(home)


def test_store_unavailable_is_an_exit_code(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that can't be opened just now is worth another try."""

    async def fail(*_: Any, **__: Any) -> Store:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(Store, "open", fail)
    file = home.folder / "list.txt"
    file.write_text(JAN)
    assert home.run("suppression", "import", str(file)).exit_code == 75
