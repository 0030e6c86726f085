"""An index that finds the thread of an answer by where the platform shows it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    posted = sa.text("post IS NOT NULL")
    op.create_index(
        "ix_messages_post", "messages", ["channel_id", "post"], sqlite_where=posted, postgresql_where=posted
    )
