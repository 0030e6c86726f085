"""How a press is written into a button of Slack, and read again. Pure.

The button's action id says what pressing does, its value the rest. Team and channel are those it is pressed in.
"""

import json
import re
from dataclasses import fields

from bots.press import Action, Button, Press
from bots.slack import ids
from bots.slack.blocks import Block, plain
from bots.slack.ids import SlackThread
from memory.errors import InputError

FEEDBACK, SEARCH = "recall_feedback", "recall_search"
NAMES: dict[Action, str] = {
    "forget": "recall_forget",
    "agree": "recall_agree",
    "keep": "recall_keep",
    "page": "recall_page",
    "widen": "recall_widen",
    "narrow": "recall_narrow",
    "pause": "recall_pause",
    "resume": "recall_resume",
    "export": "recall_export",
    "why": "recall_why",
    "good": FEEDBACK,
    "bad": FEEDBACK,
    "retry": "recall_retry",
}
"""Action ids, each maybe with a colon and more, since Slack wants no two alike in one message."""
ACTION_ID = re.compile(rf"^({'|'.join(sorted(set(NAMES.values())))})(:.*)?$")

_ACTIONS: dict[str, Action] = {name: action for action, name in NAMES.items() if name != FEEDBACK}
_VERDICTS: dict[str, Action] = {"good": "good", "bad": "bad"}
# The characters that Slack may escape on the way.
_LIVE = re.compile("[&<>]")


def element(button: Button) -> Block:
    """Return a button as an element of a block."""
    name = ":".join(filter(None, [NAMES[button.press.action], _which(button)]))
    made: Block = {"type": "button", "action_id": name, "text": plain(button.label), "value": encoded(button.press)}
    return made | ({"style": "danger"} if button.is_grave else {})


def encoded(press: Press) -> str:
    """Return the value of a button."""
    if press.action == "why":
        return press.message
    if press.action in _VERDICTS:
        return f"{press.action}:{press.message}"
    kept = {each.name: value for each in fields(press) if (value := getattr(press, each.name)) != each.default}
    kept.pop("action")
    if press.user is not None:
        kept["user"] = ids.user_of(press.user)[1]
    if press.thread is not None:
        kept["thread"] = ids.thread_of(press.thread).thread_ts
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return _LIVE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def decoded(action_id: str, value: object, *, team: str, channel: str) -> Press | None:
    """Return the press that an action stands for; None if it is none of ours.

    Args:
        action_id: What pressing does.
        value: What else the button carries.
        team: The workspace.
        channel: Where it was pressed; "" in the Home tab.
    """
    name = action_id.partition(":")[0]
    if not isinstance(value, str):
        return None
    if name == FEEDBACK:
        verdict, _, message = value.partition(":")
        return Press(action=_VERDICTS[verdict], message=message) if verdict in _VERDICTS else None
    if name == NAMES["why"]:
        return Press(action="why", message=value)
    try:
        kept = {"thread": "", **json.loads(value)}
        user, thread = ids.user_id(team, kept.pop("user")), kept.pop("thread")
        session_id = ids.session_id(SlackThread(team, channel, thread)) if thread else None
        return Press(action=_ACTIONS[name], user=user, thread=session_id, **kept)
    except (ValueError, TypeError, LookupError, InputError):
        return None


def _which(button: Button) -> str:
    """Return what tells a button from others in its message that do the same."""
    match button.press.action:
        case "forget" | "widen" | "narrow" if not button.press.digest:
            return button.press.what.removeprefix("#")
        case "page":
            return button.label.lower()
        case "pause" | "resume" if button.press.thread is not None:
            return "thread"
    return ""
