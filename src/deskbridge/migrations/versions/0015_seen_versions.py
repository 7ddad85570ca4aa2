"""The ledger of a change feed holds every version it has shown, not the last one alone. What it held is read again."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_seen("connection_id", "remote_id", "version")


def downgrade() -> None:
    _create_seen("connection_id", "remote_id")


def _create_seen(*key: str) -> None:
    op.drop_table("sync_seen", if_exists=True)
    op.create_table(
        "sync_seen",
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("remote_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sync_seen_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_sync_seen")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_sync_seen_connection_id_at"), "sync_seen", ["connection_id", "at"], if_not_exists=True)
