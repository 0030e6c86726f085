"""What happens to a channel itself: members, archive, deletion, a new name, becoming private or shared.

Each changes what the Web API says and sends the events that Slack sends.
"""

from typing import Any

from tests.fakes.slack.channel import Channel
from tests.fakes.slack.model import User

Json = dict[str, Any]


def _kind(channel: Channel) -> str:
    return "channel" if channel.kind == "public" else "group"


def _event(channel: Channel, kind: str, **more: Any) -> Json:
    return {"type": kind, "channel": channel.channel_id, **more, "event_ts": channel.world.counter.ts()}


async def join(channel: Channel, user: User, *, inviter: User | None = None) -> None:
    """Let a user, or the app, into a channel."""
    channel.members[user.user_id] = user
    letter = "C" if channel.kind == "public" else "G"
    more: Json = {"inviter": inviter.user_id} if inviter is not None else {}
    event = _event(channel, "member_joined_channel", user=user.user_id, channel_type=letter, team=channel.team.team_id)
    await channel.emit(event | more)
    text = f"<@{user.user_id}> has joined the channel"
    await channel.system_message(user, "channel_join" if channel.kind == "public" else "group_join", text, more)


async def leave(channel: Channel, user: User) -> None:
    """Let a user out of a channel; of its own leaving the app hears twice, if Slack does not withhold one of them."""
    letter = "C" if channel.kind == "public" else "G"
    event = _event(channel, "member_left_channel", user=user.user_id, channel_type=letter, team=channel.team.team_id)
    await channel.emit(event)
    if user is channel.team.bot:
        await channel.emit(_event(channel, f"{_kind(channel)}_left", actor_id=user.user_id))
    channel.members.pop(user.user_id, None)
    channel.world.changes.mark()


async def archive(channel: Channel, by: User) -> None:
    """Archive a channel."""
    channel.archived = True
    await channel.emit(_event(channel, f"{_kind(channel)}_archive", user=by.user_id))


async def unarchive(channel: Channel, by: User) -> None:
    """Take a channel out of the archive."""
    channel.archived = False
    await channel.emit(_event(channel, f"{_kind(channel)}_unarchive", user=by.user_id))


async def delete(channel: Channel) -> None:
    """Delete a channel for good."""
    channel.deleted = True
    await channel.emit(_event(channel, f"{_kind(channel)}_deleted"))


async def rename(channel: Channel, name: str) -> None:
    """Give a channel another name."""
    channel.name = name
    event: Json = {"type": f"{_kind(channel)}_rename", "event_ts": channel.world.counter.ts()}
    event["channel"] = {"id": channel.channel_id, "name": name, "created": 1_700_000_000}
    await channel.emit(event)


async def make_private(channel: Channel, by: User) -> None:
    """Turn a public channel private; Slack says so by a message, and calls it a group from then on."""
    channel.kind = "private"
    text = "made this channel *private*. Now, it can only be viewed or joined by invitation."
    await channel.system_message(by, "channel_convert_to_private", text)


async def make_public(channel: Channel, by: User) -> None:
    """Turn a private channel public."""
    channel.kind = "public"
    text = "made this channel *public*. Any member of the workspace can see and join it."
    await channel.system_message(by, "channel_convert_to_public", text)


async def offer_to_share(channel: Channel) -> None:
    """Invite another workspace, which has not accepted yet; Slack sends a bot no event for it."""
    channel.pending_shared = True
    channel.world.changes.mark()


async def share(channel: Channel, team_id: str) -> None:
    """Share a channel with another workspace: Slack Connect."""
    channel.pending_shared = False
    channel.shared_with.add(team_id)
    await channel.emit(_event(channel, "channel_shared", connected_team_id=team_id))


async def unshare(channel: Channel, team_id: str) -> None:
    """End sharing with another workspace."""
    channel.shared_with.discard(team_id)
    event = _event(channel, "channel_unshared", previously_connected_team_id=team_id)
    await channel.emit(event | {"is_ext_shared": bool(channel.shared_with)})
