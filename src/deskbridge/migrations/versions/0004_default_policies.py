"""The service levels a desk begins with, round the clock."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import Id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POLICIES = sa.table(
    "sla_policies",
    sa.column("id", Id()),
    sa.column("name", sa.String()),
    sa.column("priority", sa.String()),
    sa.column("response_minutes", sa.Integer()),
    sa.column("resolution_minutes", sa.Integer()),
)
HOURS = {"P1": (1, 4), "P2": (4, 24), "P3": (8, 72), "P4": (24, 168)}


def upgrade() -> None:
    present = set(op.get_bind().execute(sa.select(POLICIES.c.priority)).scalars())
    op.bulk_insert(
        POLICIES,
        [
            {
                "id": _id(position),
                "name": f"{priority} by default",
                "priority": priority,
                "response_minutes": response * 60,
                "resolution_minutes": resolution * 60,
            }
            for position, (priority, (response, resolution)) in enumerate(HOURS.items(), 1)
            if priority not in present
        ],
    )


def downgrade() -> None:
    op.execute(POLICIES.delete().where(POLICIES.c.id.in_([_id(position) for position in range(1, 5)])))


def _id(position: int) -> UUID:
    """The same id on every desk, a UUIDv7 from before any other."""
    return UUID(f"00000000-0000-7000-8000-{position:012}")
