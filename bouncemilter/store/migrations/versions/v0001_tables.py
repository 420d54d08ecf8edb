"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_row_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table and index."""
    _events()
    _suppressions()
    op.create_table(
        "daily_counts",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("front", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("trust", sa.String, nullable=False),
        sa.Column("overflow", sa.Boolean, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "front", "kind", "category", "trust", "overflow", name="pk_daily_counts"),
    )
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_heartbeat"),
    )


def _events() -> None:
    op.create_table(
        "event_ids",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_ids"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", _time, nullable=False),
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
        sa.Column("sentence_expires_at", _time),
        _flag("excused"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_address", "events", ["address_key", "at"])
    op.create_index("ix_events_at", "events", ["at"])
    unmatched = sa.column("unmatched", sa.Boolean).is_(sa.true())
    _partial_index("ix_events_unmatched", "events", ["template", "rule"], unmatched)
    success = sa.column("effect", sa.String) == sa.literal_column("'success'")
    _partial_index("ix_events_success", "events", ["address_key", "at"], success)
    excerpt = sa.column("excerpt", sa.String) != sa.literal_column("''")
    _partial_index("ix_events_excerpt", "events", ["at"], excerpt)


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", _row_number, nullable=False),
        sa.Column("address_key", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("scope", sa.String, nullable=False),
        _text("scope_value"),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("expires_at", _time),
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
        sa.Column("ended_at", _time),
        _text("ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
        sqlite_autoincrement=True,
    )
    not_ended = sa.column("ended_at", _time).is_(None)
    _partial_index(
        "uq_suppressions_slot",
        "suppressions",
        ["address_key", "scope", "scope_value", "cause"],
        not_ended,
        unique=True,
    )
    op.create_index("ix_suppressions_address", "suppressions", ["address_key"])
    op.create_table(
        "suppression_changes",
        sa.Column("seq", _row_number, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("operation", sa.String, nullable=False),
        sa.Column("suppression_id", _row_number, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        _text("note"),
        sa.PrimaryKeyConstraint("seq", name="pk_suppression_changes"),
        sa.ForeignKeyConstraint(["suppression_id"], ["suppressions.id"], name="fk_suppression_changes_suppression_id"),
        sqlite_autoincrement=True,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default="")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _partial_index(
    name: str, table: str, columns: list[str], where: sa.ColumnElement[bool], *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
