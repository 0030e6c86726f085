"""Ids of Slack: the one place that makes and reads them. Pure.

A team is a workspace, or the enterprise where an event carries no workspace. Ids of channels and users repeat across
teams, so every id carries its team.
"""

from dataclasses import dataclass

from bots.ids import join_parts, split_parts
from memory.audience import private_to
from memory.model import Audience, ChannelId, Person, Place, SessionId, TenantId, UserId

_PLATFORM = "slack"
_OWN = "@"


@dataclass(frozen=True, slots=True)
class SlackThread:
    """A thread as Slack names it; `thread_ts` is the time stamp of its first message."""

    team: str
    channel: str
    thread_ts: str


def tenant_id(team: str) -> TenantId:
    """Return the id of a workspace."""
    return TenantId(join_parts(_PLATFORM, team))


def channel_id(team: str, channel: str) -> ChannelId:
    """Return the id of a conversation: channel, group DM or DM."""
    return ChannelId(join_parts(_PLATFORM, team, channel))


def user_id(team: str, user: str) -> UserId:
    """Return the id of somebody in a workspace."""
    return UserId(join_parts(_PLATFORM, team, user))


def session_id(thread: SlackThread) -> SessionId:
    """Return the id of a thread."""
    return SessionId(join_parts(_PLATFORM, thread.team, thread.channel, thread.thread_ts))


def person(team: str, user: str, name: str) -> Person:
    """Return somebody in a workspace."""
    return Person(user_id=user_id(team, user), name=name)


def place(thread: SlackThread, *, audience: Audience, shared: bool, outsiders: bool = False) -> Place:
    """Return a thread as a place; see `Place` for who can read it."""
    return Place(
        session_id=session_id(thread),
        channel_id=channel_id(thread.team, thread.channel),
        tenant_id=tenant_id(thread.team),
        audience=audience,
        shared=shared,
        outsiders=outsiders,
    )


def own_place(team: str, user: str) -> Place:
    """Return where somebody types what nobody else sees, wherever that is; no conversation of Slack has its name."""
    alone = SlackThread(team, f"{_OWN}{user}", "")
    return place(alone, audience=private_to(user_id(team, user)), shared=False)


def permalink(url: str, thread: SlackThread, ts: str) -> str:
    """Return the link of a message as Slack makes it, without a call; `url` is the workspace's."""
    link = f"{url.rstrip('/')}/archives/{thread.channel}/p{ts.replace('.', '')}"
    return link if ts == thread.thread_ts else f"{link}?thread_ts={thread.thread_ts}&cid={thread.channel}"


def thread_of(session: SessionId) -> SlackThread:
    """Return the thread that a session is.

    Raises:
        ValueError: `session` is not of Slack.
    """
    match split_parts(session):
        case [platform, team, channel, thread_ts] if platform == _PLATFORM:
            return SlackThread(team, channel, thread_ts)
    raise ValueError(f"not a Slack session: {session!r}")


def user_of(user: UserId) -> tuple[str, str]:
    """Return team and user of a user id.

    Raises:
        ValueError: `user` is not of Slack.
    """
    return _pair(user, "user")


def channel_of(channel: ChannelId) -> tuple[str, str]:
    """Return team and channel of a channel id.

    Raises:
        ValueError: `channel` is not of Slack.
    """
    return _pair(channel, "channel")


def _pair(joined: str, what: str) -> tuple[str, str]:
    match split_parts(joined):
        case [platform, team, name] if platform == _PLATFORM:
            return team, name
    raise ValueError(f"not a Slack {what}: {joined!r}")
