"""The calls about threads: begin, read, change, join and leave."""

from typing import Any

from tests.fakes.discord import message_wire, posting, threads, wire
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.limits import check_thread
from tests.fakes.discord.places import TYPES, Channel, ChannelKind
from tests.fakes.discord.rest.bodies import new_message
from tests.fakes.discord.rest.calls import Call, Route

Json = dict[str, Any]

_KINDS: dict[int, ChannelKind] = {number: kind for kind, number in TYPES.items()}


async def from_message(call: Call) -> Json:
    """Begin a thread from a message."""
    channel = call.channel("read_message_history", "create_public_threads")
    if channel.kind not in {"text", "announcement"}:
        raise ApiError(50024)
    message = call.message(channel)
    check_thread(call.json)
    if channel.thread_of(message) is not None:
        raise ApiError(160004)
    if message.kind not in {0, 19, 20, 23}:
        raise ApiError(50021)
    thread = threads.begin(call.world, channel, name=call.json["name"], owner=call.bot, message=message)
    _set(thread, call.json)
    return wire.channel_json(thread)


async def by_itself(call: Call) -> Json:
    """Begin a thread that no message begins, or a forum's post."""
    channel = call.channel()
    if channel.kind not in {"text", "announcement", "forum"}:
        raise ApiError(50024)
    check_thread(call.json)
    if channel.kind == "forum":
        return _forum_post(call, channel)
    kind = _KINDS.get(int(call.json.get("type", TYPES["private_thread"])))
    if kind not in {"public_thread", "private_thread", "announcement_thread"}:
        raise invalid(("type", "BASE_TYPE_CHOICES", "Value must be one of {10, 11, 12}."))
    call.needs(channel, "create_private_threads" if kind == "private_thread" else "create_public_threads")
    thread = threads.begin(call.world, channel, name=call.json["name"], owner=call.bot, kind=kind)
    _set(thread, call.json)
    return wire.channel_json(thread)


def _forum_post(call: Call, forum: Channel) -> Json:
    call.needs(forum, "send_messages")
    body = call.json.get("message")
    if not isinstance(body, dict):
        raise invalid(("message", "BASE_TYPE_REQUIRED", "This field is required"))
    first = new_message(call, forum, body)
    thread = threads.begin(call.world, forum, name=call.json["name"], owner=call.bot, thread_id=first.message_id)
    _set(thread, call.json)
    first.channel_id = thread.channel_id
    posting.post(call.world, thread, first)
    return wire.channel_json(thread) | {"message": message_wire.message_json(call.world, first)}


def _set(thread: Channel, body: Json) -> None:
    thread.auto_archive_min = int(body.get("auto_archive_duration") or thread.auto_archive_min)
    thread.slowmode_s = int(body.get("rate_limit_per_user") or 0)
    thread.invitable = bool(body.get("invitable", True))


async def change(call: Call) -> Json:
    """Rename, archive, lock or open a thread; its owner may, except lock."""
    channel = call.channel()
    if not channel.is_thread:
        call.needs(channel, "manage_channels")
        raise ApiError(50024)
    body = call.json
    opens = body.keys() <= {"archived"} and not body.get("archived", True) and not channel.locked
    if "locked" in body or not (opens or channel.owner is call.bot):
        call.needs(channel, "manage_threads")
    if channel.archived and body.get("archived", True):
        raise ApiError(50083)
    check_thread({"name": channel.name} | body)
    channel.name = body.get("name", channel.name)
    channel.auto_archive_min = int(body.get("auto_archive_duration") or channel.auto_archive_min)
    channel.locked = bool(body.get("locked", channel.locked))
    if "archived" in body and bool(body["archived"]) != channel.archived:
        channel.archived, channel.archived_at_s = bool(body["archived"]), call.world.now_s()
    call.world.changes.mark()
    call.world.emit_in(channel, "THREAD_UPDATE", wire.channel_json(channel))
    return wire.channel_json(channel)


def _thread(call: Call) -> Channel:
    thread = call.channel()
    if not thread.is_thread:
        raise ApiError(50024)
    return thread


async def join(call: Call) -> None:
    """Join a thread."""
    thread = _thread(call)
    if thread.archived:
        raise ApiError(50083)
    posting.join(call.world, thread, [call.bot])


async def leave(call: Call) -> None:
    """Leave a thread."""
    threads.leave(call.world, _thread(call), call.bot)


async def add(call: Call) -> None:
    """Add somebody to a thread."""
    thread = _thread(call)
    call.needs(thread, "send_messages_in_threads")
    user = call.world.users.get(call.params["user_id"])
    if thread.guild is None or user is None or user.user_id not in thread.guild.members:
        raise ApiError(10013)
    if thread.archived:
        raise ApiError(50083)
    posting.join(call.world, thread, [user])


