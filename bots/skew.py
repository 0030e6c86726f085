"""How far this machine's clock is from a platform's. Pure."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

from memory.diagnosis import Check

_SKEW_S = 30.0
_HALF_A_SECOND = 0.5


def check_clock(there: str, here: datetime, *, of: str) -> Sequence[Check]:
    """Compare the time of day with a platform's, which has whole seconds; nothing when it does not say.

    Args:
        there: The platform's, as the Date header of an answer has it.
        here: Ours, when it was sent.
        of: The platform's name.
    """
    try:
        sent_at = parsedate_to_datetime(there)
    except ValueError:
        return []
    ahead_s = here.timestamp() - sent_at.timestamp() - _HALF_A_SECOND
    if abs(ahead_s) < _SKEW_S:
        return [Check(name="clock", verdict="ok", detail=f"agrees with {of}'s")]
    way = "ahead of" if ahead_s > 0 else "behind"
    detail = f"{abs(ahead_s):.0f} s {way} {of}'s: dates and waiting times are off by as much; synchronise it"
    return [Check(name="clock", verdict="warning", detail=detail)]
