"""The calls about messages: post, change, delete, read, react, type."""

from typing import Any

from tests.fakes.discord import message_wire, posting
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.model import Message, snowflake_at
from tests.fakes.discord.places import Channel
from tests.fakes.discord.rest.bodies import edited_message, new_message
from tests.fakes.discord.rest.calls import Call, Route
from tests.fakes.discord.world import NONCE_LIVES_S

Json = dict[str, Any]

_OLD_S = 3_600


def read_by_app(call: Call, message: Message) -> Json:
    """Return a message as the app may read it over REST, which the portal's switch decides."""
    has_content = "message_content" in call.world.app.portal
    return message_wire.shown_to_app(call.world, message, has_content=has_content)


def may_write(call: Call, channel: Channel, body: Json) -> None:
    """Refuse what the app may not write here."""
    if channel.kind in {"forum", "category"}:
        raise ApiError(50008)
    call.needs(channel, "send_messages_in_threads" if channel.is_thread else "send_messages")
    if body.get("embeds"):
        call.needs(channel, "embed_links")
    if call.uploads:
        call.needs(channel, "attach_files")
    if channel.archived and channel.locked and not channel.allows(call.bot.user_id, "manage_threads"):
        raise ApiError(50083)
    if channel.guild is None and any(user.dms_closed for user in channel.people.values()):
        raise ApiError(50007)


async def post(call: Call) -> Json:
    """Post a message; one with the nonce of an earlier one, enforced, is that one."""
    channel = call.channel()
    may_write(call, channel, call.json)
    nonce = str(call.json["nonce"]) if call.json.get("enforce_nonce") and call.json.get("nonce") is not None else None
    if nonce is not None and nonce in call.world.nonces:
        earlier, at_s = call.world.nonces[nonce]
        if call.world.now_s() - at_s < NONCE_LIVES_S:
            return message_wire.message_json(call.world, earlier)
    message = new_message(call, channel, call.json)
    if nonce is not None:
        call.world.nonces[nonce] = (message, call.world.now_s())
    posting.post(call.world, channel, message)
    return message_wire.message_json(call.world, message)


async def edit(call: Call) -> Json:
    """Change a message of the app."""
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.bot:
        raise ApiError(50005)
    if message.kind not in {0, 19, 20, 23}:
        raise ApiError(50021)
    if channel.archived:
        raise ApiError(50083)
    age_s = call.world.now_s() - snowflake_at(message.message_id).timestamp()
    if call.world.old_edits is not None and age_s > _OLD_S and message.edits >= call.world.old_edits:
        raise ApiError(30046)
    edited = edited_message(call, channel, message)
    posting.changed(call.world, channel, message, edited=edited)
    return message_wire.message_json(call.world, message)


async def delete(call: Call) -> None:
    """Delete a message: the app's own, or anyone's with the permission to."""
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.bot:
        call.needs(channel, "manage_messages")
    if channel.archived:
        raise ApiError(50083)
    posting.delete(call.world, channel, message)


async def read(call: Call) -> Json:
    """Return one message."""
    channel = call.channel()
    if not channel.allows(call.bot.user_id, "read_message_history"):
        raise ApiError(50001)
    return read_by_app(call, call.message(channel))


async def read_many(call: Call) -> list[Json]:
    """Return messages newest first: the newest, or those nearest before, after or around an id."""
    channel = call.channel()
    limit = call.number("limit", 50)
    if channel.kind in {"forum", "category"}:
        raise ApiError(50008)
    if not channel.allows(call.bot.user_id, "read_message_history"):
        return []
    found = _nearest(call, sorted(channel.messages, key=lambda each: int(each.message_id)), limit)
    return [read_by_app(call, message) for message in reversed(found)]


def _nearest(call: Call, messages: list[Message], limit: int) -> list[Message]:
    given = [name for name in ("before", "after", "around") if name in call.query]
    if not given:
        return messages[-limit:]
    if not call.query[given[0]].isdecimal():
        raise invalid((given[0], "NUMBER_TYPE_COERCE", f'Value "{call.query[given[0]]}" is not snowflake.'))
    at = int(call.query[given[0]])
    earlier = [each for each in messages if int(each.message_id) < at]
    later = [each for each in messages if int(each.message_id) > at]
    if given[0] == "before":
        return earlier[-limit:]
    if given[0] == "after":
        return later[:limit]
    half = limit // 2
    at_it = [each for each in messages if int(each.message_id) == at]
    return [*(earlier[-half:] if half else []), *at_it, *later[:half]][:limit]


async def delete_many(call: Call) -> None:
    """Delete 2 to 100 messages at once."""
    channel = call.channel("manage_messages")
    ids = [str(each) for each in call.json.get("messages") or []]
    if not 2 <= len(ids) <= 100:
        raise invalid(("messages", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length."))
    posting.delete_many(call.world, channel, [found for each in ids if (found := channel.find(each)) is not None])


async def react(call: Call) -> None:
    """Add a reaction of the app; the first of its emoji needs the permission to."""
    channel = call.channel("read_message_history")
    message, emoji = call.message(channel), call.params["emoji"]
    if emoji.isascii() and ":" not in emoji:
        raise ApiError(10014)
    if not any(name == emoji for name, _ in message.reactions):
        call.needs(channel, "add_reactions")
    posting.react(call.world, channel, message, emoji, call.bot)


async def unreact(call: Call) -> None:
    """Take the app's reaction away."""
    channel = call.channel("read_message_history")
    posting.unreact(call.world, channel, call.message(channel), call.params["emoji"], call.bot)


async def type_on(call: Call) -> None:
    """Show the app typing, for ten seconds or until it says something."""
    channel = call.channel()
    call.needs(channel, "send_messages_in_threads" if channel.is_thread else "send_messages")
    posting.type_in(call.world, channel, call.bot)


_OF = "/channels/{channel_id}/messages"
_ONE = f"{_OF}/{{message_id}}"

ROUTES = {
    f"POST {_OF}": Route(run=post, bucket="messages.post", limit=5),
    f"GET {_OF}": Route(run=read_many, bucket="messages.list", limit=5),
    f"POST {_OF}/bulk-delete": Route(run=delete_many, bucket="messages.bulk", limit=1),
    f"GET {_ONE}": Route(run=read, bucket="messages.get", limit=5),
    f"PATCH {_ONE}": Route(run=edit, bucket="messages.edit", limit=5),
    f"DELETE {_ONE}": Route(run=delete, bucket="messages.delete", limit=5),
    f"PUT {_ONE}/reactions/{{emoji}}/@me": Route(run=react, bucket="reactions", limit=20),
    f"DELETE {_ONE}/reactions/{{emoji}}/@me": Route(run=unreact, bucket="reactions", limit=20),
    "POST /channels/{channel_id}/typing": Route(run=type_on, bucket="typing", limit=5),
}
