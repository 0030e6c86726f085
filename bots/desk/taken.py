"""How far commands in messages have come, which a platform may deliver again: each is done once, and failed once."""

from collections import OrderedDict

_MOST_KNOWN = 1_000


class Taken:
    """What this process knows of the latest commands."""

    def __init__(self) -> None:
        self._taken: OrderedDict[tuple[str, str], bool] = OrderedDict()

    def is_done(self, channel: str, message: str) -> bool:
        """Whether a message's command is carried out."""
        return self._taken.get((channel, message), False)

    def note(self, channel: str, message: str, *, is_done: bool) -> bool:
        """Note how far a message's command has come; say whether that is news."""
        name = (channel, message)
        is_news = self._taken.get(name) is not is_done
        self._taken[name] = is_done
        while len(self._taken) > _MOST_KNOWN:
            self._taken.popitem(last=False)
        return is_news
