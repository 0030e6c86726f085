"""Replies and episodes that repeat what is forgotten because it stood in the history of their thread. Reads only.

No key says so: such a reply was given the turns before it, not a memory, and an episode names the people's messages it
tells of, not the replies. So words decide: a later reply or an episode of the same thread goes when it has a word of
what is forgotten that nobody's remaining message in the thread has. In a thread where only replies go, the forgotten
words are those that these replies brought there. What came with a message counts as words of it. That takes rather a
reply too many than one too few.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.lexical import content_terms
from memory.stores.sql.attachments import all_text
from memory.stores.sql.lexicon import episode_text
from memory.stores.sql.rows import AnyRow, chunks
from memory.stores.sql.schema import episodes, messages

_PAUSE_EVERY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What is known to go, rows by number.

    Attributes:
        said: People's messages, with their text.
        chosen: Those of them that are forgotten for themselves: all their words count.
        facts: Their words count.
        episodes: Their words count where a reply brought them.
        replies: Recall's replies.
        texts: What is forgotten elsewhere: its words count where a reply brought them.
    """

    said: Mapping[int, AnyRow]
    chosen: Collection[int]
    facts: Mapping[int, AnyRow]
    episodes: Mapping[int, AnyRow]
    replies: Mapping[int, AnyRow]
    texts: Collection[str] = ()


@dataclass(slots=True)
class Echoes:
    """Row numbers of what repeats it."""

    replies: set[int] = field(default_factory=set)
    episodes: set[int] = field(default_factory=set)


async def echoes(connection: AsyncConnection, gone: Gone) -> Echoes:
    """Return the replies and episodes that repeat what is forgotten and are not in `gone` already."""
    begins: dict[str, int] = {}
    for row in (*gone.said.values(), *gone.replies.values()):
        begins[row.session_id] = min(row.id, begins.get(row.session_id, row.id))
    found = Echoes()
    told = await _terms(row.text for row in gone.facts.values())
    brought: frozenset[str] | None = None
    for some in chunks(sorted(begins)):
        stories = await _stories(connection, some, gone)
        for session_id in sorted(stories.keys() | await _with_later_replies(connection, some, gone, begins)):
            if brought is None:  # only now: stemming all of a person's messages takes its time
                brought = told | await _words_of_all(gone)
            thread = _Thread(await _texts(connection, session_id), gone, begins[session_id])
            forgotten = await thread.forgotten(told, brought)
            found.replies |= await _having(forgotten, thread.later)
            found.episodes |= await _having(forgotten, stories.get(session_id, {}))
    return found


class _Thread:
    """One thread's texts, by what becomes of them."""

    def __init__(self, rows: Iterable[AnyRow], gone: Gone, begin: int) -> None:
        self.later: dict[int, str] = {}
        self._remaining: list[str] = []
        self._chosen: list[str] = []
        self._erased: list[str] = []
        self._has_said = False
        for row in rows:
            if row.author_id is None:
                if row.id in gone.replies:
                    self._erased.append(row.text)
                elif row.id > begin:
                    self.later[row.id] = row.text
            elif row.id in gone.said:
                self._has_said = True
                if row.id in gone.chosen:
                    self._chosen.append(all_text(row))
            elif row.kept:
                self._remaining.append(all_text(row))

    async def forgotten(self, told: frozenset[str], brought: frozenset[str]) -> frozenset[str]:
        """Return the words by which an echo is known here."""
        words = brought & await _terms(self._erased)
        if self._has_said:
            words |= told | await _terms(self._chosen)
        return words - await _terms(self._remaining)


async def _with_later_replies(
    connection: AsyncConnection, session_ids: Collection[str], gone: Gone, begins: Mapping[str, int]
) -> set[str]:
    rows = await connection.execute(
        select(messages.c.id, messages.c.session_id).where(
            messages.c.session_id.in_(session_ids), messages.c.author_id.is_(None), messages.c.text.is_not(None)
        )
    )
    return {row.session_id for row in rows if row.id > begins[row.session_id] and row.id not in gone.replies}


async def _stories(connection: AsyncConnection, session_ids: Collection[str], gone: Gone) -> dict[str, dict[int, str]]:
    """Return the texts of the threads' episodes that are not known to go, by thread and row number."""
    found: dict[str, dict[int, str]] = {}
    for row in await connection.execute(select(episodes).where(episodes.c.session_id.in_(session_ids))):
        if row.id not in gone.episodes:
            found.setdefault(row.session_id, {})[row.id] = episode_text(row.title, row.happened, row.outcome)
    return found


async def _texts(connection: AsyncConnection, session_id: str) -> Collection[AnyRow]:
    columns = select(messages.c.id, messages.c.author_id, messages.c.text, messages.c.attachments, messages.c.kept)
    here = columns.where(messages.c.session_id == session_id, messages.c.text.is_not(None))
    return (await connection.execute(here)).all()


async def _words_of_all(gone: Gone) -> frozenset[str]:
    stories = [episode_text(row.title, row.happened, row.outcome) for row in gone.episodes.values()]
    said = (all_text(row) for row in gone.said.values() if row.id in gone.chosen)
    return await _terms([*stories, *gone.texts, *said])


async def _having(words: frozenset[str], texts: Mapping[int, str]) -> set[int]:
    return {row_id for row_id, text in texts.items() if words & await _terms([text])}


async def _terms(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts, by stems; lets others run in between, since there may be many."""
    found: set[str] = set()
    for number, text in enumerate(texts, start=1):
        found.update(content_terms(text))
        if number % _PAUSE_EVERY == 0:
            await asyncio.sleep(0)
    return frozenset(found)
