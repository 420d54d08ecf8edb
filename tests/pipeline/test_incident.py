"""An incident as the path sees it: reports come in, nobody is suppressed, and it is told."""

from __future__ import annotations

import datetime as dt

from structlog.testing import capture_logs

from bouncemilter.model import Effect, Sent
from bouncemilter.pipeline.path import INCIDENTS, SUPPRESSIONS
from tests.pipeline.site import NOON, Site, verp
from tests.rig import mail


async def test_f41_gmails_hour(site: Site) -> None:
    """Living addresses that all fail within minutes are pending; the metric and the log tell of one incident."""
    people = [f"anna{number}@gmail.test" for number in range(60)]
    await site.store.sent.record([Sent(each, NOON - dt.timedelta(days=21)) for each in people])
    opened, suppressed = INCIDENTS.labels("provider")._value.get(), SUPPRESSIONS.labels("hard")._value.get()
    with capture_logs() as logs:
        for minutes in (0, 10):  # these reports are only plausible: it takes two messages
            for one in people:
                await site.deliver(mail.dsn(verp(one), one), verp(one), days=minutes / 1440)
    found = [(await site.effects(one))[-1] for one in people]
    assert found.count(Effect.SUPPRESSED) == 49  # told before the fiftieth came
    assert found.count(Effect.PENDING) == 11
    assert [await site.store.suppressed(one) for one in people] == [()] * 60
    (incident,) = await site.store.incidents.newest()
    assert (incident.domain, incident.pending, incident.events) == ("gmail.test", 60, 120)
    assert INCIDENTS.labels("provider")._value.get() == opened + 1
    assert SUPPRESSIONS.labels("hard")._value.get() == suppressed + 49
    assert [each["kind"] for each in logs if each["event"] == "incident_opened"] == ["provider"]
    await site.store.incidents.undo(incident.id, by="ewa")
    assert all(each.excused for each in await site.events(people[0]))
