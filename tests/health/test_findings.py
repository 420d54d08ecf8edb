"""The state of the host: what needs attention, and what does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from bouncemilter.health.findings import examine
from bouncemilter.health.snapshot import Gauges, KeyAge, Limits, Snapshot
from bouncemilter.health.subject import Subject
from bouncemilter.language import Language
from bouncemilter.model import Category, Incident, IncidentKind
from bouncemilter.statistics import blocklists
from tests.statistics.mailing import DAY, NOON

INCIDENT = Incident(
    7,
    IncidentKind.PROVIDER,
    "gmail.com",
    Category.USER_UNKNOWN,
    "",
    "50",
    NOON,
    NOON,
    NOON,
    NOON,
    events=60,
    pending=50,
)
WELL = Snapshot(
    NOON,
    ready=True,
    heartbeat=NOON,
    gauges=Gauges(index_age=0.2),
    disk_free=50,
    disk_size=100,
    keys=(KeyAge("b@bounces.own.test", NOON - 10 * DAY),),
    passed=0,
)


def unwell(**changed: Any) -> list[tuple[Subject, str]]:
    findings = examine(replace(WELL, **changed), Limits())
    return [(each.subject, each.detail) for each in findings if not each.well]


@pytest.mark.parametrize(
    ("changed", "subjects"),
    [
        ({}, []),
        ({"ready": False, "obstacles": ("store unavailable",)}, [Subject.DAEMON]),
        ({"ready": None}, []),
        ({"ready": None, "silent": "inet:127.0.0.1:2424"}, [Subject.DAEMON]),
        ({"ready": None, "heartbeat": NOON - dt.timedelta(minutes=2)}, [Subject.DAEMON]),
        ({"ready": None, "heartbeat": None, "gauges": None}, [Subject.DAEMON]),
        ({"store_error": "disk full"}, [Subject.STORE]),
        ({"gauges": Gauges(store_up=False)}, [Subject.STORE]),
        ({"gauges": Gauges(reload_success=False)}, [Subject.CONFIGURATION]),
        ({"gauges": Gauges(last_error=NOON - dt.timedelta(hours=1))}, [Subject.LAST_ERROR]),
        ({"gauges": Gauges(last_error=NOON - dt.timedelta(hours=25))}, []),
        ({"gauges": Gauges(index_age=90)}, [Subject.SUPPRESSIONS]),
        ({"gauges": Gauges(open_balances=("milter", "sink"))}, [Subject.BALANCES] * 2),
        ({"gauges": Gauges(overdue=2800)}, [Subject.MAILBOXES]),
        ({"incidents": (INCIDENT,)}, [Subject.INCIDENTS]),
        ({"hits": blocklists.hits([("zen.spamhaus.org", 1)])}, [Subject.BLOCKLISTS]),
        ({"too_big": 3}, []),
        ({"disk_free": 9}, [Subject.DISK]),
        ({"disk_free": 10}, []),
        ({"disk_size": 0}, []),
        ({"keys": (KeyAge("b@bounces.own.test", NOON - 181 * DAY),)}, [Subject.KEYS]),
        ({"keys": (KeyAge("b@bounces.own.test", None),)}, [Subject.KEYS]),
        ({"passed": 2}, [Subject.PASSED_MAIL]),
        ({"passed": None}, [Subject.PASSED_MAIL]),
    ],
)
def test_attention(changed: dict[str, Any], subjects: list[Subject]) -> None:
    """Each thing that is not well is told by its own subject, and nothing else is."""
    assert [subject for subject, _ in unwell(**changed)] == subjects


def test_what_can_not_be_known() -> None:
    """While the store can't be used, nothing is said of what only it knows: neither that all is well nor that not."""
    subjects = {each.subject for each in examine(replace(WELL, ready=None, heartbeat=None, store_error="no"), Limits())}
    assert subjects & {Subject.LAST_BOUNCE, Subject.INCIDENTS, Subject.BLOCKLISTS, Subject.SIZE} == set()
    daemon = examine(replace(WELL, ready=None, heartbeat=None, store_error="no"), Limits())[0]
    assert "last sign of life: not known" in daemon.text


@pytest.mark.parametrize("language", Language)
def test_texts(language: Language) -> None:
    """Each line says what to look at: the list with its way off, the incident, the size to keep to."""
    seen = replace(WELL, incidents=(INCIDENT,), hits=blocklists.hits([("zen.spamhaus.org", 4)]), too_big=3)
    texts = {each.subject: each.text for each in examine(seen, Limits(), language)}
    assert "https://check.spamhaus.org/" in texts[Subject.BLOCKLISTS]
    assert "bouncemilter incident show 7" in texts[Subject.INCIDENTS]
    assert "250 KB" in texts[Subject.SIZE]


def test_server_s_words() -> None:
    """What a server says is quoted, cut, and holds no link that somebody could be led to open."""
    evil = "550 log in at HTTPS://evil.test/ or www.evil.test " + "x" * 500
    template = replace(INCIDENT, kind=IncidentKind.TEMPLATE, domain="", category=None, template=evil)
    (text,) = [each.text for each in examine(replace(WELL, incidents=(template,)), Limits()) if not each.well]
    assert text.startswith('7: "550 log in at HTTPS: evil.test/ or www evil.test xxx')
    assert "bouncemilter incident show 7" in text
    assert len(text) < 400


def test_removal() -> None:
    """A closed list is not one to ask for removal; in Polish its note is Polish."""
    for language, told in ((Language.EN, "closed in June 2024"), (Language.PL, "zamknięta w czerwcu 2024")):
        seen = replace(WELL, hits=blocklists.hits([("blocked using dnsbl.sorbs.net", 1)]))
        (text,) = [each.text for each in examine(seen, Limits(), language) if not each.well]
        assert told in text
        assert "wykreślenie" not in text
        assert "removal" not in text
        assert "cause" not in text
    for said, told in (("dnsbl.test", "look the list up at https://multirbl"), ("sorbs.net", "closed")):
        (text,) = [
            each.text for each in examine(replace(WELL, hits=blocklists.hits([(said, 1)])), Limits()) if not each.well
        ]
        assert told in text
    seen = replace(WELL, hits=blocklists.hits([], [("<jan@o2.pl>", 2)]))
    assert any("mend the cause, then write to postmaster@wp.pl" in each.text for each in examine(seen, Limits()))