async def remove(call: Call) -> None:
    """Take somebody out of a thread."""
    thread, user = _thread(call), call.world.users.get(call.params["user_id"])
    if thread.owner is not call.bot or not thread.is_private_thread:
        call.needs(thread, "manage_threads")
    if user is None or user.user_id not in thread.people:
        raise ApiError(10007)
    threads.leave(call.world, thread, user)


async def members(call: Call) -> list[Json]:
    """Return who is in a thread, which only an app with the members intent may ask."""
    thread = _thread(call)
    if "members" not in call.world.app.portal:
        raise ApiError(50001)
    return [wire.thread_member_json(thread, user) for user in thread.people.values()]


async def member(call: Call) -> Json:
    """Return somebody's membership of a thread."""
    thread = _thread(call)
    user_id = call.bot.user_id if call.params["user_id"] == "@me" else call.params["user_id"]
    user = thread.people.get(user_id)
    if user is None:
        raise ApiError(10007)
    return wire.thread_member_json(thread, user)


async def active(call: Call) -> Json:
    """Return every open thread of a guild that the app sees."""
    guild = call.guild()
    open_ones = [each for each in guild.channels.values() if each.is_thread and not each.archived and not each.deleted]
    return _listed(call, [each for each in open_ones if each.allows(call.bot.user_id, "view_channel")], has_more=None)


async def archived_public(call: Call) -> Json:
    """Return archived public threads, the last archived first."""
    channel = call.channel("read_message_history")
    return _archived(call, [each for each in channel.threads if not each.is_private_thread])


async def archived_private(call: Call) -> Json:
    """Return archived private threads, of all for those who manage threads."""
    channel = call.channel("read_message_history", "manage_threads")
    return _archived(call, [each for each in channel.threads if each.is_private_thread])


async def archived_joined(call: Call) -> Json:
    """Return archived private threads that the app is in."""
    channel = call.channel("read_message_history")
    own = [each for each in channel.threads if each.is_private_thread and call.bot.user_id in each.people]
    return _archived(call, own)


def _archived(call: Call, found: list[Channel]) -> Json:
    limit = call.number("limit", 50, least=2)
    closed = sorted((each for each in found if each.archived), key=lambda each: each.archived_at_s or 0, reverse=True)
    before = call.query.get("before")
    if before is not None:
        closed = [each for each in closed if _closed_before(each, before)]
    return _listed(call, closed[:limit], has_more=len(closed) > limit)


def _closed_before(thread: Channel, before: str) -> bool:
    if before.isdecimal():
        return int(thread.channel_id) < int(before)
    return str(wire.channel_json(thread)["thread_metadata"]["archive_timestamp"]) < before


def _listed(call: Call, found: list[Channel], *, has_more: bool | None) -> Json:
    joined = [each for each in found if call.bot.user_id in each.people]
    result: Json = {
        "threads": [wire.channel_json(each) for each in found],
        "members": [wire.thread_member_json(each, call.bot) for each in joined],
    }
    return result if has_more is None else result | {"has_more": has_more}


_CHANNEL = "/channels/{channel_id}"
_ARCHIVED = f"{_CHANNEL}/threads/archived"

ROUTES = {
    f"POST {_CHANNEL}/messages/{{message_id}}/threads": Route(run=from_message, bucket="threads", limit=10),
    f"POST {_CHANNEL}/threads": Route(run=by_itself, bucket="threads", limit=10),
    f"PATCH {_CHANNEL}": Route(run=change, bucket="channels.edit", limit=5),
    f"PUT {_CHANNEL}/thread-members/@me": Route(run=join, bucket="thread-members"),
    f"DELETE {_CHANNEL}/thread-members/@me": Route(run=leave, bucket="thread-members"),
    f"PUT {_CHANNEL}/thread-members/{{user_id}}": Route(run=add, bucket="thread-members"),
    f"DELETE {_CHANNEL}/thread-members/{{user_id}}": Route(run=remove, bucket="thread-members"),
    f"GET {_CHANNEL}/thread-members": Route(run=members, bucket="thread-members"),
    f"GET {_CHANNEL}/thread-members/{{user_id}}": Route(run=member, bucket="thread-members"),
    f"GET {_ARCHIVED}/public": Route(run=archived_public, bucket="threads.archived"),
    f"GET {_ARCHIVED}/private": Route(run=archived_private, bucket="threads.archived"),
    f"GET {_CHANNEL}/users/@me/threads/archived/private": Route(run=archived_joined, bucket="threads.archived"),
    "GET /guilds/{guild_id}/threads/active": Route(run=active, bucket="threads.active"),
}
