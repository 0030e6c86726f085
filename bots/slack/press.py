"""What a button carries: everything its press needs, so that any process can answer it at any time. Pure."""

import json
import re
from dataclasses import dataclass, fields

from bots.commands import parse_forget
from bots.slack import ids
from bots.slack.ids import SlackThread
from memory.errors import InputError
from memory.model import ForgetTarget, ThisMessage

MOST_WORDS = 300
"""Of what a person typed, in characters; a value holds 2,000."""
TOO_LONG = f"That is too long; name it in at most {MOST_WORDS} characters."

# The characters that Slack may escape on the way.
_LIVE = re.compile("[&<>]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button.

    Attributes:
        user: Whom it was made for.
        what: What to forget, as they would type it; "" for a message.
        message: The message to forget.
        thread: The thread that is meant.
        digest: Of the plan that pressing agrees to.
        words: What the list was searched for.
        page: Of the list, when it stands in one; the first is 0.
        why: Names the answer whose memories were shown.
        home: It stands in the Home tab.
    """

    user: str
    what: str = ""
    message: str = ""
    thread: str = ""
    digest: str = ""
    words: str = ""
    page: int | None = None
    why: str = ""
    home: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit into a button.

        Raises:
            InputError: Too many words.
        """
        if max(len(self.what), len(self.words)) > MOST_WORDS:
            raise InputError(TOO_LONG)

    def target(self, *, team: str, channel: str) -> ForgetTarget:
        """Return what it is to forget.

        Raises:
            InputError: It names nothing.
        """
        session_id = ids.session_id(SlackThread(team, channel, self.thread)) if self.thread else None
        if self.message and session_id is not None:
            return ThisMessage(session_id=session_id, platform_message_id=self.message)
        return parse_forget(self.what, session_id=session_id)


def encoded(press: Press) -> str:
    """Return the value of a button."""
    kept = {each.name: value for each in fields(press) if (value := getattr(press, each.name)) != each.default}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return _LIVE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def decoded(value: object) -> Press | None:
    """Return the button that a value stands for; None if it is none of ours."""
    try:
        return Press(**json.loads(value)) if isinstance(value, str) else None
    except (ValueError, TypeError, InputError):
        return None
