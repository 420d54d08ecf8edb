"""F13: a message on which we always fail is passed on in the end, and troubles nobody else."""

from __future__ import annotations

from bouncemilter.model import Disposition
from bouncemilter.pipeline.poison import ATTEMPTS, REMEMBERED, Poison
from tests.pipeline.site import JAN, Site, verp
from tests.rig import mail


class Broken:
    """Fails on whatever it gets."""

    def verdict(self, _report: object, /) -> None:
        raise RuntimeError("private detail")


async def test_third_attempt_passes(site: Site) -> None:
    """The same message is put off twice, then passed; another one has attempts of its own."""
    poison, other = mail.dsn(verp(JAN), JAN), mail.dsn(verp(JAN), JAN)
    site.configure(Broken())
    outcomes = [await site.deliver(poison, verp(JAN)) for _ in range(ATTEMPTS)]
    assert outcomes == [*[(Disposition.TEMPFAIL,)] * (ATTEMPTS - 1), (Disposition.PASS,)]
    assert await site.deliver(other, verp(JAN)) == (Disposition.TEMPFAIL,)
    site.configure()
    assert await site.deliver(poison, verp(JAN)) == (Disposition.DISCARD,)


def test_memory_is_bounded() -> None:
    """Ever new messages that fail are forgotten in turn."""
    poison = Poison()
    assert not poison.failed(b"first")
    assert not any(poison.failed(b"%d" % number) for number in range(REMEMBERED))
    assert not poison.failed(b"first")
    assert len(poison._failures) == REMEMBERED
