"""The categories a desk begins with."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CATEGORIES = sa.table("categories", sa.column("key"), sa.column("name"), sa.column("active"), sa.column("position"))
SHIPPED = {
    "INCIDENT": "Incident",
    "SERVICE_REQUEST": "Service request",
    "BUG": "Bug",
    "FEATURE_REQUEST": "Feature request",
    "SUPPORT": "Support",
    "FACILITY_MANAGEMENT": "Facility management",
    "TECHNICAL_IT": "Technical IT",
    "SERVICE_COMPLAINT": "Service complaint",
}


def upgrade() -> None:
    present = set(op.get_bind().execute(sa.select(CATEGORIES.c.key)).scalars())
    op.bulk_insert(
        CATEGORIES,
        [
            {"key": key, "name": name, "active": True, "position": position}
            for position, (key, name) in enumerate(SHIPPED.items(), 1)
            if key not in present
        ],
    )


def downgrade() -> None:
    in_use = sa.select(sa.table("tickets", sa.column("category")).c.category)
    op.execute(CATEGORIES.delete().where(CATEGORIES.c.key.in_(list(SHIPPED)), CATEGORIES.c.key.not_in(in_use)))
