"""A fact that is remembered at a person's wish: in their words, for the readers of where they say it. Pure."""

from datetime import datetime

from memory.consolidation import own_words, says
from memory.model import FactKind, FactSource, Message, NewFact, Place, TurnClaim, UserId

MAX_FACT_CHARS = 1_000
"""Longer is a document, not one sentence that stays true."""


def fact_by_hand(text: str, place: Place, owner: UserId, source: FactSource) -> NewFact:
    """Return the fact that a person wants remembered of them."""
    return NewFact(
        tenant_id=place.tenant_id,
        owner=owner,
        subject="person",
        kind=FactKind.OTHER,
        text=text,
        audience=place.audience,
        said_at=source.said_at,
        sources=(source,),
    )


def source_by_hand(
    place: Place, owner: UserId, *, said: Message | None, said_at: datetime, link: str | None
) -> FactSource:
    """Return where a person says it.

    Args:
        place: The thread.
        owner: The person.
        said: Their message, with which the fact goes when it is edited or forgotten; None when there is none.
        said_at: When, without a message.
        link: Where a person can open that message.
    """
    return FactSource(
        message_id=None if said is None else said.message_id,
        message_version=1 if said is None else said.version,
        author_id=owner,
        session_id=place.session_id,
        channel_id=place.channel_id,
        audience=place.audience,
        said_at=said_at if said is None else said.sent_at,
        link=link,
    )


def fact_by_model(claim: TurnClaim, words: str) -> NewFact | None:
    """Return the fact that the model wants remembered; None unless the asker said it themselves in this message."""
    message, place, author = claim.message, claim.place, claim.message.author
    wanted = " ".join(words.split())
    is_said = len(wanted) <= MAX_FACT_CHARS and says(own_words(message.text), wanted)
    if not is_said or author is None or not message.kept:
        return None
    source = source_by_hand(place, author.user_id, said=message, said_at=message.sent_at, link=message.link)
    return fact_by_hand(wanted, place, author.user_id, source)
