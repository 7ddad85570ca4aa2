"""How fast each connection's tracker is called, by all processes together."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sync_paces",
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("free_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sync_paces_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_sync_paces")),
        **MARIADB,
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("sync_paces", if_exists=True)
