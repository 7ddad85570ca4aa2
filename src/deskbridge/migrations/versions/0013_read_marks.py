"""Who has read what, and who is mentioned where."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "read_marks",
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_read_marks_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_read_marks_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "ticket_id", name=op.f("pk_read_marks")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_read_marks_ticket_id"), "read_marks", ["ticket_id"], if_not_exists=True)
    op.create_table(
        "mentions",
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_mentions_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_mentions_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", "person_id", name=op.f("pk_mentions")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_mentions_person_id"), "mentions", ["person_id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("mentions", if_exists=True)
    op.drop_table("read_marks", if_exists=True)
