"""Live streams: on MariaDB, events commit in the order of their ids."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_gate",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_gate")),
        **MARIADB,
        if_not_exists=True,
    )
    op.execute("INSERT INTO event_gate (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM event_gate)")


def downgrade() -> None:
    op.drop_table("event_gate", if_exists=True)
