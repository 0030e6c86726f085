"""How Discord refuses a call: a status, a code, a message, and for a malformed body what is wrong where. Pure.

Source: docs.discord.com/developers/topics/opcodes-and-status-codes.
"""

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

_CODES: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20001: (403, "Bots cannot use this endpoint"),
    20012: (403, "You are not authorized to perform this action on this application"),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (400, "Thread is locked"),
    160006: (400, "Maximum number of active threads reached"),
}

Problem = tuple[str, str, str]


class ApiError(Exception):
    """A call that Discord refuses."""

    def __init__(self, code: int, *, status: int | None = None, problems: Iterable[Problem] = ()) -> None:
        usual, message = _CODES[code]
        super().__init__(message)
        self.code = code
        self.status = status or usual
        self.body: Json = {"message": message, "code": code}
        if self.status == 429:
            self.body |= {"retry_after": 0.05, "global": False}
        nested = nested_errors(problems)
        if nested:
            self.body["errors"] = nested


def invalid(*problems: Problem) -> ApiError:
    """Return the refusal of a body that breaks a rule: each problem is a path, a code and what it says."""
    return ApiError(50035, problems=problems)


def nested_errors(problems: Iterable[Problem]) -> Json:
    """Return problems as Discord nests them: `embeds.0.title` is three levels above its `_errors`."""
    errors: Json = {}
    for path, code, message in problems:
        place: Any = errors
        for part in path.split("."):
            place = place.setdefault(part, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})
    return errors
