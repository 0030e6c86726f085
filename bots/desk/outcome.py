"""What comes of something that was asked, also when it fails: the boundary of every command and button."""

import secrets
from collections.abc import Awaitable
from dataclasses import dataclass

import structlog

from bots.desk.buttons import NotYoursError
from bots.desk.sheets import Sheet, Words
from bots.desk.ways import Ways
from bots.platform import PlatformUnavailableError
from memory.errors import InputError, RecallError, StoreUnavailableError

_log = structlog.get_logger(__name__)

UNREACHABLE = "The record cannot be reached, so nothing was stored or changed. Try again in a moment."
BROKEN = "Something went wrong on my side; whoever runs me can find the reason in the log."
NOT_YOURS = "That button was made for somebody else."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        sheet: What to show; None when there is nothing.
        is_beside: What was pressed stays as it is.
    """

    sheet: Sheet | None
    is_beside: bool = False


async def outcome_of(work: Awaitable[Sheet | None], *, name: str, ways: Ways) -> Outcome:
    """Return what came of something; fixed words when it failed.

    Args:
        work: What was asked.
        name: Of what was asked, for the log.
        ways: What to say when the platform gives no answer.
    """
    try:
        return await outcome_if_reached(work, name=name)
    except (StoreUnavailableError, PlatformUnavailableError) as error:
        words = ways.unavailable if isinstance(error, PlatformUnavailableError) else UNREACHABLE
        return Outcome(failed(words, error, name), is_beside=True)


async def outcome_if_reached(work: Awaitable[Sheet | None], *, name: str) -> Outcome:
    """Return the same, where whoever asks will ask again.

    Raises:
        StoreUnavailableError: The record cannot be reached; nothing was changed.
        PlatformUnavailableError: The platform does not answer what has to be known before.
    """
    try:
        return Outcome(await work)
    except NotYoursError:
        return Outcome(Words(NOT_YOURS), is_beside=True)
    except InputError as error:  # its text is for the person
        return Outcome(Words(str(error)))
    except (StoreUnavailableError, PlatformUnavailableError):
        raise
    except Exception as error:  # noqa: BLE001  # the boundary of a command: whatever breaks, the person is told
        return Outcome(failed(BROKEN, error, name), is_beside=True)


def failed(words: str, error: Exception, name: str) -> Words:
    """Log what failed, and return fixed words with the id of the log line."""
    correlation_id = secrets.token_hex(4)
    if isinstance(error, RecallError):
        _log.warning("control_failed", control=name, correlation_id=correlation_id, reason=str(error))
    else:
        _log.error("control_broke", control=name, correlation_id=correlation_id, exc_info=error)
    return Words(f"{words}\nError id: {correlation_id}")
