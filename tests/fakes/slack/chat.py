"""`chat.*` without the streams."""

from typing import Any

from tests.fakes.slack.blocks import named
from tests.fakes.slack.calls import Call, Method
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.limits import MARKDOWN_CHARS, MESSAGE_BLOCKS_CHARS, TEXT_KEPT, UPDATE_BYTES, total_chars
from tests.fakes.slack.model import ApiError, Message
from tests.fakes.slack.wire import message_json

Json = dict[str, Any]

STREAMED_BLOCK_ID = "streamed"


def _content(call: Call) -> Json:
    """Return text, blocks, attachments and metadata of a message, checked."""
    markdown = str(call.args.get("markdown_text") or "")
    text, blocks, attachments = str(call.args.get("text") or ""), call.blocks(), call.items("attachments")
    if markdown and (text or blocks):
        raise ApiError("markdown_text_conflict")
    if len(markdown) > MARKDOWN_CHARS:
        raise ApiError("msg_too_long")
    if total_chars(blocks) > MESSAGE_BLOCKS_CHARS:
        raise ApiError("msg_blocks_too_long")
    if len(attachments) > 100:
        raise ApiError("too_many_attachments")
    if markdown:
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    if not (text.strip() or blocks or attachments):
        raise ApiError("no_text")
    blocks = named(blocks, call.world.names())
    return {"text": text, "blocks": blocks, "attachments": attachments, "metadata": call.metadata()}


async def post_message(call: Call) -> Json:
    """Post, and send the echo that the app's own messages come back as."""
    content = _content(call)
    channel = call.open_channel()
    thread_ts = call.thread_ts(channel)
    message = Message(
        ts=call.world.counter.ts(),
        channel_id=channel.channel_id,
        author=call.team.bot,
        thread_ts=thread_ts,
        username=call.args.get("username"),
        subtype="bot_message" if call.args.get("username") else None,
        broadcast=bool(thread_ts) and call.flag("reply_broadcast"),
        **content | {"text": content["text"][:TEXT_KEPT]},
    )
    if message.username:
        call.needs_scope("chat:write.customize")
    await channel.post(message)
    ends_status(call, channel, thread_ts)
    cut = {"warning": "message_truncated"} if len(content["text"]) > TEXT_KEPT else {}
    return {"channel": channel.channel_id, "ts": message.ts, "message": message_json(message)} | cut


def ends_status(call: Call, channel: Channel, thread_ts: str | None) -> None:
    """Clear the "is thinking" line: a message of the app does."""
    session = call.team.sessions.get((channel.channel_id, thread_ts or ""))
    if session is not None and session.status_text:
        session.status_text = ""
        call.world.changes.mark()


async def update(call: Call) -> Json:
    """Edit an own message; what is left out (blocks, attachments, metadata) stays, an empty list takes it away."""
    if len(str(call.args.get("text") or "").encode()) > UPDATE_BYTES:
        raise ApiError("msg_too_long")
    channel = call.open_channel()
    message = call.own_message(channel, refusal="cant_update_message")
    if message.streaming:
        raise ApiError("streaming_state_conflict")
    content = _content(call)

    def change(message: Message) -> None:
        message.text = content["text"] or message.text
        message.blocks = [block for block in message.blocks if block["block_id"] != STREAMED_BLOCK_ID]
        for name in ("blocks", "attachments", "metadata"):
            if name in call.args or content[name]:
                setattr(message, name, content[name])

    await channel.change(message, change, by=call.team.bot)
    return {"channel": channel.channel_id, "ts": message.ts, "text": message.text, "message": message_json(message)}


async def delete(call: Call) -> Json:
    """Delete an own message."""
    channel = call.channel()
    message = call.own_message(channel, refusal="cant_delete_message")
    if message.streaming:
        raise ApiError("cant_delete_message")
    await channel.remove(message)
    return {"channel": channel.channel_id, "ts": message.ts}


async def post_ephemeral(call: Call) -> Json:
    """Show a message to one person, who must be a member."""
    content = _content(call)
    channel, user = call.open_channel(), call.user()
    if user.user_id not in channel.members:
        raise ApiError("user_not_in_channel")
    message = Message(
        ts=call.world.counter.ts(),
        channel_id=channel.channel_id,
        author=call.team.bot,
        thread_ts=call.thread_ts(channel),
        ephemeral_to=user.user_id,
        **content,
    )
    channel.add(message)
    return {"message_ts": message.ts}


async def get_permalink(call: Call) -> Json:
    """Return a message's link."""
    channel = call.channel()
    message = channel.find(call.need("message_ts"))
    link = f"https://{call.team.domain}.slack.com/archives/{channel.channel_id}/p{message.ts.replace('.', '')}"
    if message.in_thread:
        link += f"?thread_ts={message.thread_ts}&cid={channel.channel_id}"
    return {"channel": channel.channel_id, "permalink": link}


async def add_reaction(call: Call) -> Json:
    """Add the app's reaction."""
    message, mine = _reaction(call)
    if mine in message.reactions:
        raise ApiError("already_reacted")
    message.reactions.append(mine)
    return {}


async def remove_reaction(call: Call) -> Json:
    """Take the app's reaction away."""
    message, mine = _reaction(call)
    if mine not in message.reactions:
        raise ApiError("no_reaction")
    message.reactions.remove(mine)
    return {}


def _reaction(call: Call) -> tuple[Message, tuple[str, str]]:
    channel = call.open_channel()
    return channel.find(call.need("timestamp")), (call.need("name").strip(":"), call.team.bot.user_id)


METHODS = {
    "chat.postMessage": Method(run=post_message, scopes=("chat:write",), tier=0),
    "chat.update": Method(run=update, scopes=("chat:write",)),
    "chat.delete": Method(run=delete, scopes=("chat:write",)),
    "chat.postEphemeral": Method(run=post_ephemeral, scopes=("chat:write",), tier=4),
    "chat.getPermalink": Method(run=get_permalink, tier=None),
    "reactions.add": Method(run=add_reaction, scopes=("reactions:write",)),
    "reactions.remove": Method(run=remove_reaction, scopes=("reactions:write",), tier=2),
}
