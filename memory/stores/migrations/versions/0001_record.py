"""The record: messages, facts, episodes, work queues, the audit log, and full text."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NEVER_REUSE = {"sqlite_autoincrement": True}
_TO_EXTRACT = sa.text("role = 'user' AND text IS NOT NULL AND extracted_version < version")
_UNSHOWN = sa.text("unshown_since IS NOT NULL")
_UNSETTLED = sa.text("state IN ('received', 'answering')")


def upgrade() -> None:
    _create_people_and_places()
    _create_messages()
    _create_facts()
    _create_episodes()
    _create_work()
    _create_audit_log()
    if op.get_bind().dialect.name == "sqlite":
        _finish_sqlite()
    else:
        _finish_postgresql()


def _row_id() -> sa.Column[int]:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", row_id, sa.Identity(), primary_key=True, autoincrement=True)


def _string(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _count(name: str, *, start: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=start, nullable=False)


def _text(name: str, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _json(name: str, default: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=default, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[object]:
    kind = sa.BigInteger() if target.endswith(".id") else sa.String()
    return sa.Column(name, kind, sa.ForeignKey(target), nullable=nullable, primary_key=primary_key)


def _create_people_and_places() -> None:
    op.create_table(
        "people",
        sa.Column("user_id", sa.String(), primary_key=True),
        _string("tenant_id"),
        _string("name"),
        _count("forget_epoch"),
        _count("next_number", start="1"),
        _json("preferences", "{}"),
    )
    op.create_table("channels", sa.Column("channel_id", sa.String(), primary_key=True), _string("audience"))
    op.create_table(
        "threads",
        sa.Column("session_id", sa.String(), primary_key=True),
        _string("tenant_id"),
        _reference("channel_id", "channels.channel_id"),
        _string("audience"),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(), server_default="", nullable=False),
        _count("version"),
        _count("forget_epoch"),
        _text("summary", default=""),
        _json("pins", "[]"),
        sa.Column("summary_through", sa.BigInteger(), server_default="0", nullable=False),
        _count("summary_version"),
        _time("last_active_at"),
        _count("extract_attempts"),
        _time("extract_retry_at", nullable=True),
    )


def _create_messages() -> None:
    op.create_table(
        "messages",
        _row_id(),
        _reference("session_id", "threads.session_id"),
        _string("tenant_id"),
        _string("channel_id"),
        _string("platform_message_id", nullable=True),
        _string("role"),
        _reference("author_id", "people.user_id", nullable=True),
        sa.Column("author_name", sa.String(), server_default="", nullable=False),
        sa.Column("text", sa.Text()),
        _string("audience"),
        _string("link", nullable=True),
        _time("sent_at"),
        _string("state"),
        _reference("reply_to", "messages.id", nullable=True),
        _json("used", "[]"),
        _count("version", start="1"),
        _count("extracted_version"),
        _string("parked_reason", nullable=True),
        _string("post", nullable=True),
        _time("unshown_since", nullable=True),
        sa.UniqueConstraint("channel_id", "platform_message_id", name="uq_messages_delivery"),
        **_NEVER_REUSE,
    )
    op.create_index("ix_messages_thread", "messages", ["session_id", "id"])
    op.create_index("ix_messages_author", "messages", ["author_id", "id"])
    op.create_index("ix_messages_reply_to", "messages", ["reply_to"])
    op.create_index(
        "ix_messages_unshown",
        "messages",
        ["tenant_id", "unshown_since"],
        sqlite_where=_UNSHOWN,
        postgresql_where=_UNSHOWN,
    )
    op.create_index(
        "ix_messages_to_extract", "messages", ["session_id"], sqlite_where=_TO_EXTRACT, postgresql_where=_TO_EXTRACT
    )
    op.create_index(
        "ix_messages_unsettled", "messages", ["session_id", "id"], sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED
    )
    op.create_table(
        "reply_uses",
        sa.Column("key", sa.String(), primary_key=True),
        _reference("message_id", "messages.id", primary_key=True),
    )
    op.create_index("ix_reply_uses_message", "reply_uses", ["message_id"])


def _create_facts() -> None:
    op.create_table(
        "facts",
        _row_id(),
        _string("tenant_id"),
        _reference("owner_id", "people.user_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _string("subject"),
        _string("kind"),
        _text("text"),
        _string("audience"),
        _time("said_at"),
        _time("created_at"),
        _time("valid_until", nullable=True),
        _reference("superseded_by", "facts.id", nullable=True),
        _count("confirmations"),
        sa.UniqueConstraint("owner_id", "number", name="uq_facts_number"),
        **_NEVER_REUSE,
    )
    op.create_index("ix_facts_owner", "facts", ["owner_id", "valid_until", "tenant_id", "audience", "subject"])
    op.create_index("ix_facts_superseded_by", "facts", ["superseded_by"])
    op.create_table(
        "fact_sources",
        _row_id(),
        _reference("fact_id", "facts.id"),
        _reference("message_id", "messages.id", nullable=True),
        _count("message_version", start="1"),
        _reference("author_id", "people.user_id"),
        _string("session_id"),
        _reference("channel_id", "channels.channel_id"),
        _string("audience"),
        _time("said_at"),
        _string("link", nullable=True),
        **_NEVER_REUSE,
    )
    op.create_index("ix_fact_sources_fact", "fact_sources", ["fact_id"])
    op.create_index("ix_fact_sources_message", "fact_sources", ["message_id"])


def _create_episodes() -> None:
    op.create_table(
        "episodes",
        _row_id(),
        _reference("session_id", "threads.session_id"),
        _string("tenant_id"),
        _reference("owner_id", "people.user_id"),
        _string("audience"),
        _text("title"),
        _text("happened"),
        _text("outcome", default=""),
        _time("started_at"),
        _time("ended_at"),
        _string("link", nullable=True),
        **_NEVER_REUSE,
    )
    op.create_index("ix_episodes_session", "episodes", ["session_id"])
    op.create_table(
        "episode_people",
        _reference("episode_id", "episodes.id", primary_key=True),
        _reference("user_id", "people.user_id", primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
    )
    op.create_index("ix_episode_people_user", "episode_people", ["user_id"])
    op.create_table(
        "episode_sources",
        _reference("episode_id", "episodes.id", primary_key=True),
        _reference("message_id", "messages.id", primary_key=True),
    )
    op.create_index("ix_episode_sources_message", "episode_sources", ["message_id"])


def _create_work() -> None:
    op.create_table(
        "tombstones",
        _row_id(),
        _string("key"),
        _string("owner_id"),
        _time("at"),
        sa.UniqueConstraint("key", name="uq_tombstones_key"),
        **_NEVER_REUSE,
    )
    op.create_table(
        "outbox",
        _row_id(),
        _string("operation"),
        _string("key", nullable=True),
        _string("owner_id", nullable=True),
        _string("session_id", nullable=True),
        _count("attempts"),
        _time("due_at"),
        **_NEVER_REUSE,
    )
    op.create_index("ix_outbox_due", "outbox", ["operation", "due_at", "id"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), primary_key=True),
        _string("holder", nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )
    op.create_table("upkeep", sa.Column("name", sa.String(), primary_key=True), _time("at"))


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        _row_id(),
        _time("at"),
        _string("actor_id"),
        _string("action"),
        _json("counts", "{}"),
        **_NEVER_REUSE,
    )


def _finish_sqlite() -> None:
    """Add full text and the audit log's guard.

    Terms have only letters, digits and the token characters below, so the tokenizer splits at spaces and nowhere else.
    `detail=column` keeps no positions, which nothing here asks for. The index reads its texts from the table `lexicon`.
    """
    op.execute(
        "CREATE TABLE lexicon ("
        "id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, labels TEXT NOT NULL, terms TEXT NOT NULL)"
    )
    op.execute(
        "CREATE VIRTUAL TABLE lexicon_index USING fts5(labels, terms, content='lexicon', content_rowid='id', "
        "detail=column, columnsize=0, tokenize=\"ascii tokenchars '._:/@-'\")"
    )
    op.execute(
        "CREATE TRIGGER lexicon_added AFTER INSERT ON lexicon BEGIN "
        "INSERT INTO lexicon_index (rowid, labels, terms) VALUES (new.id, new.labels, new.terms); END"
    )
    op.execute(
        "CREATE TRIGGER lexicon_removed AFTER DELETE ON lexicon BEGIN "
        "INSERT INTO lexicon_index (lexicon_index, rowid, labels, terms) "
        "VALUES ('delete', old.id, old.labels, old.terms); END"
    )
    for operation in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_refuses_{operation.lower()} BEFORE {operation} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _finish_postgresql() -> None:
    """Add full text and the audit log's guard."""
    op.execute(
        "CREATE TABLE lexicon ("
        "key text PRIMARY KEY, labels text[] NOT NULL, terms tsvector NOT NULL, words text NOT NULL)"
    )
    op.execute("CREATE INDEX ix_lexicon ON lexicon USING gin (terms, labels)")
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_refuses_change BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_log_refuses_truncate BEFORE TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )
