"""What becomes of a thread when a part of its history goes or changes: all that was made of that history is void."""

from collections.abc import Collection

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import threads


async def reset_threads(connection: AsyncConnection, session_ids: Collection[str], *, is_forgotten: bool = True) -> int:
    """Take summaries and pins away, outdate every copy, let extraction start afresh; return how many summaries went.

    Args:
        connection: The transaction; it holds the threads already.
        session_ids: Which threads.
        is_forgotten: Text goes, so a reply under way is void too; False after an edit.
    """
    had_summary = 0
    for some in chunks(session_ids):
        here = threads.c.session_id.in_(some)
        with_summary = select(func.count()).select_from(threads).where(here, threads.c.summary != "")
        had_summary += (await connection.execute(with_summary)).scalar_one()
        await connection.execute(
            update(threads)
            .where(here)
            .values(
                summary="",
                pins=[],
                summary_through=0,
                version=threads.c.version + 1,
                summary_version=threads.c.version + 1,  # a summary made before is refused
                forget_epoch=threads.c.forget_epoch + int(is_forgotten),
                extract_attempts=0,
                extract_retry_at=None,
            )
        )
    return had_summary
