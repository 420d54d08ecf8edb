"""Imports of suppression lists, cursors of those who follow the changes, and when suppressions expire."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the new tables; old suppressions are of no batch."""
    op.add_column("suppressions", sa.Column("batch", sa.String, nullable=False, server_default=""))
    _partial_index("ix_suppressions_batch", "batch", sa.column("batch") != sa.literal_column("''"))
    _partial_index("ix_suppressions_expires", "expires_at", sa.column("expires_at").is_not(None))
    op.create_table(
        "import_batches",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        _text("file_name"),
        _text("format"),
        _number("added"),
        _number("known"),
        _number("beside"),
        _number("skipped"),
        _number("rejected"),
        sa.Column("finished_at", _time),
        sa.Column("undone_at", _time),
        _text("undone_by"),
        sa.PrimaryKeyConstraint("id", name="pk_import_batches"),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _partial_index(name: str, column: str, where: sa.ColumnElement[bool]) -> None:
    op.create_index(name, "suppressions", [column], sqlite_where=where, postgresql_where=where)
