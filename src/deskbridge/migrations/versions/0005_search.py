"""Search: documents, and each engine's own table of words. `deskbridge search reindex` fills them for older tickets."""

import sqlalchemy as sa
from alembic import op

from deskbridge.kit.model import MARIADB, Id, Serial, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQLITE = """CREATE VIRTUAL TABLE IF NOT EXISTS search_fts
    USING fts5(tokens, content='', contentless_delete=1, tokenize='unicode61')"""
POSTGRES = """CREATE TABLE IF NOT EXISTS search_vectors
    (document_id BIGINT PRIMARY KEY REFERENCES documents ON DELETE CASCADE, vector TSVECTOR NOT NULL)"""
POSTGRES_INDEX = "CREATE INDEX IF NOT EXISTS ix_search_vectors_vector ON search_vectors USING GIN (vector)"
MARIADB_WORDS = """CREATE TABLE IF NOT EXISTS search_texts
    (document_id BIGINT PRIMARY KEY, tokens MEDIUMTEXT NOT NULL, FULLTEXT KEY ix_search_texts_tokens (tokens))
    CHARACTER SET ascii COLLATE ascii_bin"""
WORDS = {"sqlite": [SQLITE], "postgresql": [POSTGRES, POSTGRES_INDEX], "mariadb": [MARIADB_WORDS]}
TABLES = {"sqlite": "search_fts", "postgresql": "search_vectors", "mariadb": "search_texts"}


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=True),
        sa.Column("audience", sa.String(30), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_documents_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_documents_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("message_id", name=op.f("uq_documents_message_id")),
        **MARIADB,
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_documents_ticket_id_id"), "documents", ["ticket_id", "id"], if_not_exists=True)
    for statement in WORDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.execute(f"DROP TABLE IF EXISTS {TABLES[op.get_bind().dialect.name]}")
    op.drop_table("documents", if_exists=True)
