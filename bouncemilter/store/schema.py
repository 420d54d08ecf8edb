"""The tables. What an installed store has comes from migrations/; a test keeps the two equal."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC datetime: `timestamptz` where the engine has it, else naive UTC text that sorts by time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """To the driver. A naive datetime is a programming error: it would be somebody's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """From the driver."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


# SQLite numbers rows by itself only in a column that is exactly INTEGER.
_RowNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata: Final = sa.MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
)


IMPORT_COUNTS: Final = ("added", "known", "beside", "skipped", "rejected")
"""Counts of imports.Batch."""


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default="")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _partial(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


event_ids: Final = sa.Table(
    "event_ids",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
"""Every event ever recorded, and when; outlives the event, so that a late copy still is a duplicate."""

events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("front", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    _text("envelope_recipient"),
    _text("envelope_sender"),
    sa.Column("trust", sa.String, nullable=False),
    _text("trust_reason"),
    _text("address_key"),
    _text("address"),
    _text("reported_address"),
    _flag("forwarded"),
    sa.Column("action", sa.String),
    _text("status"),
    _text("reply_code"),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("category", sa.String),
    _text("rule"),
    _text("template"),
    _text("diagnostic"),
    _text("remote_host"),
    _flag("closed_for_good"),
    _flag("already_suppressed"),
    _text("message_key"),
    _text("returned_message_id"),
    _text("returned_sender"),
    _text("returned_to"),
    _text("returned_subject"),
    _text("returned_list_id"),
    _text("returned_campaign"),
    _text("returned_return_path"),
    _text("sender_domain"),
    _text("format"),
    _text("report_message_id"),
    _text("excerpt"),
    _flag("left_company"),
    _text("new_address"),
    _text("defects"),
    _flag("unmatched"),
    sa.Column("effect", sa.String, nullable=False),
    _text("reason"),
    _flag("counted"),
    _text("watched"),
    sa.Column("sentence_scope", sa.String),
    sa.Column("sentence_scope_value", sa.String),
    sa.Column("sentence_cause", sa.String),
    sa.Column("sentence_expires_at", UtcDateTime),
    _flag("excused"),
    sa.Column("sentence_times", sa.Integer, nullable=False, server_default="1"),
    sa.Column("incident", sa.BigInteger),
    _flag("dns_confirmed"),
    _text("rule_version"),
)
"""model.Event, and what policy made of it (model.Decision). `defects`: words, parted by spaces. `unmatched`: the rule
is a fallback. `excused`: kept, but no mark any more. `incident`: the one that it belongs to."""

sa.Index("ix_events_address", events.c.address_key, events.c.at)
sa.Index("ix_events_at", events.c.at)
sa.Index("ix_events_unmatched", events.c.template, events.c.rule, **_partial(events.c.unmatched.is_(sa.true())))
sa.Index(
    "ix_events_success",
    events.c.address_key,
    events.c.at,
    **_partial(events.c.effect == sa.literal_column("'success'")),
)
sa.Index("ix_events_incident", events.c.incident, **_partial(events.c.incident.is_not(None)))
OUTAGE_CATEGORIES: Final = events.c.category.in_(
    [sa.literal_column(f"'{name}'") for name in ("delivery_timeout", "domain_not_found", "host_not_responding")]
)
"""incident.OUTAGE, in the words of the index."""
sa.Index("ix_events_outage", events.c.at, events.c.address_key, **_partial(OUTAGE_CATEGORIES))
sa.Index("ix_events_excerpt", events.c.at, **_partial(events.c.excerpt != sa.literal_column("''")))

suppressions: Final = sa.Table(
    "suppressions",
    metadata,
    sa.Column("id", _RowNumber, primary_key=True),
    sa.Column("address_key", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("scope", sa.String, nullable=False),
    _text("scope_value"),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("created_by", sa.String, nullable=False),
    _text("note"),
    sa.Column("category", sa.String),
    _text("rule"),
    _text("template"),
    _text("diagnostic"),
    sa.Column("trust", sa.String),
    _text("message_key"),
    _text("event_id"),
    _text("reason"),
    sa.Column("ended_at", UtcDateTime),
    _text("ended_by"),
    _flag("pending"),
    sa.Column("incident", sa.BigInteger),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    sa.Column("cluster", sa.BigInteger),
    sa.Column("template_cluster", sa.BigInteger),
    sa.Column("minute", sa.Integer),
    _text("mailed"),
    _text("batch"),
    _text("rule_version"),
    sqlite_autoincrement=True,
)
"""model.Suppression. Rows are ended, never deleted. From `cluster` to `mailed` stands what the incident fuse counts,
for those that a failure has ordered: incident.Cluster.key of provider and category, and of the template; the event's
time in minutes since 1970; incident.Mailed. `batch`: the import that made it."""

sa.Index(
    "uq_suppressions_slot",
    suppressions.c.address_key,
    suppressions.c.scope,
    suppressions.c.scope_value,
    suppressions.c.cause,
    unique=True,
    **_partial(suppressions.c.ended_at.is_(None)),
)
sa.Index("ix_suppressions_address", suppressions.c.address_key)
sa.Index("ix_suppressions_incident", suppressions.c.incident, **_partial(suppressions.c.incident.is_not(None)))
sa.Index("ix_suppressions_batch", suppressions.c.batch, **_partial(suppressions.c.batch != sa.literal_column("''")))
sa.Index("ix_suppressions_expires", suppressions.c.expires_at, **_partial(suppressions.c.expires_at.is_not(None)))
for _column in (suppressions.c.cluster, suppressions.c.template_cluster):
    sa.Index(
        f"ix_suppressions_{_column.name}",
        _column,
        suppressions.c.minute,
        suppressions.c.mailed,
        suppressions.c.incident,
        **_partial(_column.is_not(None)),
    )

suppression_changes: Final = sa.Table(
    "suppression_changes",
    metadata,
    sa.Column("seq", _RowNumber, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("operation", sa.String, nullable=False),
    sa.Column("suppression_id", _RowNumber, sa.ForeignKey("suppressions.id"), nullable=False),
    sa.Column("by", sa.String, nullable=False),
    _text("note"),
    sqlite_autoincrement=True,
)
"""What other processes follow; `seq` is never used twice."""

daily_counts: Final = sa.Table(
    "daily_counts",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("front", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("category", sa.String, primary_key=True),
    sa.Column("trust", sa.String, primary_key=True),
    sa.Column("overflow", sa.Boolean, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""Counts by UTC day, kept for good. `category` and `trust` are empty where there is none: a key holds no NULL."""

incidents: Final = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", _RowNumber, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("cluster", sa.BigInteger, nullable=False),
    _text("domain"),
    sa.Column("category", sa.String),
    _text("template"),
    _text("reason"),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("over_at", UtcDateTime, nullable=False),
    sa.Column("outcome", sa.String),
    sa.Column("decided_at", UtcDateTime),
    _text("decided_by"),
    _text("note"),
    sqlite_autoincrement=True,
)
"""model.Incident. `cluster`: incident.Cluster.key. That one has closed is no row's change: its times tell."""

mailed: Final = sa.Table(
    "mailed",
    metadata,
    sa.Column("address", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_day", sa.Integer, nullable=False),
    sa.Column("last_day", sa.Integer, nullable=False),
    sa.Column("days", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""model.SentDays by model.address_hash; days are numbered from 1 January 1970."""

sent_counts: Final = sa.Table(
    "sent_counts",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("stream", sa.String, primary_key=True),
    sa.Column("sender_domain", sa.String, primary_key=True),
    sa.Column("list_id", sa.String, primary_key=True),
    sa.Column("campaign", sa.String, primary_key=True),
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""Messages sent, by recipient and UTC day, kept for good."""

messages: Final = sa.Table(
    "messages",
    metadata,
    sa.Column("nonce", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("recipients", sa.LargeBinary, nullable=False),
)
"""Whom a message with one return path for several recipients went to: model.address_hash of each, eight octets, the
highest first."""

sa.Index("ix_messages_at", messages.c.at)

withheld: Final = sa.Table(
    "withheld",
    metadata,
    sa.Column("address_key", sa.String, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("stream", sa.String, primary_key=True),
    sa.Column("action", sa.String, primary_key=True),
    sa.Column("cause", sa.String, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Outgoing mail that suppressed addresses did not get."""

sa.Index("ix_withheld_day", withheld.c.day)

import_batches: Final = sa.Table(
    "import_batches",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    _text("file_name"),
    _text("format"),
    *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in IMPORT_COUNTS),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("undone_at", UtcDateTime),
    _text("undone_by"),
)
"""imports.Batch. Without `finished_at` it still runs, or was broken off."""

cursors: Final = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
"""How far those who follow have come: `hook` in the change log; `expiry` and `purge` in time, in
microseconds since 1970."""

secrets: Final = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
"""What was drawn once for the life of the store: the key of pseudonyms."""

heartbeat: Final = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""One row, written by Store.ping."""
