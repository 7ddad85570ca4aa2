"""Sync: connections, links, what both sides agreed on, what was heard, failed and decided."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id, Json, LongText, Serial, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connections",
        sa.Column("id", Id(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("base_url", sa.String(length=500), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("account", sa.String(length=254), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("webhook_secret", sa.LargeBinary(), nullable=True),
        sa.Column("mapping", LongText, nullable=False),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("stopped_because", sa.Text(), nullable=True),
        sa.Column("breaker", sa.String(30), nullable=False),
        sa.Column("open_until", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_success_at", UtcDateTime(), nullable=True),
        sa.Column("bad_since", UtcDateTime(), nullable=True),
        sa.Column("pace", sa.Double(), nullable=False),
        sa.Column("one_at_a_time", sa.Boolean(), nullable=False),
        sa.Column("clock_offset", sa.Double(), nullable=False),
        sa.Column("poll_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("name", name=op.f("uq_connections_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_connections_slug")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "remote_people",
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("remote_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_remote_people_connection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_remote_people_user_id")),
        sa.PrimaryKeyConstraint("connection_id", "remote_id", name=op.f("pk_remote_people")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_remote_people_connection_id_user_id"),
        "remote_people",
        ["connection_id", "user_id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_table(
        "sync_cursors",
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("tie", sa.String(length=200), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sync_cursors_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_sync_cursors")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "sync_events",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("link_id", Id(), nullable=True),
        sa.Column("ticket_id", Id(), nullable=True),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sync_events_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_events")),
        **MARIADB,
        if_not_exists=True,
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_sync_events_connection_id_id"),
        "sync_events",
        ["connection_id", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sync_events_ticket_id_id"), "sync_events", ["ticket_id", "id"], unique=False, if_not_exists=True
    )
    op.create_table(
        "sync_inbox",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("remote_id", sa.String(length=200), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sync_inbox_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_inbox")),
        sa.UniqueConstraint("connection_id", "dedupe_key", name=op.f("uq_sync_inbox_connection_id_dedupe_key")),
        **MARIADB,
        if_not_exists=True,
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_sync_inbox_received_at_id"), "sync_inbox", ["received_at", "id"], unique=False, if_not_exists=True
    )
    op.create_table(
        "sync_seen",
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("remote_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sync_seen_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "remote_id", name=op.f("pk_sync_seen")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sync_seen_connection_id_at"), "sync_seen", ["connection_id", "at"], unique=False, if_not_exists=True
    )
    op.create_table(
        "links",
        sa.Column("id", Id(), nullable=False),
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=True),
        sa.Column("remote_id", sa.String(length=200), nullable=True),
        sa.Column("remote_key", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.String(length=60), nullable=False),
        sa.Column("hints", sa.Integer(), nullable=False),
        sa.Column("dirty_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("leased_by", Id(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("remote_version", sa.String(length=200), nullable=True),
        sa.Column("unknown_since", UtcDateTime(), nullable=True),
        sa.Column("synced_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_links_connection_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_links_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("connection_id", "remote_id", name=op.f("uq_links_connection_id_remote_id")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_links_idem_key")),
        sa.UniqueConstraint("ticket_id", "connection_id", name=op.f("uq_links_ticket_id_connection_id")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_links_connection_id_state"), "links", ["connection_id", "state"], unique=False, if_not_exists=True
    )
    op.create_index(op.f("ix_links_due_at_id"), "links", ["due_at", "id"], unique=False, if_not_exists=True)
    op.create_table(
        "link_children",
        sa.Column("id", Id(), nullable=False),
        sa.Column("link_id", Id(), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("remote_id", sa.String(length=200), nullable=False),
        sa.Column("local_id", Id(), nullable=True),
        sa.Column("desk", sa.String(length=100), nullable=False),
        sa.Column("remote", sa.String(length=100), nullable=False),
        sa.Column("from_tracker", sa.Boolean(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_children_link_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_children")),
        sa.UniqueConstraint("link_id", "kind", "key", name=op.f("uq_link_children_link_id_kind_key")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_link_children_link_id_kind_remote_id"),
        "link_children",
        ["link_id", "kind", "remote_id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_link_children_local_id"), "link_children", ["local_id"], unique=False, if_not_exists=True)
    op.create_table(
        "link_fields",
        sa.Column("link_id", Id(), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("desk", Json, nullable=False),
        sa.Column("remote", Json, nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_fields_link_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("link_id", "field", name=op.f("pk_link_fields")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "sync_conflicts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("link_id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("desk", Json, nullable=False),
        sa.Column("remote", Json, nullable=False),
        sa.Column("winner", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_sync_conflicts_link_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_sync_conflicts_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_conflicts")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sync_conflicts_link_id_field_state"),
        "sync_conflicts",
        ["link_id", "field", "state"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sync_conflicts_state_at_id"), "sync_conflicts", ["state", "at", "id"], unique=False, if_not_exists=True
    )
    op.create_index(
        op.f("ix_sync_conflicts_ticket_id"), "sync_conflicts", ["ticket_id"], unique=False, if_not_exists=True
    )
    op.create_table(
        "sync_failures",
        sa.Column("id", Id(), nullable=False),
        sa.Column("connection_id", Id(), nullable=False),
        sa.Column("link_id", Id(), nullable=True),
        sa.Column("failure", sa.String(30), nullable=False),
        sa.Column("field", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("closed_by", sa.String(length=200), nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_sync_failures_connection_id")),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_sync_failures_link_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_failures")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sync_failures_connection_id"), "sync_failures", ["connection_id"], unique=False, if_not_exists=True
    )
    op.create_index(
        op.f("ix_sync_failures_link_id_state"), "sync_failures", ["link_id", "state"], unique=False, if_not_exists=True
    )
    op.create_index(
        op.f("ix_sync_failures_state_last_at_id"),
        "sync_failures",
        ["state", "last_at", "id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "sync_tails",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("position", Serial, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sync_tails")),
        **MARIADB,
        if_not_exists=True,
    )
    for table in ("messages", "time_entries"):
        _add(table, sa.Column("written_by", sa.String(length=200), nullable=True))
        _add(table, sa.Column("written_in", sa.String(length=100), nullable=True))


def _add(table: str, column: sa.Column[object]) -> None:
    """Add a column unless an interrupted run has: MariaDB cannot roll back, SQLite has no IF NOT EXISTS for it."""
    if column.name not in {present["name"] for present in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def downgrade() -> None:
    for table in ("messages", "time_entries"):
        op.drop_column(table, "written_in")
        op.drop_column(table, "written_by")
    op.drop_table("sync_tails", if_exists=True)
    op.drop_table("sync_failures", if_exists=True)
    op.drop_table("sync_conflicts", if_exists=True)
    op.drop_table("link_fields", if_exists=True)
    op.drop_table("link_children", if_exists=True)
    op.drop_table("links", if_exists=True)
    op.drop_table("sync_seen", if_exists=True)
    op.drop_table("sync_inbox", if_exists=True)
    op.drop_table("sync_events", if_exists=True)
    op.drop_table("sync_cursors", if_exists=True)
    op.drop_table("remote_people", if_exists=True)
    op.drop_table("connections", if_exists=True)
