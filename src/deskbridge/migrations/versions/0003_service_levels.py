"""Service levels: policies, business calendars, clocks."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "business_calendars",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("week", Json, nullable=False),
        sa.Column("holidays", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_calendars")),
        sa.UniqueConstraint("name", name=op.f("uq_business_calendars_name")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "sla_policies",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("priority", sa.String(30), nullable=False),
        sa.Column("team_id", Id(), nullable=True),
        sa.Column("category", sa.String(length=60), nullable=True),
        sa.Column("response_minutes", sa.Integer(), nullable=True),
        sa.Column("resolution_minutes", sa.Integer(), nullable=True),
        sa.Column("calendar_id", Id(), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["business_calendars.id"], name=op.f("fk_sla_policies_calendar_id")),
        sa.ForeignKeyConstraint(
            ["category"], ["categories.key"], name=op.f("fk_sla_policies_category"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_sla_policies_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policies")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sla_policies_priority_team_id_category"),
        "sla_policies",
        ["priority", "team_id", "category"],
        if_not_exists=True,
    )
    op.create_table(
        "sla_clocks",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("policy_id", Id(), nullable=True),
        sa.Column("calendar_id", Id(), nullable=True),
        sa.Column("response_minutes", sa.Integer(), nullable=True),
        sa.Column("resolution_minutes", sa.Integer(), nullable=True),
        sa.Column("pauses", Json, nullable=False),
        sa.Column("response_level", sa.Integer(), nullable=False),
        sa.Column("resolution_level", sa.Integer(), nullable=False),
        sa.Column("next_check_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["business_calendars.id"], name=op.f("fk_sla_clocks_calendar_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["sla_policies.id"], name=op.f("fk_sla_clocks_policy_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_sla_clocks_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_sla_clocks")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_sla_clocks_next_check_at"), "sla_clocks", ["next_check_at"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("sla_clocks", if_exists=True)
    op.drop_table("sla_policies", if_exists=True)
    op.drop_table("business_calendars", if_exists=True)
