"""Paused people and threads, what came with a message, memories widened by hand, and whom Recall has told of itself."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("people", _flag("paused"))
    op.add_column("threads", _flag("paused"))
    op.add_column("threads", _flag("outsiders"))
    op.add_column("messages", sa.Column("kept", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("messages", sa.Column("attachments", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("messages", sa.Column("tokens", sa.Integer()))
    unkept = sa.text("NOT kept AND text IS NOT NULL")
    op.create_index("ix_messages_unkept", "messages", ["sent_at"], sqlite_where=unkept, postgresql_where=unkept)
    op.add_column("facts", _flag("widened"))
    op.create_table(
        "disclosures",
        sa.Column("scope", sa.String(), primary_key=True),
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("messages.id"), nullable=False),
    )


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
