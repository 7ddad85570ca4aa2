"""When each connection, and each link of it, is looked at next for records that carry one key."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    _add("connections")
    _add("links")
    links = sa.table("links", sa.column("origin", sa.String()), sa.column("look_at", UtcDateTime()))
    op.execute(sa.update(links).where(links.c.origin == "desk").values(look_at=LONG_AGO))  # the others carry no key
    op.create_index(
        op.f("ix_links_connection_id_look_at_id"), "links", ["connection_id", "look_at", "id"], if_not_exists=True
    )


def _add(table: str) -> None:
    """Add the column unless an interrupted run has: MariaDB cannot roll back, SQLite has no IF NOT EXISTS for it."""
    if "look_at" not in {present["name"] for present in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, sa.Column("look_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_index(op.f("ix_links_connection_id_look_at_id"), "links")
    op.drop_column("links", "look_at")
    op.drop_column("connections", "look_at")
