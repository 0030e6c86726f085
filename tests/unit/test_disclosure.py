"""Which answers tell what is remembered, and how often the record is asked about it."""

from bots.delivery.disclosure import Disclosure
from memory.errors import StoreUnavailableError
from memory.model import MessageId
from tests.fakes.values import dm, public_channel, said

WORDS = "I remember."


class Claims:
    """A record that holds which message tells in which scope.

    Attributes:
        asked: The scopes that it was asked about, in order.
    """

    def __init__(self) -> None:
        self.told: dict[str, MessageId] = {}
        self.asked: list[str] = []
        self.is_up = True

    async def __call__(self, scope: str, message_id: MessageId) -> bool:
        self.asked.append(scope)
        if not self.is_up:
            raise StoreUnavailableError("sql", "tell what is remembered")
        return self.told.setdefault(scope, message_id) == message_id


async def test_the_record_is_asked_once_for_each_scope() -> None:
    """Turns cost nothing more for it, whichever way the record has answered."""
    claims = Claims()
    claims.told["tenant " + dm("ana").tenant_id] = MessageId(1)
    disclosure = Disclosure(claims, WORDS)
    told = [await disclosure.for_answer(said(number, "hello"), dm("ana")) for number in (7, 7, 8, 9)]

    assert told == [(WORDS,), (WORDS,), (), ()]
    assert len(claims.asked) == 2


async def test_an_outage_puts_the_words_off() -> None:
    """The answer goes out without them, and the next one has them."""
    claims = Claims()
    disclosure = Disclosure(claims, WORDS)
    claims.is_up = False
    first = await disclosure.for_answer(said(1, "hello"), public_channel("ops"))
    claims.is_up = True
    second = await disclosure.for_answer(said(2, "hello"), public_channel("ops"))

    assert (first, second) == ((), (WORDS,))


async def test_a_platform_without_words_asks_nobody() -> None:
    """There is nothing to tell."""
    claims = Claims()

    assert await Disclosure(claims, None).for_answer(said(1, "hello"), dm("ana")) == ()
    assert claims.asked == []
