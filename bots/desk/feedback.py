"""What readers say of answers: counted, and noted in the log beside the answer; never with who said it."""

from collections import OrderedDict

import structlog

from bots.desk.asking import Asker
from bots.desk.sheets import Sheet, Words
from bots.metrics import PlatformMetrics, Verdict
from memory.model import SessionId, UserId

_log = structlog.get_logger(__name__)

THANKS = "Thank you."

_MOST_KNOWN = 10_000


class Feedback:
    """The feedback buttons. Anybody who reads an answer may press them; a change of mind counts, the same twice not.

    Args:
        metrics: Told of each verdict.
    """

    def __init__(self, metrics: PlatformMetrics) -> None:
        self._metrics = metrics
        self._given: OrderedDict[tuple[UserId, SessionId | None, str], Verdict] = OrderedDict()

    def take(self, who: Asker, message: str, verdict: Verdict) -> Sheet:
        """Take what somebody says of the answer to a message, and thank for it."""
        key = (who.user_id, who.session_id, message)
        if self._given.get(key) != verdict:
            _log.info("feedback", verdict=verdict, session_id=who.session_id, message_id=message)
            self._metrics.feedback(verdict)
            self._given[key] = verdict
        if len(self._given) > _MOST_KNOWN:
            self._given.popitem(last=False)
        return Words(THANKS)
