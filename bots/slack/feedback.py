"""What readers say of answers: counted, and noted in the log beside the answer; never with who said it."""

from collections import OrderedDict
from typing import get_args

import structlog

from bots.metrics import PlatformMetrics, Verdict
from bots.slack import views
from bots.slack.asked import Asked
from bots.slack.views import View

_log = structlog.get_logger(__name__)

_MOST_KNOWN = 10_000


class Feedback:
    """The feedback buttons. Anybody who reads an answer may press them; a change of mind counts, the same twice not.

    Args:
        metrics: Told of each verdict.
    """

    def __init__(self, metrics: PlatformMetrics) -> None:
        self._metrics = metrics
        self._given: OrderedDict[tuple[str, str, str], Verdict] = OrderedDict()

    async def take(self, who: Asked, value: str) -> View:
        """Take what a button says of an answer, and thank for it; of a button that is none of ours, nothing."""
        pressed, _, message_id = value.partition(":")
        key = (who.user, who.channel, message_id)
        for verdict in get_args(Verdict):
            if verdict == pressed and self._given.get(key) != verdict:
                _log.info("feedback", verdict=verdict, session_id=who.session_id, message_id=message_id)
                self._metrics.feedback(verdict)
                self._given[key] = verdict
        if len(self._given) > _MOST_KNOWN:
            self._given.popitem(last=False)
        return views.words(views.THANKS)
