"""The key of the pseudonyms that stand for forgotten addresses; by which rules an event was judged."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and draw the key once for the life of the store; old events don't say by which rules."""
    for name in ("events", "suppressions"):
        op.add_column(name, sa.Column("rule_version", sa.String, nullable=False, server_default=""))
    table = op.create_table(
        "secrets",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )
    op.bulk_insert(table, [{"name": "pseudonym", "value": secrets.token_bytes(32)}])
