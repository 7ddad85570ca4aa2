"""How tickets find their team and their agent by themselves."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import Id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add("teams", sa.Column("assignment", sa.String(length=30), nullable=False, server_default="MANUAL"))
    _add("teams", sa.Column("last_assigned_id", Id(), nullable=True))
    _add("categories", sa.Column("team_id", Id(), nullable=True))
    _add("categories", sa.Column("skill", sa.String(length=60), nullable=True))


def _add(table: str, column: sa.Column[object]) -> None:
    """Add a column unless an interrupted run has: MariaDB cannot roll back, SQLite has no IF NOT EXISTS for it."""
    if column.name not in {present["name"] for present in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def downgrade() -> None:
    op.drop_column("categories", "skill")
    op.drop_column("categories", "team_id")
    op.drop_column("teams", "last_assigned_id")
    op.drop_column("teams", "assignment")
