"""Incidents, pending suppressions and probation; what was sent, and to whom messages went."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_row_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the new tables; old suppressions belong to no cluster."""
    _incidents()
    _sent()
    op.add_column("events", sa.Column("sentence_times", sa.Integer, nullable=False, server_default="1"))
    op.add_column("events", sa.Column("incident", sa.BigInteger))
    op.add_column("events", sa.Column("dns_confirmed", sa.Boolean, nullable=False, server_default=sa.false()))
    _partial_index("ix_events_incident", "events", ["incident"], sa.column("incident").is_not(None))
    names = ("delivery_timeout", "domain_not_found", "host_not_responding")
    outage: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{name}'") for name in names]
    _partial_index("ix_events_outage", "events", ["at", "address_key"], sa.column("category", sa.String).in_(outage))
    added: tuple[sa.Column[Any], ...] = (
        sa.Column("pending", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("incident", sa.BigInteger),
        sa.Column("times", sa.Integer, nullable=False, server_default="1"),
        sa.Column("cluster", sa.BigInteger),
        sa.Column("template_cluster", sa.BigInteger),
        sa.Column("minute", sa.Integer),
        sa.Column("mailed", sa.String, nullable=False, server_default=""),
    )
    for column in added:
        op.add_column("suppressions", column)
    _partial_index("ix_suppressions_incident", "suppressions", ["incident"], sa.column("incident").is_not(None))
    for name in ("cluster", "template_cluster"):
        columns = [name, "minute", "mailed", "incident"]
        _partial_index(f"ix_suppressions_{name}", "suppressions", columns, sa.column(name).is_not(None))


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", _row_number, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("cluster", sa.BigInteger, nullable=False),
        _text("domain"),
        sa.Column("category", sa.String),
        _text("template"),
        _text("reason"),
        sa.Column("since", _time, nullable=False),
        sa.Column("opened_at", _time, nullable=False),
        sa.Column("last_at", _time, nullable=False),
        sa.Column("over_at", _time, nullable=False),
        sa.Column("outcome", sa.String),
        sa.Column("decided_at", _time),
        _text("decided_by"),
        _text("note"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sqlite_autoincrement=True,
    )


def _sent() -> None:
    op.create_table(
        "mailed",
        sa.Column("address", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("first_day", sa.Integer, nullable=False),
        sa.Column("last_day", sa.Integer, nullable=False),
        sa.Column("days", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_mailed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sent_counts",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("stream", sa.String, nullable=False),
        sa.Column("sender_domain", sa.String, nullable=False),
        sa.Column("list_id", sa.String, nullable=False),
        sa.Column("campaign", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "stream", "sender_domain", "list_id", "campaign", "provider", name="pk_sent_counts"
        ),
    )
    op.create_table(
        "messages",
        sa.Column("nonce", sa.String, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("recipients", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_messages"),
    )
    op.create_index("ix_messages_at", "messages", ["at"])
    op.create_table(
        "withheld",
        sa.Column("address_key", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("stream", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address_key", "day", "stream", "action", "cause", name="pk_withheld"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_withheld_day", "withheld", ["day"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default="")


def _partial_index(name: str, table: str, columns: list[str], where: sa.ColumnElement[bool]) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
