"""First contact: the first answer in a workspace, and in a person's own talk, tells what is remembered; no other."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from memory.errors import StoreUnavailableError
from memory.model import Message, MessageId, Place

_log = structlog.get_logger(__name__)

Claim = Callable[[str, MessageId], Awaitable[bool]]

_MOST_KNOWN = 10_000
"""Scopes whose answer is known without asking the record, for each process."""


class Disclosure:
    """Knows which answers carry the platform's words about memory.

    Args:
        claim: Makes the answer to a message the one that tells in a scope, if none is yet; says whether it is.
        words: What to say; nothing is ever said when None.
    """

    def __init__(self, claim: Claim, words: str | None) -> None:
        self._claim = claim
        self._words = words
        self._known: OrderedDict[str, MessageId | None] = OrderedDict()

    async def for_answer(self, message: Message, place: Place) -> tuple[str, ...]:
        """Return what the answer to a message must tell; the same for every attempt to show that answer.

        While the record cannot be reached it is nothing, and a later answer tells.
        """
        if self._words is None:
            return ()
        told = [await self._is_told(scope, message.message_id) for scope in _scopes(message, place)]
        return (self._words,) if any(told) else ()

    async def _is_told(self, scope: str, message_id: MessageId) -> bool:
        """Whether this scope is told by the answer to this message."""
        if scope in self._known:
            self._known.move_to_end(scope)
            return self._known[scope] == message_id
        try:
            is_told = await self._claim(scope, message_id)
        except StoreUnavailableError as error:
            _log.warning("not_disclosed_yet", operation=error.operation)
            return False
        self._known[scope] = message_id if is_told else None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return is_told


def _scopes(message: Message, place: Place) -> list[str]:
    """Return where an answer may be the first: in the workspace, and in the person's own talk."""
    own = [f"person {message.author.user_id}"] if message.author is not None and not place.shared else []
    return [f"tenant {place.tenant_id}", *own]
