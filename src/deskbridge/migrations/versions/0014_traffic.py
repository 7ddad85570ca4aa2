"""How much each line of what sync did wrote in the tracker and took over here, to be summed over a time."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    present = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("sync_events")}
    for name in {"pushed", "pulled"} - present:  # MariaDB cannot roll an interrupted run back
        op.add_column("sync_events", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_index(op.f("ix_sync_events_at_connection_id"), "sync_events", ["at", "connection_id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_sync_events_at_connection_id"), "sync_events")
    op.drop_column("sync_events", "pulled")
    op.drop_column("sync_events", "pushed")
