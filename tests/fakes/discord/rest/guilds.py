"""The calls about the app itself, its users, guilds and channels."""

from typing import Any

from tests.fakes.discord import wire
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.places import Channel
from tests.fakes.discord.rest.calls import Call, Route

Json = dict[str, Any]


async def gateway(call: Call) -> Json:
    """Return where the gateway is."""
    return {"url": call.world.gateway.url}


async def gateway_bot(call: Call) -> Json:
    """Return where the gateway is, how many shards to open and how many sessions may still begin."""
    own = call.world.gateway
    limit = {"total": 1_000, "remaining": max(0, own.remaining), "reset_after": 86_400_000}
    limit["max_concurrency"] = own.max_concurrency
    return {"url": own.url, "shards": call.world.app.shards, "session_start_limit": limit}


async def me(call: Call) -> Json:
    """Return the app's user."""
    return wire.user_json(call.bot) | {"verified": True, "mfa_enabled": False, "locale": wire.LOCALE, "flags": 0}


async def application(call: Call) -> Json:
    """Return the application, with the flags of its privileged intents."""
    app = call.world.app
    owner = next((user for user in call.world.users.values() if not user.is_bot), call.bot)
    return {
        "id": app.app_id,
        "name": app.name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": app.flags,
        "owner": wire.user_json(owner),
        "team": None,
        "interactions_endpoint_url": None,
        "approximate_guild_count": sum(guild.has_bot for guild in call.world.guilds.values()),
        "integration_types_config": {"0": {}},
    }


async def user(call: Call) -> Json:
    """Return a user."""
    found = call.world.users.get(call.params["user_id"])
    if found is None:
        raise ApiError(10013)
    return wire.user_json(found)


async def open_dm(call: Call) -> Json:
    """Return the conversation with a person."""
    recipient = call.world.users.get(str(call.json.get("recipient_id")))
    if recipient is None or recipient is call.bot:
        raise invalid(("recipient_id", "BASE_TYPE_INVALID", "Unknown user"))
    if recipient.is_bot:
        raise ApiError(50007)
    return wire.channel_json(call.world.dm(recipient))


async def own_guilds(call: Call) -> list[Json]:
    """Return the guilds that have the app."""
    guilds = [guild for guild in call.world.guilds.values() if guild.has_bot]
    limit, after = call.number("limit", 200, most=200), int(call.query.get("after", "0"))
    found = [guild for guild in guilds if int(guild.guild_id) > after][:limit]
    return [
        {
            "id": guild.guild_id,
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(guild.base_permissions(call.bot.user_id)),
            "features": [],
        }
        for guild in found
    ]


async def guild(call: Call) -> Json:
    """Return a guild."""
    return wire.guild_json(call.guild())


async def guild_channels(call: Call) -> list[Json]:
    """Return a guild's channels, without threads."""
    found = [each for each in call.guild().channels.values() if not each.is_thread and not each.deleted]
    return [wire.channel_json(each) for each in found]


async def roles(call: Call) -> list[Json]:
    """Return a guild's roles."""
    return [wire.role_json(role) for role in call.guild().roles.values()]


async def member(call: Call) -> Json:
    """Return a member."""
    found = call.guild().members.get(call.params["user_id"])
    if found is None:
        raise ApiError(10007 if call.params["user_id"] in call.world.users else 10013)
    return wire.member_json(found)


async def members(call: Call) -> list[Json]:
    """Return members, which only an app with the members intent may ask."""
    found = call.guild().members
    if "members" not in call.world.app.portal:
        raise ApiError(50001)
    limit, after = call.number("limit", 1, most=1_000), int(call.query.get("after", "0"))
    ids = sorted((each for each in found if int(each) > after), key=int)[:limit]
    return [wire.member_json(found[each]) for each in ids]


async def search_members(call: Call) -> list[Json]:
    """Return members whose name begins with some letters."""
    wanted, limit = call.query.get("query", "").lower(), call.number("limit", 1, most=1_000)
    every = call.guild().members.values()
    found = [each for each in every if each.user.name.lower().startswith(wanted)]
    return [wire.member_json(each) for each in found[:limit]]


async def leave_guild(call: Call) -> None:
    """Leave a guild."""
    left = call.guild()
    call.world.emit("GUILD_DELETE", {"id": left.guild_id}, guild=left)
    left.has_bot = False
    call.world.changes.mark()


async def channel(call: Call) -> Json:
    """Return a channel, thread or DM."""
    found: Channel = call.channel()
    return wire.channel_json(found)


_GUILD = "/guilds/{guild_id}"

ROUTES = {
    "GET /gateway": Route(run=gateway, bucket="gateway", needs_token=False),
    "GET /gateway/bot": Route(run=gateway_bot, bucket="gateway"),
    "GET /users/@me": Route(run=me, bucket="users"),
    "GET /oauth2/applications/@me": Route(run=application, bucket="application"),
    "GET /applications/@me": Route(run=application, bucket="application"),
    "POST /users/@me/channels": Route(run=open_dm, bucket="dms"),
    "GET /users/@me/guilds": Route(run=own_guilds, bucket="users"),
    "DELETE /users/@me/guilds/{guild_id}": Route(run=leave_guild, bucket="users"),
    "GET /users/{user_id}": Route(run=user, bucket="users"),
    f"GET {_GUILD}": Route(run=guild, bucket="guilds"),
    f"GET {_GUILD}/channels": Route(run=guild_channels, bucket="guilds"),
    f"GET {_GUILD}/roles": Route(run=roles, bucket="guilds"),
    f"GET {_GUILD}/members": Route(run=members, bucket="members"),
    f"GET {_GUILD}/members/search": Route(run=search_members, bucket="members"),
    f"GET {_GUILD}/members/{{user_id}}": Route(run=member, bucket="members"),
    "GET /channels/{channel_id}": Route(run=channel, bucket="channels"),
}
