"""What administrators change has a version, so that two of them at once do not undo each other's work."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("users", "teams", "categories", "sla_policies", "business_calendars", "views")


def upgrade() -> None:
    for table in TABLES:
        _add(table, sa.Column("version", sa.Integer(), nullable=False, server_default="1"))


def _add(table: str, column: sa.Column[int]) -> None:
    """Add a column unless an interrupted run has: MariaDB cannot roll back, SQLite has no IF NOT EXISTS for it."""
    if column.name not in {present["name"] for present in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_column(table, "version")
