"""Two reports on one message count once, whatever each of them says of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bouncemilter.store import Store
from tests.pipeline.site import PLAIN, Site, verp
from tests.rig import mail

JAN = "jan@klient.test"
BARE = f"""\
From: MAILER-DAEMON@mx.far.test
To: {PLAIN}
Subject: Undelivered Mail Returned to Sender
Message-ID: <bare@mx.far.test>

<{JAN}>: host mx.far.test said: 550 5.1.1 User unknown
""".encode()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with a store of its own."""
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}") as store:
        yield Site(store)


@pytest.mark.parametrize("bare_first", [False, True])
async def test_a_report_without_the_message(site: Site, bare_first: bool) -> None:
    """A gateway's report that returns nothing adds nothing to the server's. Red if one message suppresses."""
    reports = [mail.dsn(PLAIN, JAN), BARE]
    for number, report in enumerate(reversed(reports) if bare_first else reports):
        await site.deliver(report, verp(JAN), days=number / 100)
    assert not await site.suppressed(JAN)
    await site.deliver(mail.dsn(PLAIN, JAN), verp(JAN), days=2)
    assert await site.suppressed(JAN)


async def test_days_are_messages(site: Site) -> None:
    """Reports that return nothing are about one message a day, when nothing better is known."""
    await site.deliver(BARE, verp(JAN))
    await site.deliver(BARE.replace(b"bare@", b"other@"), verp(JAN), days=1)
    assert await site.suppressed(JAN)
