"""Who asks for something outside of a conversation, where, and how they are answered: slash commands, buttons, menus.

Pure: payload in, value out; what cannot be understood is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots.desk.asking import Asker, Chosen, Utterance
from bots.slack import ids
from bots.slack.edits import moment
from bots.slack.ids import SlackThread
from bots.slack.inbound import Said
from bots.slack.mrkdwn import decode_text
from bots.slack.posts import EVENT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody wants something that only they see the answer to.

    Attributes:
        channel: Where; "" in the Home tab.
        thread_ts: The thread's first message; "" outside of threads, where slash commands are.
        response_url: Where the answer goes, when Slack gave one.
        replaces: The answer takes the place of what they pressed, which only they see.
        said: The message that says it, which Slack may deliver again; None when it is none.
    """

    team: str
    user: str
    channel: str
    thread_ts: str = ""
    response_url: str = ""
    replaces: bool = False
    said: Utterance | None = None

    @property
    def asker(self) -> Asker:
        """Who asks, as every platform's desk knows them."""
        return Asker(
            user_id=ids.user_id(self.team, self.user),
            tenant_id=ids.tenant_id(self.team),
            session_id=ids.session_id(self.thread) if self.thread_ts else None,
            said=self.said,
        )

    @property
    def is_home(self) -> bool:
        """Whether it is in the Home tab, which is theirs alone and all replaced at once."""
        return not self.channel

    def beside(self) -> "Asked":
        """Return the same, with what they pressed left as it is."""
        return replace(self, replaces=False)

    @property
    def thread(self) -> SlackThread:
        """Where they ask; with an empty time stamp outside of threads."""
        return SlackThread(self.team, self.channel, self.thread_ts)


def of_command(body: Mapping[str, Any], *, team: str) -> Asked | None:
    """Return who typed a slash command.

    Args:
        body: The payload.
        team: The workspace when the payload names none.
    """
    user = _text(body, "user_id")
    if not user:
        return None
    return Asked(
        team=_text(body, "team_id") or team,
        user=user,
        channel=_text(body, "channel_id"),
        response_url=_text(body, "response_url"),
    )


def of_interaction(body: Mapping[str, Any], *, team: str) -> Asked | None:
    """Return who pressed a button or chose from a message's menu.

    Args:
        body: The payload.
        team: The workspace when the payload names none.
    """
    user = _text(_inner(body, "user"), "id")
    if not user:
        return None
    container, message = _inner(body, "container"), _inner(body, "message")
    thread_ts = _text(container, "thread_ts") or _text(message, "thread_ts")
    return Asked(
        team=_text(_inner(body, "team"), "id") or team,
        user=user,
        channel=_text(container, "channel_id") or _text(_inner(body, "channel"), "id"),
        thread_ts=thread_ts or _text(message, "ts"),
        response_url=_text(body, "response_url"),
        replaces=container.get("is_ephemeral") is True,
    )


def of_home(event: Mapping[str, Any], body: Mapping[str, Any], *, team: str) -> Asked | None:
    """Return who opened their Home tab."""
    user = _text(event, "user")
    return Asked(team=_text(body, "team_id") or team, user=user, channel="") if user else None


def of_said(said: Said, *, url: str) -> Asked:
    """Return who gave a command in a message; `url` is the workspace's, for links."""
    link = ids.permalink(url, said.thread, said.ts)
    return Asked(
        team=said.thread.team,
        user=said.user,
        channel=said.channel,
        thread_ts=said.thread.thread_ts,
        said=Utterance(message=said.ts, link=link, said_at=moment(said.ts)),
    )


def chosen(message: Mapping[str, Any], asked: Asked, *, bot_user: str, url: str) -> Chosen:
    """Return a message from whose menu somebody chose.

    Args:
        message: The payload's.
        asked: Who chose, and where.
        bot_user: Recall's user.
        url: The workspace's, for links.
    """
    ts, author = str(message["ts"]), _text(message, "user")
    return Chosen(
        message=ts,
        author=ids.user_id(asked.team, author) if author else None,
        is_ours=author == bot_user,
        answers=_answered(message),
        text=decode_text(str(message.get("text") or ""), own=bot_user),
        link=ids.permalink(url, asked.thread, ts),
    )


def _answered(message: Mapping[str, Any]) -> str:
    """Return which message a post of Recall answers, as its metadata says; every part of an answer has it."""
    mark = _inner(message, "metadata")
    return str(_inner(mark, "event_payload").get("message_id") or "") if mark.get("event_type") == EVENT_TYPE else ""


def _inner(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
