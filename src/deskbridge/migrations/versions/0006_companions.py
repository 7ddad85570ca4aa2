"""What goes with tickets: time entries, watchers, relations, ratings, saved views."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "views",
        sa.Column("id", Id(), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.String(length=2000), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_views_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_views_owner_id_name"), "views", ["owner_id", "name"], if_not_exists=True)
    op.create_index(op.f("ix_views_shared_name"), "views", ["shared", "name"], if_not_exists=True)
    op.create_table(
        "ratings",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("rated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ratings_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ratings")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "relations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("type", sa.String(30), nullable=False),
        sa.Column("other_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["tickets.id"], name=op.f("fk_relations_other_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_relations_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relations")),
        sa.UniqueConstraint("ticket_id", "type", "other_id", name=op.f("uq_relations_ticket_id_type_other_id")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_relations_other_id"), "relations", ["other_id"], if_not_exists=True)
    op.create_table(
        "time_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("author_id", Id(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_time_entries_author_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_time_entries_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_entries")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_time_entries_author_id"), "time_entries", ["author_id"], if_not_exists=True)
    op.create_index(
        op.f("ix_time_entries_ticket_id_started_at_id"),
        "time_entries",
        ["ticket_id", "started_at", "id"],
        if_not_exists=True,
    )
    op.create_table(
        "watchers",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_watchers_ticket_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_watchers_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_watchers")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_watchers_user_id"), "watchers", ["user_id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("watchers", if_exists=True)
    op.drop_table("time_entries", if_exists=True)
    op.drop_table("relations", if_exists=True)
    op.drop_table("ratings", if_exists=True)
    op.drop_table("views", if_exists=True)
