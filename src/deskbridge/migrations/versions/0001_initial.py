"""The first tables: people and what they sign in with, tickets, events, jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from deskbridge.kit.model import MARIADB, Digest, Id, Json, LongText, Serial, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


SEQUENCES = {"customer_numbers": 1, "ticket_numbers": 1001}


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for name, start in SEQUENCES.items():
            op.execute(f"CREATE SEQUENCE IF NOT EXISTS {name} START WITH {start}")
    op.create_table(
        "categories",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_categories")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "events",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        **MARIADB,
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_events_subject_id_id"), "events", ["subject_id", "id"], if_not_exists=True)
    op.create_table(
        "idempotency_keys",
        sa.Column("key", Digest, nullable=False),
        sa.Column("request", Digest, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("tag", sa.String(length=40), nullable=True),
        sa.Column("body", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mariadb"), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"], if_not_exists=True)
    op.create_table(
        "jobs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_by", Id(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_jobs_kind_state"), "jobs", ["kind", "state"], if_not_exists=True)
    op.create_index(op.f("ix_jobs_state_run_at_id"), "jobs", ["state", "run_at", "id"], if_not_exists=True)
    op.create_table(
        "schedules",
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_schedules")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "teams",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "tries",
        sa.Column("what", Digest, nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_tries")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_table(
        "users",
        sa.Column("id", Id(), nullable=False),
        sa.Column("customer_number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("issuer", sa.String(length=200), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("skills", Json, nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("customer_number", name=op.f("uq_users_customer_number")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_users_issuer_subject")),
        sa.UniqueConstraint("phone", name=op.f("uq_users_phone")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_users_role_name_id"), "users", ["role", "name", "id"], if_not_exists=True)
    op.create_table(
        "api_tokens",
        sa.Column("digest", Digest, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("id", name=op.f("uq_api_tokens_id")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], if_not_exists=True)
    op.create_table(
        "sessions",
        sa.Column("digest", Digest, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
        sa.UniqueConstraint("id", name=op.f("uq_sessions_id")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], if_not_exists=True)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], if_not_exists=True)
    op.create_table(
        "team_members",
        sa.Column("team_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_team_members_user_id"), "team_members", ["user_id"], if_not_exists=True)
    op.create_table(
        "tickets",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", LongText, nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("priority", sa.String(30), nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("environment", sa.String(30), nullable=True),
        sa.Column("affected_service", sa.String(length=200), nullable=True),
        sa.Column("impact_level", sa.String(30), nullable=True),
        sa.Column("tags", Json, nullable=False),
        sa.Column("requester_id", Id(), nullable=False),
        sa.Column("assignee_id", Id(), nullable=True),
        sa.Column("team_id", Id(), nullable=True),
        sa.Column("channel", sa.String(30), nullable=False),
        sa.Column("external_ref", sa.String(length=100), nullable=True),
        sa.Column("resolution_notes", LongText, nullable=True),
        sa.Column("time_spent_minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("activity_at", UtcDateTime(), nullable=False),
        sa.Column("first_response_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("response_due_at", UtcDateTime(), nullable=True),
        sa.Column("resolution_due_at", UtcDateTime(), nullable=True),
        sa.Column("resolution_due_key", UtcDateTime(), nullable=False),
        sa.Column("response_breached", sa.Boolean(), nullable=False),
        sa.Column("resolution_breached", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", Id(), nullable=True),
        sa.Column("status_before_merge", sa.String(30), nullable=True),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_tickets_assignee_id")),
        sa.ForeignKeyConstraint(["category"], ["categories.key"], name=op.f("fk_tickets_category")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["tickets.id"], name=op.f("fk_tickets_merged_into_id")),
        sa.ForeignKeyConstraint(["requester_id"], ["users.id"], name=op.f("fk_tickets_requester_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_tickets_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_tickets_activity_at_id"), "tickets", ["activity_at", "id"], if_not_exists=True)
    op.create_index(
        op.f("ix_tickets_assignee_id_activity_at_id"),
        "tickets",
        ["assignee_id", "activity_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_tickets_assignee_id_created_at_id"),
        "tickets",
        ["assignee_id", "created_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_tickets_category_created_at_id"),
        "tickets",
        ["category", "created_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_tickets_created_at_id"), "tickets", ["created_at", "id"], if_not_exists=True)
    op.create_index(op.f("ix_tickets_external_ref"), "tickets", ["external_ref"], if_not_exists=True)
    op.create_index(op.f("ix_tickets_merged_into_id"), "tickets", ["merged_into_id"], if_not_exists=True)
    op.create_index(op.f("ix_tickets_priority_id"), "tickets", ["priority", "id"], if_not_exists=True)
    op.create_index(
        op.f("ix_tickets_requester_id_created_at_id"),
        "tickets",
        ["requester_id", "created_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_tickets_resolution_due_key_id"),
        "tickets",
        ["resolution_due_key", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_tickets_status_created_at_id"),
        "tickets",
        ["status", "created_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_tickets_team_id_created_at_id"),
        "tickets",
        ["team_id", "created_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_tickets_updated_at_id"), "tickets", ["updated_at", "id"], if_not_exists=True)
    op.create_table(
        "token_families",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_token_families_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_families")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_token_families_expires_at"), "token_families", ["expires_at"], if_not_exists=True)
    op.create_index(op.f("ix_token_families_user_id"), "token_families", ["user_id"], if_not_exists=True)
    op.create_table(
        "history",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("type", sa.String(30), nullable=False),
        sa.Column("audience", sa.String(30), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=True),
        sa.Column("old", LongText, nullable=True),
        sa.Column("new", LongText, nullable=True),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_history_actor_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_history_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_history_actor_id"), "history", ["actor_id"], if_not_exists=True)
    op.create_index(op.f("ix_history_ticket_id_at_id"), "history", ["ticket_id", "at", "id"], if_not_exists=True)
    op.create_table(
        "messages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("author_id", Id(), nullable=True),
        sa.Column("audience", sa.String(30), nullable=False),
        sa.Column("comment_type", sa.String(30), nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("edited_at", UtcDateTime(), nullable=True),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_messages_author_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_messages_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_messages_author_id"), "messages", ["author_id"], if_not_exists=True)
    op.create_index(
        op.f("ix_messages_ticket_id_created_at_id"),
        "messages",
        ["ticket_id", "created_at", "id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", Digest, nullable=False),
        sa.Column("family_id", Id(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["token_families.id"], name=op.f("fk_refresh_tokens_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_tokens")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_refresh_tokens_expires_at"), "refresh_tokens", ["expires_at"], if_not_exists=True)
    op.create_index(op.f("ix_refresh_tokens_family_id"), "refresh_tokens", ["family_id"], if_not_exists=True)
    op.create_table(
        "ticket_tags",
        sa.Column("tag", sa.String(length=50), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_tags_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tag", "ticket_id", name=op.f("pk_ticket_tags")),
        **MARIADB,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_ticket_tags_ticket_id"), "ticket_tags", ["ticket_id"], if_not_exists=True)


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for name in SEQUENCES:
            op.execute(f"DROP SEQUENCE IF EXISTS {name}")
    op.drop_table("ticket_tags", if_exists=True)
    op.drop_table("refresh_tokens", if_exists=True)
    op.drop_table("messages", if_exists=True)
    op.drop_table("history", if_exists=True)
    op.drop_table("token_families", if_exists=True)
    op.drop_table("tickets", if_exists=True)
    op.drop_table("team_members", if_exists=True)
    op.drop_table("sessions", if_exists=True)
    op.drop_table("api_tokens", if_exists=True)
    op.drop_table("users", if_exists=True)
    op.drop_table("tries", if_exists=True)
    op.drop_table("teams", if_exists=True)
    op.drop_table("schedules", if_exists=True)
    op.drop_table("jobs", if_exists=True)
    op.drop_table("idempotency_keys", if_exists=True)
    op.drop_table("events", if_exists=True)
    op.drop_table("categories", if_exists=True)
