"""`conversations.*`, `users.*`, `team.*`, `bots.*` and `auth.test`."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.slack.calls import HISTORY_SCOPES, READ_SCOPES, Call, Method
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.model import ApiError, Message
from tests.fakes.slack.wire import message_json, user_json

Json = dict[str, Any]

_MOST_PER_PAGE = 1_000
_KINDS = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}


async def auth_test(call: Call) -> Json:
    """Say who the token is."""
    bot = call.team.bot
    return {
        "url": f"https://{call.team.domain}.slack.com/",
        "team": call.team.name,
        "user": bot.name,
        "team_id": call.team.team_id,
        "user_id": bot.user_id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


async def info(call: Call) -> Json:
    """Describe a conversation."""
    channel = call.channel(scopes=READ_SCOPES)
    counted = {"num_members": len(channel.members)} if call.flag("include_num_members") else {}
    return {"channel": channel.to_json() | counted}


async def members(call: Call) -> Json:
    """List who is in a conversation."""
    channel = call.channel(scopes=READ_SCOPES)
    page, cursor = _page(call, list(channel.members), default=100)
    return {"members": page, **cursor}


async def list_channels(call: Call) -> Json:
    """List the conversations the app can see."""
    return _listed(call, [each for each in call.channels.values() if each.kind == "public" or each.has_bot])


async def users_conversations(call: Call) -> Json:
    """List the conversations a user, the app unless named, is in, of those the app can see."""
    user_id = str(call.args.get("user") or call.team.bot.user_id)
    seen = [each for each in call.channels.values() if each.kind == "public" or each.has_bot]
    return _listed(call, [each for each in seen if user_id in each.members])


def _listed(call: Call, channels: Sequence[Channel]) -> Json:
    wanted = str(call.args.get("types") or "public_channel").split(",")
    kinds = [_KINDS.get(each.strip(), "") for each in wanted]
    if "" in kinds:
        raise ApiError("invalid_types")
    for kind in kinds:
        call.needs_scope(READ_SCOPES[kind])
    kept = [each for each in channels if each.kind in kinds and not each.deleted]
    if call.flag("exclude_archived"):
        kept = [each for each in kept if not each.archived]
    page, cursor = _page(call, kept, default=100)
    return {"channels": [each.to_json() for each in page], **cursor}


async def replies(call: Call) -> Json:
    """Return a thread, its parent first."""
    channel = call.channel(scopes=HISTORY_SCOPES)
    _must_be_member(channel)
    ts = call.need("ts")
    thread = channel.in_thread(ts)
    if not thread:
        single = channel.messages.get(ts)
        if single is None or single.deleted:
            raise ApiError("thread_not_found")
        thread = [single]
    page, cursor = _page(call, _between(call, thread), default=1_000)
    return {"messages": [_shown(call, channel, each) for each in page], **cursor}


async def history(call: Call) -> Json:
    """Return a conversation's own messages, newest first."""
    channel = call.channel(scopes=HISTORY_SCOPES)
    _must_be_member(channel)
    page, cursor = _page(call, _between(call, channel.history())[::-1], default=100)
    return {"messages": [_shown(call, channel, each) for each in page], **cursor}


def _must_be_member(channel: Channel) -> None:
    if not channel.has_bot:
        raise ApiError("not_in_channel")


def _between(call: Call, messages: Sequence[Message]) -> list[Message]:
    oldest, latest = str(call.args.get("oldest") or "0"), str(call.args.get("latest") or "9")
    inclusive = call.flag("inclusive")
    kept = [each for each in messages if oldest < each.ts < latest or (inclusive and each.ts in {oldest, latest})]
    return (
        kept
        if call.method == "conversations.history"
        else [each for each in messages if each in kept or not each.in_thread]
    )


def _shown(call: Call, channel: Channel, message: Message) -> Json:
    inner = [each for each in channel.in_thread(message.ts) if each is not message]
    return message_json(message, replies=inner, metadata=call.flag("include_all_metadata"))


def _page(call: Call, items: Sequence[Any], *, default: int) -> tuple[list[Any], Json]:
    limit = call.number("limit", default)
    if not 0 < limit <= _MOST_PER_PAGE:
        raise ApiError("invalid_limit")
    limit = min(limit, call.world.page_size or limit)
    cursor = str(call.args.get("cursor") or "")
    if cursor and not cursor.startswith("next:"):
        raise ApiError("invalid_cursor")
    start = int(cursor.removeprefix("next:") or 0)
    more = start + limit < len(items)
    after = f"next:{start + limit}" if more else ""
    return list(items[start : start + limit]), {"has_more": more, "response_metadata": {"next_cursor": after}}


async def open_conversation(call: Call) -> Json:
    """Open a DM, or a group DM, with people."""
    if call.args.get("channel"):
        channel = call.channel()
    else:
        ids = [each.strip() for each in call.need("users").split(",")]
        unknown = [each for each in ids if each not in call.team.users]
        if unknown:
            raise ApiError("user_not_found")
        if len(ids) > 1:
            call.needs_scope("mpim:write")
        channel = call.open_dm([call.team.users[each] for each in ids])
    return {"channel": channel.to_json() if call.flag("return_im") else {"id": channel.channel_id}}


async def users_info(call: Call) -> Json:
    """Describe a user."""
    return {"user": user_json(call.user(), team_id=call.team.team_id, scopes=call.team.scopes)}


async def users_list(call: Call) -> Json:
    """List everybody the workspace knows: guests, bots, deactivated people and strangers of shared channels too."""
    everybody = list(call.team.users.values())
    if len(everybody) > _MOST_PER_PAGE and not call.args.get("limit"):
        raise ApiError("limit_required")
    page, cursor = _page(call, everybody, default=_MOST_PER_PAGE)
    shown = [user_json(each, team_id=call.team.team_id, scopes=call.team.scopes) for each in page]
    return {"members": shown, "cache_ts": call.world.counter.seconds(), **cursor}


async def team_info(call: Call) -> Json:
    """Describe the workspace."""
    return {"team": {"id": call.team.team_id, "name": call.team.name, "domain": call.team.domain}}


async def bots_info(call: Call) -> Json:
    """Describe a bot."""
    bot = call.team.bots.get(call.need("bot"))
    if bot is None:
        raise ApiError("bot_not_found")
    return {"bot": {"id": bot.bot_id, "name": bot.name, "app_id": bot.app_id, "user_id": bot.user_id, "deleted": False}}


METHODS = {
    "auth.test": Method(run=auth_test, tier=None),
    "conversations.info": Method(run=info),
    "conversations.members": Method(run=members, tier=4),
    "conversations.list": Method(run=list_channels, tier=2),
    "conversations.replies": Method(run=replies),
    "conversations.history": Method(run=history),
    "conversations.open": Method(run=open_conversation, scopes=("im:write", "mpim:write")),
    "users.info": Method(run=users_info, scopes=("users:read",), tier=4),
    "users.list": Method(run=users_list, scopes=("users:read",), tier=2),
    "users.conversations": Method(run=users_conversations),
    "team.info": Method(run=team_info, scopes=("team:read",)),
    "bots.info": Method(run=bots_info, scopes=("users:read",)),
}
