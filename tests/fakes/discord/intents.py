"""Which events a session hears, and what of a message is blanked without the Message Content intent. Pure.

Source: docs.discord.com/developers/events/gateway, "Gateway Intents".
"""

from typing import Any

Json = dict[str, Any]

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_PRESENCES = 1 << 8
GUILD_MESSAGES = 1 << 9
GUILD_MESSAGE_REACTIONS = 1 << 10
GUILD_MESSAGE_TYPING = 1 << 11
DIRECT_MESSAGES = 1 << 12
DIRECT_MESSAGE_REACTIONS = 1 << 13
DIRECT_MESSAGE_TYPING = 1 << 14
MESSAGE_CONTENT = 1 << 15
KNOWN = (1 << 26) - 1
PRIVILEGED = {"members": GUILD_MEMBERS, "presences": GUILD_PRESENCES, "message_content": MESSAGE_CONTENT}
APPLICATION_FLAGS = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}

_GUILD_EVENTS = {
    "GUILD_CREATE": GUILDS, "GUILD_UPDATE": GUILDS, "GUILD_DELETE": GUILDS,
    "GUILD_ROLE_CREATE": GUILDS, "GUILD_ROLE_UPDATE": GUILDS, "GUILD_ROLE_DELETE": GUILDS,
    "CHANNEL_CREATE": GUILDS, "CHANNEL_UPDATE": GUILDS, "CHANNEL_DELETE": GUILDS, "CHANNEL_PINS_UPDATE": GUILDS,
    "THREAD_CREATE": GUILDS, "THREAD_UPDATE": GUILDS, "THREAD_DELETE": GUILDS, "THREAD_LIST_SYNC": GUILDS,
    "THREAD_MEMBER_UPDATE": GUILDS, "THREAD_MEMBERS_UPDATE": GUILDS,
    "GUILD_MEMBER_ADD": GUILD_MEMBERS, "GUILD_MEMBER_REMOVE": GUILD_MEMBERS,
    "MESSAGE_CREATE": GUILD_MESSAGES, "MESSAGE_UPDATE": GUILD_MESSAGES, "MESSAGE_DELETE": GUILD_MESSAGES,
    "MESSAGE_DELETE_BULK": GUILD_MESSAGES,
    "MESSAGE_REACTION_ADD": GUILD_MESSAGE_REACTIONS, "MESSAGE_REACTION_REMOVE": GUILD_MESSAGE_REACTIONS,
    "TYPING_START": GUILD_MESSAGE_TYPING,
}  # fmt: skip
_DM_EVENTS = {
    "MESSAGE_CREATE": DIRECT_MESSAGES, "MESSAGE_UPDATE": DIRECT_MESSAGES, "MESSAGE_DELETE": DIRECT_MESSAGES,
    "CHANNEL_PINS_UPDATE": DIRECT_MESSAGES,
    "MESSAGE_REACTION_ADD": DIRECT_MESSAGE_REACTIONS, "MESSAGE_REACTION_REMOVE": DIRECT_MESSAGE_REACTIONS,
    "TYPING_START": DIRECT_MESSAGE_TYPING,
}  # fmt: skip


def hears(intents: int, event: str, *, in_guild: bool) -> bool:
    """Whether a session with these intents is sent an event; what no intent names is always sent."""
    needed = (_GUILD_EVENTS if in_guild else _DM_EVENTS).get(event)
    return needed is None or bool(intents & needed)


def blanked(message: Json, *, bot_id: str, in_guild: bool) -> Json:
    """Return a message as an app without the Message Content intent gets it."""
    result = dict(message)
    referenced = message.get("referenced_message")
    if referenced:
        result["referenced_message"] = blanked(referenced, bot_id=bot_id, in_guild=in_guild)
    mentioned = any(user["id"] == bot_id for user in message.get("mentions", []))
    if not in_guild or mentioned or message["author"]["id"] == bot_id:
        return result
    return result | {"content": "", "embeds": [], "attachments": [], "components": []}
