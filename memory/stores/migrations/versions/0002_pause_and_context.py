"""Pause, what comes with a message, early changes, widened memories, disclosures, removed places, ends to be shown."""

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
    op.add_column("messages", sa.Column("edited_at", sa.DateTime(timezone=True)))
    op.add_column("messages", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("failure", sa.JSON()))
    op.add_column("messages", sa.Column("settled_fence", sa.Integer()))
    op.add_column("messages", sa.Column("show_at", sa.DateTime(timezone=True)))
    op.drop_index("ix_messages_unshown", "messages")
    unshown = sa.text("unshown_since IS NOT NULL")
    op.create_index(
        "ix_messages_unshown", "messages", ["session_id", "id"], sqlite_where=unshown, postgresql_where=unshown
    )
    op.create_table(
        "early_changes",
        sa.Column("channel_id", sa.String(), primary_key=True),
        sa.Column("platform_message_id", sa.String(), primary_key=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_early_changes_changed_at", "early_changes", ["changed_at"])
    op.create_table(
        "disclosures",
        sa.Column("scope", sa.String(), primary_key=True),
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("messages.id"), nullable=False),
    )
    op.create_table(
        "removals",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("place", sa.String(), primary_key=True),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), server_default="{}", nullable=False),
    )


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
