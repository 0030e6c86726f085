"""The record's tables, the same on SQLite and PostgreSQL; the migrations create exactly these.

Row numbers are never given out twice (`sqlite_autoincrement`, identity), so a tombstone or a vector's key cannot come
to mean another row. Full text is one table of stemmed terms per entry, with FTS5 over it on SQLite and a `tsvector` in
it on PostgreSQL; it is made by the migrations and used in `lexicon.py` and `fulltext.py` only.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from memory.stores.sql.columns import UtcDateTime, row_id

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("forget_epoch", Integer, nullable=False, server_default="0"),
    Column("next_number", Integer, nullable=False, server_default="1"),  # of the owner's next memory
    Column("preferences", JSON, nullable=False, server_default="{}"),
    Column("paused", Boolean, nullable=False, server_default=false()),  # nothing they say is kept
)

channels = Table(
    "channels",
    metadata,
    Column("channel_id", String, primary_key=True),  # platform, tenant and channel in one
    Column("audience", String, nullable=False),  # the narrowest it ever had; what was said in it has a copy
)

threads = Table(
    "threads",
    metadata,
    Column("session_id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("channel_id", String, ForeignKey("channels.channel_id"), nullable=False),
    Column("audience", String, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("title", String, nullable=False, server_default=""),  # start of the first message; '' once that is forgotten
    Column("version", Integer, nullable=False, server_default="0"),
    Column("forget_epoch", Integer, nullable=False, server_default="0"),
    Column("summary", Text, nullable=False, server_default=""),
    Column("pins", JSON, nullable=False, server_default="[]"),
    Column("summary_through", BigInteger, nullable=False, server_default="0"),
    Column("summary_version", Integer, nullable=False, server_default="0"),  # the thread's version the summary made
    Column("last_active_at", UtcDateTime, nullable=False),
    Column("extract_attempts", Integer, nullable=False, server_default="0"),
    Column("extract_retry_at", UtcDateTime),
    Column("paused", Boolean, nullable=False, server_default=false()),  # nothing said in it is kept
    Column("outsiders", Boolean, nullable=False, server_default=false()),  # guests may read it, or nobody knows
)

messages = Table(
    "messages",
    metadata,
    row_id(),
    Column("session_id", String, ForeignKey("threads.session_id"), nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("channel_id", String, nullable=False),
    Column("platform_message_id", String),  # NULL for a reply that the platform has not named
    Column("role", String, nullable=False),
    Column("author_id", String, ForeignKey("people.user_id")),  # NULL for Recall
    Column("author_name", String, nullable=False, server_default=""),
    Column("text", Text),  # NULL once forgotten; the row stays and turns later deliveries away
    Column("audience", String, nullable=False),
    Column("link", String),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("state", String, nullable=False),  # MessageState for a person's message; 'answered' for a reply
    Column("reply_to", BigInteger, ForeignKey("messages.id")),
    Column("used", JSON, nullable=False, server_default="[]"),  # keys of the memories a reply was given
    Column("version", Integer, nullable=False, server_default="1"),
    Column("extracted_version", Integer, nullable=False, server_default="0"),  # the watermark, per message
    Column("parked_reason", String),  # set aside after the last failed extraction
    Column("post", String),  # of a person's message: where the platform shows the answer
    Column("unshown_since", UtcDateTime),  # of a person's message: settled then, and its end is not shown yet
    Column("kept", Boolean, nullable=False, server_default=true()),  # False: said while paused, erased once answered
    Column("attachments", JSON, nullable=False, server_default="[]"),  # what came with it, as Attachment names it
    Column("tokens", Integer),  # of a reply: what the model read and wrote for it
    Column("edited_at", UtcDateTime),  # when the platform says it got the text it has; NULL for its first
    Column("attempts", Integer, nullable=False, server_default="0"),  # at an answer; 0 once settled
    Column("failure", JSON(none_as_null=True)),  # of a person's message: what was said in place of an answer
    Column("settled_fence", Integer),  # of a person's message: the fence of the lease under which it was settled
    Column("show_at", UtcDateTime),  # of an unshown end: not to be shown before, since the platform did not take it
    UniqueConstraint("channel_id", "platform_message_id", name="uq_messages_delivery"),
    Index("ix_messages_thread", "session_id", "id"),
    Index("ix_messages_author", "author_id", "id"),
    Index("ix_messages_reply_to", "reply_to"),
    Index(
        "ix_messages_unshown",
        "session_id",
        "id",
        sqlite_where=text("unshown_since IS NOT NULL"),
        postgresql_where=text("unshown_since IS NOT NULL"),
    ),
    Index(
        "ix_messages_to_extract",
        "session_id",
        sqlite_where=text("role = 'user' AND text IS NOT NULL AND extracted_version < version"),
        postgresql_where=text("role = 'user' AND text IS NOT NULL AND extracted_version < version"),
    ),
    Index(
        "ix_messages_unkept",
        "sent_at",
        sqlite_where=text("NOT kept AND text IS NOT NULL"),
        postgresql_where=text("NOT kept AND text IS NOT NULL"),
    ),
    Index(
        "ix_messages_unsettled",
        "session_id",
        "id",
        sqlite_where=text("state IN ('received', 'answering')"),
        postgresql_where=text("state IN ('received', 'answering')"),
    ),
    Index(
        "ix_messages_post",
        "channel_id",
        "post",
        sqlite_where=text("post IS NOT NULL"),
        postgresql_where=text("post IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

early_changes = Table(  # edits and deletions that came before the message did, without any text
    "early_changes",
    metadata,
    Column("channel_id", String, primary_key=True),
    Column("platform_message_id", String, primary_key=True),
    Column("is_deleted", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),  # by the platform's clock
    Index("ix_early_changes_changed_at", "changed_at"),
)

reply_uses = Table(  # messages.used the other way round: which replies a memory has gone into
    "reply_uses",
    metadata,
    Column("key", String, primary_key=True),
    Column("message_id", BigInteger, ForeignKey("messages.id"), primary_key=True),
    Index("ix_reply_uses_message", "message_id"),
)

facts = Table(
    "facts",
    metadata,
    row_id(),
    Column("tenant_id", String, nullable=False),
    Column("owner_id", String, ForeignKey("people.user_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("subject", String, nullable=False),  # 'person' (the owner) or 'team'
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("audience", String, nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("valid_until", UtcDateTime),  # NULL while alive
    Column("superseded_by", BigInteger, ForeignKey("facts.id")),
    Column("confirmations", Integer, nullable=False, server_default="0"),
    Column("widened", Boolean, nullable=False, server_default=false()),  # by its owner, to the whole workspace
    UniqueConstraint("owner_id", "number", name="uq_facts_number"),
    Index("ix_facts_owner", "owner_id", "valid_until", "tenant_id", "audience", "subject"),  # covers the reply path
    Index("ix_facts_superseded_by", "superseded_by"),
    sqlite_autoincrement=True,
)

fact_sources = Table(
    "fact_sources",
    metadata,
    row_id(),
    Column("fact_id", BigInteger, ForeignKey("facts.id"), nullable=False),
    Column("message_id", BigInteger, ForeignKey("messages.id")),  # NULL for /remember
    Column("message_version", Integer, nullable=False, server_default="1"),
    Column("author_id", String, ForeignKey("people.user_id"), nullable=False),
    Column("session_id", String, nullable=False),  # a thread of messages or, for /remember, perhaps of none
    Column("channel_id", String, ForeignKey("channels.channel_id"), nullable=False),
    Column("audience", String, nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    Column("link", String),
    Index("ix_fact_sources_fact", "fact_id"),
    Index("ix_fact_sources_message", "message_id"),
    sqlite_autoincrement=True,
)

episodes = Table(
    "episodes",
    metadata,
    row_id(),
    Column("session_id", String, ForeignKey("threads.session_id"), nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("owner_id", String, ForeignKey("people.user_id"), nullable=False),  # first of its people; names its vector
    Column("audience", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("happened", Text, nullable=False),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("link", String),
    Index("ix_episodes_session", "session_id"),
    sqlite_autoincrement=True,
)

episode_people = Table(
    "episode_people",
    metadata,
    Column("episode_id", BigInteger, ForeignKey("episodes.id"), primary_key=True),
    Column("user_id", String, ForeignKey("people.user_id"), primary_key=True),
    Column("number", Integer, nullable=False),  # the person's number for it, from the same row of numbers as facts
    Index("ix_episode_people_user", "user_id"),
)

episode_sources = Table(
    "episode_sources",
    metadata,
    Column("episode_id", BigInteger, ForeignKey("episodes.id"), primary_key=True),
    Column("message_id", BigInteger, ForeignKey("messages.id"), primary_key=True),
    Index("ix_episode_sources_message", "message_id"),
)

tombstones = Table(
    "tombstones",
    metadata,
    row_id(),
    Column("key", String, nullable=False),  # a MemoryKey; no content
    Column("owner_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("key", name="uq_tombstones_key"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    row_id(),
    Column("operation", String, nullable=False),  # 'index', 'drop' or 'evict'
    Column("key", String),
    Column("owner_id", String),
    Column("session_id", String),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime, nullable=False),
    Index("ix_outbox_due", "operation", "due_at", "id"),
    sqlite_autoincrement=True,
)

disclosures = Table(  # where people have been told what is remembered, and in the answer to which message
    "disclosures",
    metadata,
    Column("scope", String, primary_key=True),
    Column("message_id", BigInteger, ForeignKey("messages.id"), nullable=False),
)

removals = Table(  # threads, channels and tenants that are being forgotten; nothing of them is recalled any more
    "removals",
    metadata,
    Column("kind", String, primary_key=True),  # 'thread', 'channel' or 'tenant'
    Column("place", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("counts", JSON, nullable=False, server_default="{}"),  # of what went so far
)

named_values = Table(  # what an adapter has to know again after a restart; nobody's words
    "named_values",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String),  # NULL once released
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", Double, nullable=False),  # seconds since 1970 by the database's clock
)

audit_log = Table(
    "audit_log",
    metadata,
    row_id(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("action", String, nullable=False),
    Column("counts", JSON, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)

upkeep = Table(
    "upkeep",
    metadata,
    Column("name", String, primary_key=True),  # 'erased_at', 'texts_erased_at', 'compacted_at', 'rewritten_at'
    Column("at", UtcDateTime, nullable=False),
)
