"""Users, guilds, channels and threads as Discord's JSON."""

from typing import Any

from tests.fakes.discord.model import Member, Role, User, iso
from tests.fakes.discord.places import Channel, GuildState

Json = dict[str, Any]

LOCALE = "en-US"


def user_json(user: User) -> Json:
    """Return a user."""
    return {
        "id": user.user_id,
        "username": user.name,
        "global_name": None if user.is_bot else user.name.title(),
        "discriminator": "0000",
        "avatar": None,
        "bot": user.is_bot,
        "system": False,
        "public_flags": 0,
        "primary_guild": None,
    }


def member_json(member: Member, *, with_user: bool = True) -> Json:
    """Return a member, within a message without its user."""
    result: Json = {
        "nick": member.nick,
        "avatar": None,
        "roles": list(member.roles),
        "joined_at": iso(member.joined_at_s),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }
    return result | {"user": user_json(member.user)} if with_user else result


def role_json(role: Role) -> Json:
    """Return a role."""
    return {
        "id": role.role_id,
        "name": role.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": role.position,
        "permissions": str(role.permissions),
        "managed": role.bot_id is not None,
        "mentionable": role.mentionable,
        "flags": 0,
        "tags": {"bot_id": role.bot_id} if role.bot_id is not None else {},
    }


def channel_json(channel: Channel) -> Json:
    """Return a channel, thread or DM; of a thread that the app has joined, with its membership."""
    newest = channel.messages[-1].message_id if channel.messages else None
    common: Json = {"id": channel.channel_id, "type": channel.type, "last_message_id": newest, "flags": 0}
    if channel.guild is None:
        others = [user_json(user) for user in channel.people.values() if user is not channel.bot]
        return common | {"recipients": others}
    common |= {"guild_id": channel.guild.guild_id, "name": channel.name, "rate_limit_per_user": channel.slowmode_s}
    common["parent_id"] = channel.parent.channel_id if channel.parent is not None else None
    if channel.is_thread:
        return common | _thread_json(channel)
    return common | _guild_channel_json(channel)


def _thread_json(thread: Channel) -> Json:
    metadata: Json = {
        "archived": thread.archived,
        "auto_archive_duration": thread.auto_archive_min,
        "archive_timestamp": iso(thread.archived_at_s or thread.created_at_s),
        "locked": thread.locked,
        "create_timestamp": iso(thread.created_at_s),
    }
    if thread.is_private_thread:
        metadata["invitable"] = thread.invitable
    result: Json = {
        "owner_id": thread.owner.user_id if thread.owner is not None else None,
        "message_count": max(0, len(thread.messages)),
        "member_count": min(50, len(thread.people)),
        "total_message_sent": thread.sent,
        "thread_metadata": metadata,
    }
    if thread.bot.user_id in thread.people:
        result["member"] = thread_member_json(thread, thread.bot)
    return result


def thread_member_json(thread: Channel, user: User) -> Json:
    """Return who is in a thread."""
    return {
        "id": thread.channel_id,
        "user_id": user.user_id,
        "join_timestamp": iso(thread.created_at_s),
        "flags": 1,
        "muted": False,
        "mute_config": None,
    }


def _guild_channel_json(channel: Channel) -> Json:
    overwrites = [
        {"id": each.target_id, "type": 0 if each.is_role else 1, "allow": str(each.allow), "deny": str(each.deny)}
        for each in channel.overwrites.values()
    ]
    result: Json = {
        "position": 0,
        "permission_overwrites": overwrites,
        "nsfw": False,
        "topic": channel.topic,
        "default_auto_archive_duration": 4320,
        "last_pin_timestamp": None,
    }
    if channel.kind == "forum":
        result |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        result |= {"default_forum_layout": 0}
    if channel.kind == "voice":
        result |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
    return result


def guild_json(guild: GuildState) -> Json:
    """Return a guild, as REST shows it."""
    return {
        "id": guild.guild_id,
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "owner_id": guild.owner.user_id,
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "nsfw": False,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": LOCALE,
        "features": [],
        "roles": [role_json(role) for role in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "max_members": 500_000,
        "incidents_data": None,
    }


def guild_create_json(guild: GuildState, *, joined: bool = False) -> Json:
    """Return a guild with everything in it, as GUILD_CREATE brings it to an app without the members intent.

    One that the app has just `joined` does not say whether it is available, which tells the two apart.
    """
    me = guild.members[guild.bot.user_id]
    channels = [each for each in guild.channels.values() if not each.deleted]
    threads = [each for each in channels if each.is_thread and not each.archived]
    visible = [each for each in threads if each.allows(guild.bot.user_id, "view_channel")]
    return guild_json(guild) | {
        "joined_at": iso(me.joined_at_s),
        "large": False,
        **({} if joined else {"unavailable": False}),
        "member_count": len(guild.members),
        "members": [member_json(me)],
        "channels": [channel_json(each) for each in channels if not each.is_thread],
        "threads": [channel_json(each) for each in visible],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def owners_json(channel: Channel) -> Json:
    """Return who installed the app where an interaction began; "0" is a conversation with a guild's app."""
    return {"0": channel.guild.guild_id if channel.guild is not None else "0"}
