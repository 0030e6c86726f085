"""The events that are more than what they are about: an interaction, and how a session begins."""

from collections.abc import Iterator
from typing import Any

from tests.fakes.discord import message_wire, wire
from tests.fakes.discord.intents import GUILD_MEMBERS, GUILDS
from tests.fakes.discord.limits import FILE_BYTES
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.world import Interaction, World

Json = dict[str, Any]


def interaction_json(world: World, interaction: Interaction) -> Json:
    """Return an interaction, as the app is told of it."""
    channel, user = interaction.channel, interaction.user
    shown = wire.channel_json(channel) | {"permissions": str(channel.permissions_of(user.user_id))}
    result: Json = {
        "id": interaction.interaction_id,
        "application_id": world.app.app_id,
        "type": interaction.kind,
        "data": interaction.data,
        "channel_id": channel.channel_id,
        "channel": shown,
        "token": interaction.token,
        "version": 1,
        "app_permissions": str(channel.permissions_of(world.bot.user_id)),
        "locale": wire.LOCALE,
        "entitlements": [],
        "authorizing_integration_owners": wire.owners_json(channel),
        "context": 0 if channel.guild is not None else 1,
        "attachment_size_limit": FILE_BYTES,
    }
    if interaction.message is not None:
        result["message"] = message_wire.message_json(world, interaction.message)
    if channel.guild is None:
        return result | {"user": wire.user_json(user)}
    guild = channel.guild
    member = wire.member_json(guild.members[user.user_id]) | {"permissions": str(channel.permissions_of(user.user_id))}
    place = {"id": guild.guild_id, "locale": wire.LOCALE, "features": []}
    result |= {"guild_id": guild.guild_id, "guild": place, "guild_locale": wire.LOCALE}
    return result | {"member": member}


def first_events(world: World, session: Session) -> Iterator[tuple[str, Json]]:
    """Yield how a session begins: READY, then each guild of its shard."""
    guilds = [each for each in world.guilds.values() if each.has_bot and session.serves(each.guild_id)]
    yield (
        "READY",
        {
            "v": 10,
            "user": wire.user_json(world.bot) | {"verified": True, "mfa_enabled": False, "flags": 0},
            "guilds": [{"id": guild.guild_id, "unavailable": True} for guild in guilds],
            "private_channels": [],
            "session_id": session.session_id,
            "session_type": "normal",
            "resume_gateway_url": world.gateway.resume_url or world.gateway.url,
            "shard": [*session.shard],
            "application": {"id": world.app.app_id, "flags": world.app.flags},
        },
    )
    if session.intents & GUILDS:
        for guild in guilds:
            if guild.available:
                yield ("GUILD_CREATE", wire.guild_create_json(guild))


def member_chunks(world: World, session: Session, request: Json) -> Iterator[tuple[str, Json]]:
    """Yield the answer to a request for members: all of them only with the members intent."""
    guild = world.guilds.get(str(request.get("guild_id")))
    if guild is None:
        return
    wanted, query = request.get("user_ids"), request.get("query")
    ids = [str(each) for each in ([wanted] if isinstance(wanted, str | int) else wanted or [])]
    if wanted is None and not query and not session.intents & GUILD_MEMBERS:
        return
    every = guild.members.values()
    found = [each for each in every if each.user.user_id in ids] if wanted is not None else list(every)
    if query:
        found = [each for each in every if each.user.name.lower().startswith(str(query).lower())]
    limit = int(request.get("limit") or 0) or len(found)
    chunk: Json = {"guild_id": guild.guild_id, "members": [wire.member_json(each) for each in found[:limit]]}
    chunk |= {"chunk_index": 0, "chunk_count": 1, "not_found": [each for each in ids if each not in guild.members]}
    yield ("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": request["nonce"]} if "nonce" in request else {}))
